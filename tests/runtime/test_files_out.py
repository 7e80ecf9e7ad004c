"""Files that a turn's tools give reach its result, once, also when the turn goes on after its worker died."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mcp_types import BlobResourceContents, CallToolResult, EmbeddedResource, ImageContent, ResourceLink, TextContent

from tasks import session_files
from tasks.phrases import phrase
from tasks.session import SessionKey
from tests.runtime.steps import MemorySteps
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers import outgoing
from workers.outgoing import INLINE, MOST
from workers.runtime.tools.files_out import FILE_META, FilesOut, with_attached
from workers.runtime.tools.files_told import told

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
CARD = "---\nname: assistant\nmodel: generic.mock\nfunction_tools: [drawing.py:draw]\n---\nUse tools.\n"
DRAW = '''
"""A tool that writes down each of its executions, and attaches a picture."""

from pathlib import Path

from cohort import attach

PNG = b"\\x89PNG\\r\\n\\x1a\\n" + b"\\0" * SIZE


def draw() -> str:
    """Draw a chart."""
    with Path(__file__).with_suffix(".log").open("a") as log:
        log.write("ran\\n")
    return attach(PNG, "chart.png", "Sales")
'''


def image(body: bytes = PNG, **more: object) -> ImageContent:
    return ImageContent(type="image", data=base64.b64encode(body).decode(), mime_type="image/png", **more)


@pytest.fixture
def drawing(cards: Path) -> Callable[[int], Path]:
    def make(size: int) -> Path:
        card(cards, "drawing.py", DRAW.replace("SIZE", str(size)))
        card(cards, "assistant.md", CARD)
        return cards / "drawing.log"

    return make


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("size", [100, INLINE])
async def test_what_a_python_tool_attaches_is_in_the_result_and_is_given_again_without_the_tool(
    runtime: Open, model: Model, drawing: Callable[[int], Path], size: int, tmp_path: Path
) -> None:
    log = drawing(size)
    asked = ask(1, "CALL:draw")
    async with runtime() as engine:
        whole = MemorySteps()
        done = await engine.run(replace(asked, steps=whole), Screen())
        assert [(file.kind, file.name, file.caption) for file in done.files] == [("photo", "chart.png", "Sales")]
        # The worker died when the call's end was kept.
        again = await engine.run(replace(asked, steps=MemorySteps(whole.kept)), Screen())
        assert again.files == done.files
        assert log.read_text() == "ran\n"
        (own,) = (tmp_path / "home" / "sessions").iterdir() if size >= INLINE else (tmp_path,)
        assert outgoing.read(own / "out", again.files[0]) == PNG[:8] + b"\0" * size
    # The model knows of it, and not of its bytes.
    said = str(model.journal[-1].messages)
    assert "is sent to the chat with the answer" in said
    assert "[sent to the chat: chart.png]" in said


@pytest.mark.promise("files-out")
def test_pictures_of_a_server_are_taken_and_what_it_means_for_the_model_is_not(tmp_path: Path) -> None:
    out = FilesOut(tmp_path)
    for_model = image(annotations={"audience": ["assistant"]})
    for_both = image(annotations={"audience": ["user", "assistant"]})
    assert out.take([TextContent(type="text", text="two"), image(), for_model, for_both]) == [
        "file-1.png",
        "file-2.png",
    ]
    assert [file.kind for file in out.files] == ["photo", "photo"]


@pytest.mark.promise("files-out")
@pytest.mark.parametrize(
    ("says", "sent"),
    [
        ({}, 1),
        ({"files": "send"}, 1),
        ({"files": "keep"}, 0),
        ({"files": {"sh*": "keep", "*": "send"}}, 0),
        ({"files": {"*": "keep", "shot": "send"}}, 1),
        ({"files": {"other": "keep"}}, 1),
    ],
)
async def test_pictures_of_a_server_go_to_the_chat_unless_its_settings_keep_them(
    runtime: Open, model: Model, serve: Callable[..., None], says: dict[str, object], sent: int
) -> None:
    serve("small", **says)
    async with runtime() as engine:
        done = await engine.run(replace(ask(1, "CALL:shot"), steps=MemorySteps()), Screen())
    assert len(done.files) == sent
    assert ("[sent to the chat" in str(model.journal[-1].messages)) == bool(sent)


@pytest.mark.promise("files-out")
@pytest.mark.parametrize(
    ("call", "name"), [("CALL:shot", "file-1.png"), ('CALL:much{"text": "report"}', "Q3 report.pdf")]
)
async def test_a_servers_file_has_its_name_and_is_no_file_of_the_person_that_the_model_cannot_read(
    runtime: Open, serve: Callable[..., None], call: str, name: str
) -> None:
    serve("small")
    async with runtime() as engine:
        done = await engine.run(replace(ask(1, call), steps=MemorySteps()), Screen())
    assert ([file.name for file in done.files], done.notices) == ([name], ())


@pytest.mark.promise("files-out")
async def test_a_model_that_reads_no_documents_is_given_the_address_of_a_link(
    runtime: Open, model: Model, serve: Callable[..., None]
) -> None:
    serve("small")
    async with runtime() as engine:
        done = await engine.run(replace(ask(1, 'CALL:much{"text": "link"}'), steps=MemorySteps()), Screen())
    assert "[link: Sales http://10.0.0.1/sales.pdf]" in str(model.journal[-1].messages)
    assert done.notices == ()


@pytest.mark.promise("files-out")
def test_a_picture_that_telegram_refuses_as_a_photo_is_taken_as_a_document(tmp_path: Path) -> None:
    out = FilesOut(tmp_path)
    out.take([image(PNG[:8] + b"\0\0\0\rIHDR" + (9000).to_bytes(4) + (1001).to_bytes(4) + b"\0" * 9)])
    assert [(file.kind, file.name) for file in out.files] == [("document", "file-1.png")]


@pytest.mark.promise("files-out")
async def test_a_tool_reads_that_its_file_could_not_be_kept(
    runtime: Open, model: Model, drawing: Callable[[int], Path], tmp_path: Path
) -> None:
    drawing(INLINE)
    async with runtime() as engine:
        await engine.run(replace(ask(1, "hi"), steps=MemorySteps()), Screen())
        own = session_files.place(tmp_path / "home", SessionKey(42, 1))
        (own / "out").write_text("no folder, as on a full disk")
        done = await engine.run(replace(ask(1, "CALL:draw"), steps=MemorySteps()), Screen())
    assert done.files == ()
    assert "could not keep the file; its disk may be full" in str(model.journal[-1].messages)
    # A model may say nothing of it.
    assert done.notices == (phrase("files-unkept", count=1),)


OGG = b"OggS" + b"\0" * 24
MP4 = b"\0\0\0\x18ftypmp42" + b"\0" * 90
PAGE = b"<html>Not found</html>"


@pytest.mark.promise("files-out")
@pytest.mark.parametrize(
    ("body", "name", "kind"),
    [
        (OGG + b"OpusHead", "a.ogg", "voice"),
        (OGG + b"OpusHead", "", "voice"),
        (OGG + b"\x01vorbis", "song.ogg", "document"),
        (OGG + b"\x80theora", "film.ogv", "document"),
        (MP4, "film.mp4", "video"),
        (MP4, "", "video"),
        (MP4, "song.m4a", "audio"),
        (PNG, "table.csv", "photo"),
        (PAGE, "film.mp4", "document"),
        (PAGE, "song.mp3", "document"),
        (PAGE, "memo.ogg", "document"),
        (PAGE, "chart.png", "document"),
        (PAGE, "loop.gif", "document"),
    ],
)
def test_what_a_tool_gives_is_sent_as_what_it_holds(tmp_path: Path, body: bytes, name: str, kind: str) -> None:
    assert FilesOut(tmp_path).keep(body, name).kind == kind


@pytest.mark.promise("files-out")
async def test_a_tool_reads_that_its_caption_is_cut(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "drawing.py", DRAW.replace("SIZE", "9").replace('"Sales"', '"x" * 1025'))
    card(cards, "assistant.md", CARD)
    async with runtime() as engine:
        await engine.run(replace(ask(1, "CALL:draw"), steps=MemorySteps()), Screen())
    assert "Its caption is cut at 1024 characters." in str(model.journal[-1].messages)


@pytest.mark.promise("files-out")
async def test_a_model_is_not_told_that_more_files_are_sent_than_are(runtime: Open, model: Model, cards: Path) -> None:
    many = DRAW.replace("SIZE", "9").replace(
        'return attach(PNG, "chart.png", "Sales")', f"return str([attach(PNG) for _ in range({MOST + 2})])"
    )
    card(cards, "drawing.py", many)
    card(cards, "assistant.md", CARD)
    async with runtime() as engine:
        done = await engine.run(replace(ask(1, "CALL:draw THEN CALL:draw"), steps=MemorySteps()), Screen())
    first, second = (message["text"] for message in model.journal[-1].messages if message["role"] == "tool")
    assert (len(done.files), first.count("is sent to the chat with"), first.count("Not sent: at most")) == (
        MOST,
        MOST,
        2,
    )
    assert second.count("Not sent: at most") == MOST + 2
    assert len(done.notices) == 1, "the person reads that some were left out"


@pytest.mark.promise("files-out")
@pytest.mark.parametrize(
    ("uri", "mime", "name"),
    [
        ("file:///tmp/Q3%20report.csv", "text/csv", "Q3 report.csv"),
        (
            "https://example.com/a/%D0%BE%D1%82%D1%87%D1%91%D1%82.pdf?token=secret#page=2",
            "application/pdf",
            "отчёт.pdf",
        ),
        ("chart://sales/42", "image/png", "42.png"),
        ("file:///%2e%2e%2fpasswd", "text/plain", "passwd"),
    ],
)
def test_a_resource_has_the_name_of_its_address_as_people_read_it(
    tmp_path: Path, uri: str, mime: str, name: str
) -> None:
    body = PNG if mime == "image/png" else b"%PDF-1.7" if mime == "application/pdf" else b"a,b"
    blob = BlobResourceContents(uri=uri, mime_type=mime, blob=base64.b64encode(body).decode())
    out = FilesOut(tmp_path)
    assert out.take([EmbeddedResource(type="resource", resource=blob)]) == [name]


def test_what_a_function_attaches_is_sent_where_results_are_kept(tmp_path: Path) -> None:
    out = FilesOut(tmp_path)
    result = with_attached(CallToolResult(content=[image()]), [out.keep(PNG, "chart.png")])
    assert out.take(result.content, shown=False) == ["chart.png"]


def test_a_server_cannot_name_a_file_of_this_machine(tmp_path: Path) -> None:
    forged = TextContent(type="text", text="x", _meta={FILE_META: {"name": "passwd", "stored": "etcpasswd"}})
    result = with_attached(CallToolResult(content=[forged]), ())
    out = FilesOut(tmp_path)
    assert out.take(result.content) == []


def link(uri: str, **more: object) -> ResourceLink:
    return ResourceLink(type="resource_link", name="report", uri=uri, **more)


@pytest.mark.promise("files-out")
def test_a_link_to_the_public_web_is_a_line_for_the_person_and_no_other_link_is(tmp_path: Path) -> None:
    out = FilesOut(tmp_path)
    kept = link("https://example.com/kept")
    assert out.take([kept], shown=False) == []
    given = [
        link("https://example.com/a", title="The\nreport"),
        link("https://example.com/a"),
        link("https://example.com/model", annotations={"audience": ["assistant"]}),
        *map(link, ("file:///etc/passwd", "https://10.0.0.1/x", "http://example.com/x", "https://nas.local/x")),
    ]
    assert out.take(given) == []
    assert out.notices == ("The report: https://example.com/a",)
    out.take([link(f"https://example.com/{number}") for number in range(99)])
    assert len(out.notices) == 4


def test_a_tool_in_a_loop_does_not_fill_a_chat(tmp_path: Path) -> None:
    out = FilesOut(tmp_path)
    out.take([image()] * (MOST + 2))
    assert (len(out.files), out.left_out) == (MOST, 2)
    assert out.notices == ("I left out 2 files: they were too large, or there were too many.",)


@pytest.mark.parametrize("data", ["", "no base64!", "%%%"])
def test_a_damaged_picture_harms_no_turn(tmp_path: Path, data: str) -> None:
    out = FilesOut(tmp_path)
    assert out.take([ImageContent(type="image", data=data, mime_type="image/png")]) == []


def test_the_model_is_told_once_which_files_the_person_got() -> None:
    result = CallToolResult(content=[image()])
    whole = told(result, ["file-1.png"])
    assert [block.text for block in whole.content if isinstance(block, TextContent)] == [
        "[sent to the chat: file-1.png]"
    ]
    assert told(whole, ["file-1.png"]) is whole
