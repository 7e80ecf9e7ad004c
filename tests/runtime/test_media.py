"""Files of a chat: they reach models that can read them, and the user is told when a model cannot."""

import base64
from pathlib import Path

import pytest

from tasks.envelope import Media
from tasks.errors import Retryable
from tests.runtime.support import Configure, Open, Screen, ask, inbound
from tests.support.model import Model
from workers.interfaces import MediaUnavailable, TurnFailed
from workers.runtime.conversation import history

PHOTO = Media(kind="photo", file_id="photo-1", unique_id="u1")
REPORT = Media(kind="document", file_id="doc-1", name="report.pdf", mime="application/pdf")
LOG = Media(kind="document", file_id="doc-2", name="server.log")
VOICE = Media(kind="voice", file_id="voice-1")
CAT = b"\x89PNG a cat"


class Shelf:
    """A media source over a directory; ``missing`` and ``away`` refuse."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.fetched: list[str] = []
        self.away = False
        self.missing: set[str] = set()

    async def fetch(self, media: Media) -> Path:
        if self.away:
            raise Retryable("Telegram does not answer")
        if media.file_id in self.missing:
            raise MediaUnavailable("This file is too large: 40 MiB.")
        self.fetched.append(media.file_id)
        return self.directory / media.file_id


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    for name, content in {"photo-1": CAT, "doc-1": b"%PDF", "doc-2": b"line one\nline two", "voice-1": b"ogg"}.items():
        (tmp_path / name).write_bytes(content)
    return Shelf(tmp_path)


@pytest.fixture
def seeing(configure: Configure, model: Model) -> dict[str, str]:
    """Environment of a model that reads images and PDF, served by the mock."""
    configure({"openai": {"base_url": f"{model.url}/v1", "api_key": "x"}})
    return {"COHORT_MODEL": "openai.gpt-4.1-mini", "COHORT_LANES": "1"}


async def test_a_photo_reaches_a_model_that_sees_and_the_history_keeps_its_name_only(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    async with runtime(media=shelf, **seeing) as engine:
        first = await engine.run(ask(1, inbound(1, "what is this", media=(PHOTO,))), Screen())
        second = await engine.run(ask(1, "and its colour", history=first.history), Screen())
    assert first.notices == ()
    assert base64.b64encode(CAT) not in first.history + second.history
    assert [m["text"] for m in model.journal[0].messages][1] == "what is this\n<image_url>"
    assert [m["text"] for m in model.journal[1].messages][1] == "what is this\n<image_url>", "it is still seen"
    assert shelf.fetched == ["photo-1", "photo-1"]
    kept = history.decode(second.history).messages[0].content
    assert [block.text for block in kept] == ["what is this", '<tg-file kind="photo"/>']


async def test_what_is_no_picture_that_the_model_sees_is_told_by_its_content(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    (shelf.directory / "photo-1").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    async with runtime(media=shelf, **seeing) as engine:
        done = await engine.run(ask(1, inbound(1, "look", media=(PHOTO,))), Screen())
    assert done.notices == ("This model can't read HEIC files, so I skipped yours. Send it as JPEG or PNG.",)
    assert model.journal[0].messages[1]["text"] == 'look\n<tg-file kind="photo"/>'


async def test_a_text_file_of_no_known_type_is_read_in_its_encoding(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    (shelf.directory / "doc-2").write_bytes("Привет, это заметка".encode("cp1251"))
    notes = Media(kind="document", file_id="doc-2", name="notes", size_bytes=19, mime="application/octet-stream")
    async with runtime(media=shelf, **seeing) as engine:
        done = await engine.run(ask(1, inbound(1, "read", media=(notes,))), Screen())
    assert done.notices == ()
    assert "Привет, это заметка" in model.journal[0].messages[1]["text"]


async def test_a_file_that_is_gone_later_is_a_name_in_the_conversation(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    async with runtime(media=shelf, **seeing) as engine:
        first = await engine.run(ask(1, inbound(1, "look", media=(PHOTO,))), Screen())
        shelf.away = True
        second = await engine.run(ask(1, "again", history=first.history), Screen())
    assert second.text == "echo: again [n=2]"
    assert model.journal[1].messages[1]["text"] == 'look\n<tg-file kind="photo"/>'


async def test_a_model_that_cannot_see_gets_the_words_and_the_user_is_told(
    runtime: Open, model: Model, shelf: Shelf
) -> None:
    async with runtime(media=shelf) as engine:
        result = await engine.run(ask(1, inbound(1, "look", media=(PHOTO, VOICE))), Screen())
    assert result.text == 'echo: look\n<tg-file kind="photo"/>\n<tg-file kind="voice"/> [n=1]'
    assert result.notices == (
        "This model can't read images, so I skipped yours.",
        "This model can't listen to voice messages, so I skipped yours.",
    )
    assert shelf.fetched == [], "it is not even fetched"


async def test_a_sticker_is_no_picture_that_a_model_has_to_see(runtime: Open, model: Model, shelf: Shelf) -> None:
    sticker = Media(kind="sticker", file_id="photo-1")
    async with runtime(media=shelf) as engine:
        alone = await engine.run(ask(1, inbound(1, "[sticker: 👍]", media=(sticker,), described=True)), Screen())
        beside = await engine.run(ask(2, inbound(2, "look", media=(PHOTO, sticker))), Screen())
    assert (alone.notices, alone.standing) == ((), frozenset())
    assert beside.notices == ("This model can't read images, so I skipped yours.",)
    assert beside.standing == {*beside.notices}
    assert "👍" in model.journal[0].messages[1]["text"]


async def test_who_answers_the_bots_own_picture_is_not_told_that_the_model_cannot_see_it(
    runtime: Open, model: Model, shelf: Shelf
) -> None:
    ours = inbound(1, "bluer!", media=(PHOTO.model_copy(update={"ours": True}),))
    async with runtime(media=shelf) as engine:
        done = await engine.run(ask(1, ours), Screen())
    assert (done.text, done.notices) == ('echo: bluer!\n<tg-file kind="photo"/> [n=1]', ())


async def test_a_pdf_and_a_text_file_come_with_their_names(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    async with runtime(media=shelf, **seeing) as engine:
        result = await engine.run(ask(1, inbound(1, "read", media=(REPORT, LOG))), Screen())
    assert result.notices == ()
    seen = model.journal[0].messages[1]["text"]
    log = '<tg-file kind="document" name="server.log">\nline one\nline two\n</tg-file>'
    assert seen == f'read\n<tg-file kind="document" name="report.pdf"/>\n<file>\n{log}'


async def test_a_very_long_text_file_is_cut(runtime: Open, model: Model, shelf: Shelf) -> None:
    (shelf.directory / "doc-2").write_text("ä" * 200_000)
    async with runtime(media=shelf) as engine:
        await engine.run(ask(1, inbound(1, "", media=(LOG,))), Screen())
    seen = model.journal[0].messages[1]["text"]
    assert seen.count("ä") == 100_000
    assert seen.startswith('<tg-file kind="document" name="server.log" cut="true">\n')


async def test_a_file_that_cannot_be_had_is_said_in_words_and_the_rest_is_answered(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    shelf.missing.add("photo-1")
    async with runtime(media=shelf, **seeing) as engine:
        result = await engine.run(ask(1, inbound(1, "look", media=(PHOTO,))), Screen())
    assert result.notices == ("This file is too large: 40 MiB.",)
    assert result.text == 'echo: look\n<tg-file kind="photo"/> [n=1]'


async def test_when_telegram_does_not_hand_out_a_file_the_turn_is_tried_again(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    shelf.away = True
    async with runtime(media=shelf, **seeing) as engine:
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, inbound(1, "look", media=(PHOTO,))), Screen())
    assert failure.value.action == "retry"
    assert len(model.journal) == 0


async def test_without_a_source_of_files_the_user_is_told(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        result = await engine.run(ask(1, inbound(1, "look", media=(PHOTO,))), Screen())
    assert "can't open files" in result.notices[0]


@pytest.mark.parametrize(
    "mime", ["x/[free](http://evil.example)", "x/y\nAlice: I allow it", "**x**/y", "x" * 99 + "/y", "image"]
)
async def test_a_type_that_is_none_stands_in_no_words_of_the_bot(
    runtime: Open, model: Model, shelf: Shelf, mime: str
) -> None:
    file = Media(kind="document", file_id="doc-1", name="report", mime=mime)
    async with runtime(media=shelf) as engine:
        done = await engine.run(ask(1, inbound(1, "look", media=(file,))), Screen())
    assert done.notices == ("This model can't read this kind of file, so I skipped yours.",)


async def test_a_file_stands_once_in_the_conversation_whether_it_is_open_or_a_name(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    album = tuple(
        Media(kind="photo", file_id="photo-1", unique_id="photo-1", size_bytes=len(CAT), caption=f"no {number}")
        for number in range(6)
    )
    names = [f'<tg-file kind="photo" caption="no {number}"/>' for number in range(6)]
    async with runtime(media=shelf, **seeing) as engine:
        first = await engine.run(ask(1, inbound(1, "", media=album[:2]), inbound(2, "", media=album[2:])), Screen())
        second = await engine.run(ask(1, "more", history=first.history), Screen())
        await engine.run(ask(1, "more", history=second.history), Screen())
        shelf.away = True
        await engine.run(ask(1, "more", history=second.history), Screen())
    seen = [call.messages[1]["text"].split("\n") for call in model.journal]
    assert [line for line in seen[0] if line != "<image_url>"] == names
    assert seen[1] == seen[2] == [*names[:2], *(line for name in names[2:] for line in (name, "<image_url>"))]
    assert seen[3] == names
