"""What a transcription server answers: words in each form that servers give, or something that is no transcript."""

from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.runtime.support import Open, Screen, ask, inbound
from tests.runtime.test_hearing import VOICE
from tests.runtime.test_media import Shelf
from tests.support.model import Model

NO_WORDS = (b'{"text": ""}', b'{"text": null}', b'{"text": " [BLANK_AUDIO] (silence)"}', b"", b"null", b"<|nospeech|>")
CUT = (b'{"text": "half a sen', b'[{"text": ')
PAGES = (b"<!DOCTYPE html><p>Bad gateway", b"\n<html><body>Sign in", b"<center>\n<h1>502</h1>", b"<!-- 502 -->")
OTHERS = (b'{"error": {"message": "no credit"}}', b'{"text": ["a", "b"]}', b'["a"]', bytes(range(128, 256)))
NO_TRANSCRIPT = (*CUT, *PAGES, *OTHERS, b'{"text": "<p class=x>Busy</p>"}')


async def heard(runtime: Open, model: Model, folder: Path, body: bytes) -> tuple[tuple[str, ...], str, str]:
    """What the person is told, what they see of their words, and what the model reads."""
    (folder / VOICE.file_id).write_bytes(b"OggS")
    model.audio.body = body
    server = {"COHORT_TRANSCRIBE": "whisper", "COHORT_TRANSCRIBE_URL": f"{model.url}/v1"}
    async with runtime(media=Shelf(folder), **server) as engine:
        done = await engine.run(ask(1, inbound(1, "", media=(VOICE,))), screen := Screen())
    return done.notices, screen.words_heard, model.journal[0].messages[1]["text"]


@pytest.mark.parametrize(
    ("body", "why"),
    [*((body, "no-words-heard") for body in NO_WORDS), *((body, "not-heard") for body in NO_TRANSCRIPT)],
)
async def test_an_answer_that_is_no_transcript_is_never_shown_as_one(
    runtime: Open, model: Model, tmp_path: Path, body: bytes, why: str
) -> None:
    assert await heard(runtime, model, tmp_path, body) == ((phrase(why),), "", '<tg-file kind="voice"/>')


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("good day", "good day"),
        ('"good day"', "good day"),
        ('{"text": "<|en|><|0.00|> good day<|endoftext|>"}', "good day"),
        ("[Music] I <unk> love {it}", "[Music] I <unk> love {it}"),
        ("42", "42"),
    ],
)
async def test_the_words_are_read_in_each_form_that_servers_give(
    runtime: Open, model: Model, tmp_path: Path, body: str, words: str
) -> None:
    told, shown, read = await heard(runtime, model, tmp_path, body.encode())
    assert (told, shown) == ((), words)
    assert f"\n{words}\n" in read
