"""Voice messages, music and video notes: they reach a model that hears and sees, others have the user told so."""

import base64
from pathlib import Path
from typing import Any

import pytest
from llmock.pytest_plugin import LLMock

from tasks.envelope import Media
from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask, inbound
from workers.runtime.conversation import history

# As Telegram sends them: a video note has no type and no name.
VOICE = Media(kind="voice", file_id="voice-1", unique_id="v1", mime="audio/ogg")
NOTE = Media(kind="video_note", file_id="note-1", unique_id="n1")
SONG = Media(kind="audio", file_id="song-1", unique_id="s1", name="song.mp3", mime="audio/mpeg")
FILM = Media(kind="video", file_id="film-1", unique_id="f1", name="film.mp4", mime="video/mp4")
BYTES = {"voice-1": b"OggS a voice", "note-1": b"ftyp a round film", "song-1": b"ID3 a song", "film-1": b"ftyp a film"}


class Shelf:
    """A media source over a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.fetched: list[str] = []

    async def fetch(self, media: Media) -> Path:
        self.fetched.append(media.file_id)
        return self.directory / media.file_id


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    for name, content in BYTES.items():
        (tmp_path / name).write_bytes(content)
    return Shelf(tmp_path)


@pytest.fixture
def served(llmock: LLMock, configure: Configure):
    """Make one provider the only one; the environment that chooses its model."""

    def serve(provider: str) -> dict[str, str]:
        name, path, more = PROVIDERS[provider]
        configure({provider: {"api_key": "x", "base_url": llmock.base_url(path), **more}})
        llmock.tool_mode("off")
        return {"COHORT_MODEL": name, "COHORT_LANES": "1"}

    return serve


def heard(body: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Files in a request to Gemini: type and content."""
    parts = [part for content in body["contents"] for part in content["parts"]]
    inline = [part["inlineData"] for part in parts if "inlineData" in part]
    return [(data["mime_type"], base64.b64decode(data["data"], altchars=b"-_")) for data in inline]


async def test_voice_music_films_and_video_notes_reach_a_model_that_hears_and_sees(
    runtime: Open, llmock: LLMock, served, shelf: Shelf
) -> None:
    async with runtime(media=shelf, **served("google")) as engine:
        first = await engine.run(ask(1, inbound(1, "listen", media=(VOICE, NOTE, SONG, FILM))), Screen())
        second = await engine.run(ask(1, "again", history=first.history), Screen())
    expected = [
        ("audio/ogg", BYTES["voice-1"]),
        ("video/mp4", BYTES["note-1"]),
        ("audio/mpeg", BYTES["song-1"]),
        ("video/mp4", BYTES["film-1"]),
    ]
    assert [heard(request.body) for request in llmock.requests] == [expected, expected], "it is still heard later"
    assert (first.notices, second.notices) == ((), ())
    kept = history.decode(second.history).messages[0].content
    song = '<tg-file kind="audio" name="song.mp3"/>'
    names = ["listen", '<tg-file kind="voice"/>', '<tg-file kind="video note"/>', song, song]
    assert [block.text for block in kept][:5] == names


async def test_a_voice_message_alone_is_a_turn(runtime: Open, llmock: LLMock, served, shelf: Shelf) -> None:
    async with runtime(media=shelf, **served("google")) as engine:
        result = await engine.run(ask(1, inbound(1, "", media=(VOICE,))), Screen())
    assert heard(llmock.requests[0].body) == [("audio/ogg", BYTES["voice-1"])]
    assert (bool(result.text), result.notices) == (True, ())


@pytest.mark.parametrize("mime", ["audio/ogg; codecs=opus", "Audio/OGG", "audio/opus", "application/ogg"])
async def test_a_voice_message_is_known_by_every_name_its_sender_may_give_its_type(
    runtime: Open, llmock: LLMock, served, shelf: Shelf, mime: str
) -> None:
    voice = VOICE.model_copy(update={"mime": mime})
    async with runtime(media=shelf, **served("google")) as engine:
        result = await engine.run(ask(1, inbound(1, "", media=(voice,))), Screen())
    assert result.notices == ()
    assert heard(llmock.requests[0].body) == [("audio/ogg", BYTES["voice-1"])]


@pytest.mark.parametrize("provider", ["openai", "responses", "anthropic"])
async def test_a_model_that_does_not_hear_gets_the_words_and_the_user_is_told_plainly(
    runtime: Open, llmock: LLMock, served, shelf: Shelf, provider: str
) -> None:
    async with runtime(media=shelf, **served(provider)) as engine:
        result = await engine.run(ask(1, inbound(1, "listen", media=(VOICE, NOTE, SONG, FILM))), Screen())
    assert result.notices == (
        "This model can't listen to voice messages, so I skipped yours.",
        "This model can't watch videos, so I skipped yours.",
        "This model can't listen to audio files, so I skipped yours.",
    )
    assert shelf.fetched == [], "it is not even fetched"
    (request,) = llmock.requests
    assert all(word in str(request.body) for word in ("listen", "voice", "video note", "song.mp3"))


async def test_a_voice_message_is_heard_after_a_switch_to_a_model_that_can(
    runtime: Open, llmock: LLMock, served, configure: Configure, shelf: Shelf
) -> None:
    environ = served("openai")
    pair = ("openai", "google")
    configure({name: {"api_key": "x", "base_url": llmock.base_url(PROVIDERS[name][1])} for name in pair})
    async with runtime(media=shelf, COHORT_MODELS=PROVIDERS["google"][0], **environ) as engine:
        first = await engine.run(ask(1, inbound(1, "listen", media=(VOICE,))), Screen())
        second = await engine.run(ask(1, "and now", history=first.history, model=PROVIDERS["google"][0]), Screen())
    assert (len(first.notices), second.notices) == (1, ())
    assert heard(llmock.requests[-1].body) == [("audio/ogg", BYTES["voice-1"])]
