"""Recordings reach models that hear MP3 and WAV only, as WAV; hostile ones do no harm."""

import array
import asyncio
import base64
import io
import logging
import os
import re
import struct
import wave
from functools import partial
from pathlib import Path

import pytest

from tasks.envelope import Media
from tasks.phrases import phrase
from tasks.session_files import SOUND, media_name, remove
from tests.runtime.support import Open, Screen, ask, inbound
from tests.runtime.test_documents import _reads as read_by_a_process
from tests.runtime.test_media import Shelf
from tests.support.model import Model
from tests.support.recordings import FORMS, recording
from tests.support.until import until
from workers import texts
from workers.runtime.conversation import sounds
from workers.runtime.conversation.content import ModelFiles, user_turn
from workers.runtime.conversation.file_budget import FileBudget
from workers.runtime.conversation.sounds import NotConverted, SoundConverter
from workers.runtime.conversation.weighing import Opens
from workers.runtime.extraction import sound as program

MIB = 2**20
VOICE = Media(kind="voice", file_id="voice", unique_id="v1", mime="audio/ogg", duration_s=1, size_bytes=9000)
MEMO = Media(kind="audio", file_id="memo", unique_id="m1", name="memo.m4a", mime="audio/x-m4a", duration_s=1)
NOTE = Media(kind="video_note", file_id="note", unique_id="n1", duration_s=1)
PLAYED = re.compile(r"<input_audio wav ([\w+/=]+)>")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name, form in (("voice", "ogg"), ("memo", "m4a"), ("note", "mp4")):
        (folder / name).write_bytes(recording(form))
    return Shelf(folder)


def played(sound: bytes) -> tuple[int, int, float]:
    """Channels and rate of a WAV file, and its seconds; it is no silence."""
    with wave.open(io.BytesIO(sound)) as opened:
        samples = array.array("h", opened.readframes(opened.getnframes()))
        assert max(samples) > 4000
        return opened.getnchannels(), opened.getframerate(), opened.getnframes() / opened.getframerate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.promise("model-hears")
async def test_voice_messages_memos_and_video_notes_are_heard_by_a_model_that_takes_wav(
    runtime: Open, model: Model, shelf: Shelf
) -> None:
    async with runtime(media=shelf, COHORT_MODEL_READS="generic.mock=audio") as engine:
        first = await engine.run(ask(1, inbound(1, "listen", media=(VOICE, MEMO, NOTE))), Screen())
        await engine.run(ask(1, "again", history=first.history), Screen())
    assert first.notices == ()
    texts_of = [request.messages[1]["text"] for request in model.journal]
    assert PLAYED.sub("~", texts_of[0]) == (
        'listen\n~\n<tg-file kind="audio" name="memo.m4a"/>\n~\n'
        '<tg-file kind="video note" note="only its sound follows"/>\n~'
    )
    for text in texts_of:
        # The journal of the mock model holds the first bytes of each.
        heads = [base64.b64decode(found) for found in PLAYED.findall(text)]
        assert [struct.unpack("<2xHI", head[20:28]) for head in heads] == [(1, 16_000)] * 3
        assert all(0.9 < int.from_bytes(head[4:8], "little") / 32_000 < 1.2 for head in heads)


@pytest.mark.promise("model-hears")
async def test_every_format_of_recordings_becomes_wav(tmp_path: Path) -> None:
    for form in FORMS:
        file = tmp_path / form
        file.write_bytes(recording(form))
        channels, rate, seconds = played((await SoundConverter(MIB).wav(file, VOICE)).read_bytes())
        assert (channels, rate, 0.9 < seconds < 1.2) == (1, 16_000, True), form


