"""An operator says what a model reads and hears that fast-agent does not know."""

import base64
from pathlib import Path

import pytest
from fast_agent.llm.provider.openai.multipart_converter_openai import OpenAIConverter
from mcp_types import AudioContent, BlobResourceContents, EmbeddedResource

from tasks.config.settings import load
from tasks.envelope import Media
from tasks.errors import Misconfigured
from tasks.phrases import phrase
from tests.runtime.support import Open, Screen, ask, inbound
from tests.runtime.test_media import CAT, PHOTO, REPORT, Shelf
from tests.support.model import Model
from workers.runtime.patches import patch


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "photo-1").write_bytes(CAT)
    (folder / "doc-1").write_bytes(b"%PDF")
    (folder / "song").write_bytes(b"ID3")
    return Shelf(folder)


@pytest.mark.promise("model-reads")
async def test_a_model_that_fast_agent_does_not_know_sees_when_its_operator_says_so(
    runtime: Open, model: Model, shelf: Shelf
) -> None:
    song = Media(kind="audio", file_id="song")
    async with runtime(media=shelf, COHORT_MODEL_READS="generic.other=image generic.mock=image,pdf") as engine:
        done = await engine.run(ask(1, inbound(1, "look", media=(PHOTO, REPORT, song))), Screen())
    assert model.journal[0].messages[1]["text"] == (
        'look\n<image_url>\n<tg-file kind="document" name="report.pdf"/>\n<file>\n<tg-file kind="audio"/>'
    )
    assert done.notices == ("This model can't listen to audio files, so I skipped yours.",)
    async with runtime(media=shelf) as engine:
        done = await engine.run(ask(1, inbound(1, "look", media=(PHOTO,))), Screen())
    assert done.notices == ("This model can't read images, so I skipped yours.",), "it holds for one start only"


async def test_people_are_told_what_is_known_of_a_model_without_asking_its_provider(runtime: Open) -> None:
    async with runtime(COHORT_MODEL_READS="generic.mock=image,ogg") as engine:
        choices = engine.sets.common.choices
        names = (
            "sonnet",
            "gemini25",
            "responses.gpt-5",
            "anthropic.claude-x",
            "generic.mock",
            "generic.other",
            "no such",
        )
        told = {name: choices.facts(name) for name in names}
    assert told == {
        "sonnet": ("Anthropic", "image", "pdf"),
        "gemini25": ("Google", "image", "pdf", "audio", "video"),
        "responses.gpt-5": ("OpenAI", "image", "pdf"),
        "anthropic.claude-x": ("",),
        "generic.mock": ("", "image", "audio"),
        "generic.other": ("",),
        "no such": ("",),
    }


@pytest.mark.promise("model-reads")
async def test_a_wrong_word_of_what_models_read_is_one_line_at_the_start(runtime: Open) -> None:
    for value in ("generic.mock", "generic.mock=sound", "=image", "generic.mock="):
        with pytest.raises(Misconfigured, match="COHORT_MODEL_READS: must be MODEL="):
            load({"COHORT_MODEL_READS": value})
    with pytest.raises(Misconfigured, match=r"COHORT_MODEL_READS: nothing\.at-all: "):
        async with runtime(COHORT_MODEL_READS="nothing.at-all=image"):
            pass
    with pytest.raises(Misconfigured, match=r"COHORT_MODEL_READS: responses\.gpt-5: sound reaches models of aliyun, "):
        async with runtime(COHORT_MODEL_READS="responses.gpt-5=image,ogg"):
            pass


VOICE = Media(kind="voice", file_id="voice", mime="audio/ogg")
SONG = Media(kind="audio", file_id="song", name="song.mp3", mime="audio/mp3")
NOTE = Media(kind="audio", file_id="note", mime="audio/x-m4a")
TONE = Media(kind="document", file_id="tone", name="tone.wav")
SOUNDS = {
    "voice": b"OggS a voice",
    "song": b"ID3 a song",
    "note": b"\0\0\0 ftypM4A a memo",
    "tone": b"RIFF....WAVE a tone",
}


def part(name: str, form: str) -> str:
    return f"<input_audio {form} {base64.b64encode(SOUNDS[name]).decode()}>"


@pytest.fixture
def sounds(tmp_path: Path) -> Shelf:
    for name, content in SOUNDS.items():
        (tmp_path / name).write_bytes(content)
    return Shelf(tmp_path)


@pytest.mark.promise("model-hears")
async def test_a_model_hears_what_its_operator_says_and_of_the_rest_its_user_reads_what_to_send(
    runtime: Open, model: Model, sounds: Shelf
) -> None:
    sent = inbound(1, "listen", media=(VOICE, SONG, NOTE, TONE))
    async with runtime(media=sounds, COHORT_MODEL_READS="generic.mock=audio") as engine:
        first = await engine.run(ask(1, sent), Screen())
        await engine.run(ask(1, "and again", history=first.history), Screen())
    heard = (
        'listen\n<tg-file kind="voice"/>\n<tg-file kind="audio" name="song.mp3"/>\n'
        f'{part("song", "mp3")}\n<tg-file kind="audio"/>\n'
        f'<tg-file kind="document" name="tone.wav"/>\n{part("tone", "wav")}'
    )
    assert model.journal[0].messages[1]["text"] == heard
    assert model.journal[1].messages[1]["text"].count("<input_audio ") == 2, "a later turn hears them, too"
    assert first.notices == (phrase("recording-damaged"),), "they are none; test_sounds.py has some"
    assert base64.b64encode(SOUNDS["song"]) not in first.history


@pytest.mark.promise("model-hears")
async def test_a_server_that_takes_more_formats_is_given_a_voice_message_as_it_came(
    runtime: Open, model: Model, sounds: Shelf
) -> None:
    async with runtime(media=sounds, COHORT_MODEL_READS="generic.mock=ogg,m4a") as engine:
        done = await engine.run(ask(1, inbound(1, "", media=(VOICE, NOTE, TONE))), Screen())
    text = model.journal[0].messages[1]["text"]
    assert [part("voice", "ogg") in text, part("note", "m4a") in text, part("tone", "wav") in text] == [True] * 3
    assert done.notices == ()


def test_sound_that_a_tool_gives_is_a_part_too_and_what_is_no_sound_stays_as_it_was() -> None:
    patch.apply()
    convert = OpenAIConverter._convert_content_item
    given = AudioContent(type="audio", data="UklGRg==", mime_type="audio/wav")
    assert convert(given) == {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    other = AudioContent(type="audio", data="", mime_type="audio/midi")
    assert convert(other) == {"type": "text", "text": "[Unsupported audio content: audio/midi]"}
    film = BlobResourceContents(uri="telegram://file/1", mime_type="video/mp4", blob="AAAA")
    assert convert(EmbeddedResource(type="resource", resource=film))["type"] == "video_url"
