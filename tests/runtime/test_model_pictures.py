"""Pictures that a model draws itself reach the chat as files, and the history as a line."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tasks.envelope import OutFile
from tests.runtime.streams import Plays, google, sse
from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask
from workers.outgoing import INLINE, MOST, read
from workers.runtime.files_out import NOT_SENT, FilesOut

SMALL = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
LARGE = b"\x89PNG\r\n\x1a\n" + b"\1" * INLINE


def drawn(body: bytes = SMALL, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(body).decode()}, **more}


def kept_in(home: Path, file: OutFile) -> bytes | None:
    return read(next(home.rglob(str(file.stored))).parent, file)


def speaks(server: Plays, configure: Configure) -> str:
    configure({"google": {"api_key": "secret-key", "base_url": server.url + "/v1beta"}})
    return PROVIDERS["google"][0]


@pytest.mark.promise("files-out")
async def test_a_picture_of_the_model_is_a_file_of_the_turn_and_a_line_of_the_history(
    runtime: Open, configure: Configure, tmp_path: Path
) -> None:
    said = {"text": "Here is "}, {"text": "your cat."}
    stream = sse(google(said[0], counted=False), google(drawn(LARGE), counted=False), google(said[1], finish="STOP"))
    async with (
        Plays(stream, sse(google({"text": "Yes."}, finish="STOP"))) as server,
        runtime(COHORT_MODEL=speaks(server, configure)) as engine,
    ):
        screen = Screen()
        result = await engine.run(ask(1, "draw a cat"), screen)
        after = await engine.run(ask(1, "is it a cat?", history=result.history), Screen())
    assert (result.text, after.text, result.notices) == ("Here is your cat.", "Yes.", ())
    (file,) = result.files
    assert (file.kind, file.name) == ("photo", "file-1.png")
    assert await asyncio.to_thread(kept_in, tmp_path, file) == LARGE
    assert "sent to the chat" not in json.dumps(screen.frames)
    sent = json.dumps(server.calls[1])
    assert "inlineData" not in sent
    assert "[sent to the chat: file-1.png]" in sent
    assert len(sent) < 20_000, "the picture's bytes are not sent back"


async def test_an_answer_that_is_a_picture_alone_has_something_to_read(runtime: Open, configure: Configure) -> None:
    async with (
        Plays(sse(google(drawn(), drawn(), finish="STOP"))) as server,
        runtime(COHORT_MODEL=speaks(server, configure)) as engine,
    ):
        result = await engine.run(ask(1, "draw"), Screen())
    assert (result.text, [file.name for file in result.files]) == ("🖼", ["file-1.png", "file-2.png"])


async def test_what_a_model_draws_while_it_thinks_is_not_sent(runtime: Open, configure: Configure) -> None:
    async with (
        Plays(sse(google(drawn(thought=True), {"text": "Done."}, finish="STOP"))) as server,
        runtime(COHORT_MODEL=speaks(server, configure)) as engine,
    ):
        result = await engine.run(ask(1, "draw"), Screen())
    assert (result.text, result.files) == ("Done.", ())


async def test_pictures_without_end_are_left_out_and_the_person_is_told(runtime: Open, configure: Configure) -> None:
    stream = sse(*(google(drawn(), counted=False) for _ in range(MOST + 2)), google({"text": "All."}, finish="STOP"))
    async with Plays(stream) as server, runtime(COHORT_MODEL=speaks(server, configure)) as engine:
        result = await engine.run(ask(1, "draw"), Screen())
    assert (result.text, len(result.files), len(result.notices)) == ("All.", MOST, 1)


def test_a_picture_that_cannot_be_kept_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = FilesOut(tmp_path / "file")
    assert [out.draw(body, "image/png") for body in (b"", LARGE)] == [NOT_SENT, NOT_SENT]
    assert (out.files, out.left_out) == ([], 2)
    assert out.undrawn(f"Look:\n\n{NOT_SENT}") == "Look:"


def test_a_line_like_ours_in_an_answer_without_pictures_stays(tmp_path: Path) -> None:
    assert FilesOut(tmp_path).undrawn("[sent to the chat: a.png]") == "[sent to the chat: a.png]"