@pytest.mark.promise("model-hears")
async def test_hostile_recordings_end_in_one_line_and_leave_nothing(tmp_path: Path) -> None:
    damaged, voice = phrase("recording-damaged"), recording("ogg", 4)
    for body, why in (
        (b"", damaged),
        (b"OggS" + bytes(range(256)) * 400, damaged),
        (b"\0\0\0\x20ftypM4A " + b"\xff" * 4000, damaged),
        (recording("m4a")[:9000], damaged),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", damaged),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", damaged),
        (b"RIFF" + b"\xff" * 4 + b"WAVEfmt " + b"\xff" * 4000, damaged),
        (recording("mp4", silent=True), phrase("no-words-heard")),
        (recording("flac", 40), texts.recording_too_long(1)),
    ):
        file = tmp_path / "file"
        file.write_bytes(body)
        converter = SoundConverter(MIB)
        for _ in range(2):
            with pytest.raises(NotConverted) as refused:
                await converter.wav(file, VOICE)
            assert str(refused.value) == why, body[:40]
        assert names(tmp_path) == ["file", "file.words"], "no sound, and nothing half made"
    file.write_bytes(voice[: len(voice) // 2])
    assert 0.5 < played((await SoundConverter(MIB).wav(file, VOICE)).read_bytes())[2] < 3, "of a part, what is there"


async def test_a_recording_whose_length_is_told_is_refused_before_anything_starts(tmp_path: Path) -> None:
    long = VOICE.model_copy(update={"duration_s": 601})
    with pytest.raises(NotConverted) as refused:
        await SoundConverter(20 * MIB).wav(tmp_path / "none", long)
    assert str(refused.value) == texts.recording_too_long(10)
    assert SoundConverter(20 * MIB).weight(long, 7) < 20 * MIB
    assert SoundConverter(20 * MIB).weight(MEMO.model_copy(update={"duration_s": None}), 7) == 7


async def test_a_recording_is_converted_once_and_its_sound_goes_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    file = folder / media_name(VOICE)
    file.write_bytes(recording("ogg"))
    sound = await SoundConverter(MIB).wav(file, VOICE)
    assert sound.name == file.name + SOUND
    sound.write_bytes(b"as it was")
    assert (await SoundConverter(MIB).wav(file, VOICE)).read_bytes() == b"as it was"
    sound.unlink()
    assert (await SoundConverter(MIB).wav(file, VOICE)).read_bytes().startswith(b"RIFF"), "it had gone from the cache"
    remove(tmp_path, (), [media_name(VOICE)])
    assert names(folder) == []


async def test_a_conversion_that_is_not_wanted_any_more_leaves_no_process(tmp_path: Path) -> None:
    file = tmp_path / "file"
    os.mkfifo(file)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(SoundConverter(MIB).wav(file, VOICE), name="reading")
        await until(partial(asyncio.to_thread, read_by_a_process, file))
        reading.cancel()
    assert reading.cancelled()
    assert not read_by_a_process(file)
    assert names(tmp_path) == ["file"]


@pytest.mark.promise("model-hears")
async def test_without_the_extra_the_user_reads_what_to_send_and_the_operator_once_what_to_install(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    budget = FileBudget(MIB)
    opens = Opens(lambda mime: mime in ("audio/wav", "audio/mpeg"), SoundConverter(MIB, installed=False))
    told: list[str] = []
    with caplog.at_level(logging.WARNING, "cohort.runtime"):
        for _ in range(2):
            async with budget.share(MIB) as share:
                files = ModelFiles(shelf, opens, budget, share)
                await user_turn([inbound(1, "", media=(VOICE, MEMO))], files)
            told += files.notices
    assert (
        told[:2]
        == told[2:]
        == [
            "This model can't listen to voice messages, so I skipped yours. Send it as MP3 or WAV.",
            "This model can't read M4A files, so I skipped yours. Send it as MP3 or WAV.",
        ]
    )
    assert [(record.message, record.missing) for record in caplog.records] == [("sound.not_converted", "cohort[voice]")]
    assert shelf.fetched == []


def test_the_two_sides_of_the_conversion_agree() -> None:
    assert tuple(program.EXITS[name] for name in ("read", "long", "silent")) == (
        sounds._READ,
        sounds._LONG,
        sounds._SILENT,
    )
    assert (sounds._HEADER, sounds._BYTES_A_SECOND) == (program.HEADER, program.BYTES_A_SECOND)
    assert program.__name__ == sounds._PROGRAM
