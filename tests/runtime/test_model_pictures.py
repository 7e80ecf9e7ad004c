"""Pictures that a model draws itself reach the chat as files, and the history as a line."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tasks.envelope import OutFile
from tests.runtime.streams import DONE, Plays, chunk, google, item, output_text, response, responses, said, sse, usage
from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask, card
from workers.outgoing import INLINE, MOST, read
from workers.runtime.streams.meter import Meter, allowance, longest
from workers.runtime.streams.reading import wire
from workers.runtime.tools.files_out import NOT_SENT, FilesOut

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


OPENAI = {"responses": "responses.gpt-5-mini", "chat": "openai.gpt-4.1-mini", "openrouter's way": "generic.mock"}
HEX = base64.b64encode(LARGE).decode()
FINE = "https://pictures.example.com/cat.png"
HOSTILE: tuple[Any, ...] = ("%%%", "A", "====", "é" * 9, "<svg/>" * 2)
"""No Base64."""


def image_call(result: Any, ident: str = "ig_1") -> dict[str, Any]:
    return {"type": "image_generation_call", "id": ident, "status": "completed", "result": result}


def drawn_by_responses(*results: Any, text: str = "") -> bytes:
    """As OpenAI sends it: the picture while it is drawn, when it is done, and once more with the whole response."""
    calls = [image_call(result, f"ig_{number}") for number, result in enumerate(results)]
    events: list[Any] = [{"type": "response.created", "response": response("in_progress")}]
    for place, call in enumerate(calls):
        begun = {**call, "result": None, "status": "in_progress"}
        part = {"item_id": call["id"], "output_index": place, "partial_image_index": 0, "partial_image_b64": HEX}
        events.append({"type": "response.output_item.added", "output_index": place, "item": begun})
        events.append({"type": "response.image_generation_call.partial_image", **part})
        events.append(
            {"type": "response.image_generation_call.completed", "item_id": call["id"], "output_index": place}
        )
        events.append({"type": "response.output_item.done", "output_index": place, "item": call})
    items = [item(output_text(text))] if text else []
    events.append({"type": "response.completed", "response": response("completed", *calls, *items)})
    return sse(*({**event, "sequence_number": number} for number, event in enumerate(events)))


def drawn_by_chat(*results: Any, text: str = "", beside: Any = None) -> bytes:
    images = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{one}"}} for one in results]
    picture = chunk({"content": "", "images": images if beside is None else beside})
    return sse(*said(*([text] if text else [])), picture, chunk({}, "stop"), usage()) + DONE


def played(kind: str, *results: Any, text: str = "") -> bytes:
    return (drawn_by_responses if kind == "responses" else drawn_by_chat)(*results, text=text)


def openai(server: Plays, configure: Configure, kind: str) -> str:
    reached = {"api_key": "secret-key", "base_url": server.url + "/v1"}
    configure(
        {
            "generic" if kind.startswith("openrouter") else "openai": reached,
            "responses": {**reached, "transport": "sse"},
        }
    )
    return OPENAI[kind]


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("kind", OPENAI)
async def test_a_picture_of_openais_models_is_a_file_of_the_turn_and_a_line_of_the_history(
    runtime: Open, configure: Configure, tmp_path: Path, kind: str
) -> None:
    after = (
        played(kind, text="Yes.")
        if kind != "responses"
        else responses("completed", response("completed", item(output_text("Yes."))), text="Yes.")
    )
    async with (
        Plays(played(kind, HEX, text="Your cat."), after) as server,
        runtime(COHORT_MODEL=openai(server, configure, kind)) as engine,
    ):
        screen = Screen()
        result = await engine.run(ask(1, "draw a cat"), screen)
        again = await engine.run(ask(1, "is it a cat?", history=result.history), Screen())
    assert (result.text, again.text, result.notices) == ("Your cat.", "Yes.", ())
    (file,) = result.files
    assert (file.kind, file.name) == ("photo", "file-1.png")
    assert await asyncio.to_thread(kept_in, tmp_path, file) == LARGE
    assert "sent to the chat" not in json.dumps(screen.frames)
    sent = json.dumps(server.calls[1])
    assert "[sent to the chat: file-1.png]" in sent
    assert len(sent) < 20_000, "the picture's bytes are not sent back"


WANTED = {"responses": {"tools": [{"type": "image_generation"}]}, "openrouter's way": {"modalities": ["image", "text"]}}


@pytest.mark.parametrize("kind", WANTED)
async def test_a_card_asks_for_pictures_as_the_documents_say(
    runtime: Open, configure: Configure, cards: Path, kind: str
) -> None:
    async with Plays(played(kind, HEX)) as server:
        model = openai(server, configure, kind)
        given = f"request_params: {{metadata: {json.dumps(WANTED[kind])}}}"
        card(cards, "assistant.md", f"---\nname: draws\ndefault: true\nmodel: {model}\n{given}\n---\nYou draw.\n")
        async with runtime() as engine:
            result = await engine.run(ask(1, "draw"), Screen())
    assert (result.text, len(result.files)) == ("🖼", 1)
    assert WANTED[kind].items() <= server.calls[0].items()


async def test_pictures_in_a_row_do_not_end_a_stream_as_one_without_words() -> None:
    meter = Meter(allowance())

    async def three() -> AsyncGenerator[bytes]:
        for _ in range(3):
            yield b"data: " + b"A" * (longest() - 100)
            yield b"\n\n"
            meter.pictures += 1

    assert sum([len(piece) async for piece in wire(three(), meter)]) > 2 * longest()


@pytest.mark.parametrize("kind", OPENAI)
async def test_an_answer_of_openais_that_is_a_picture_alone_has_something_to_read(
    runtime: Open, configure: Configure, kind: str
) -> None:
    async with (
        Plays(played(kind, HEX, HEX[:-8] + "AAAAAAAA")) as server,
        runtime(COHORT_MODEL=openai(server, configure, kind)) as engine,
    ):
        result = await engine.run(ask(1, "draw"), Screen())
    assert (result.text, [file.name for file in result.files]) == ("🖼", ["file-1.png", "file-2.png"])
    assert len(server.calls) == 1


@pytest.mark.parametrize("kind", ["responses", "openrouter's way"])
async def test_what_is_no_picture_is_left_out_and_the_person_is_told(
    runtime: Open, configure: Configure, kind: str
) -> None:
    async with (
        Plays(played(kind, *HOSTILE, text="Look.")) as server,
        runtime(COHORT_MODEL=openai(server, configure, kind)) as engine,
    ):
        result = await engine.run(ask(1, "draw"), Screen())
    assert (result.text, result.files, len(result.notices)) == ("Look.", (), 1)


@pytest.mark.parametrize("kind", ["responses", "openrouter's way"])
async def test_a_server_that_has_no_picture_where_one_stands_does_no_harm(
    runtime: Open, configure: Configure, kind: str
) -> None:
    junk: tuple[Any, ...] = (None, 7, {"a": 1}, [], [7, None, {}, [], {"image_url": {"url": 7}}], True, "")
    streams = [drawn_by_chat(text="Look.", beside=one) for one in junk]
    if kind == "responses":
        # Of other kinds OpenAI's client itself warns.
        streams = [drawn_by_responses(None, "", text="Look.")]
    async with Plays(*streams) as server, runtime(COHORT_MODEL=openai(server, configure, kind)) as engine:
        for _ in streams:
            done = await engine.run(ask(1, "draw"), Screen())
            assert (done.text, done.files) == ("Look.", ())


async def test_addresses_beside_an_answer_are_its_pictures_where_telegram_may_fetch_them(
    runtime: Open, configure: Configure
) -> None:
    private = ("http://127.0.0.1/a.png", "https://10.0.0.1/a.png", "file:///etc/passwd", f"{FINE})[x](y", f"{FINE} x")
    beside = [
        *({"image_url": {"url": one}} for one in (FINE, FINE, *private)),
        {"image_url": FINE + "?2"},
        7,
        {},
        [FINE],
    ]
    async with (
        Plays(drawn_by_chat(text="Look.", beside=beside)) as server,
        runtime(COHORT_MODEL=openai(server, configure, "openrouter's way")) as engine,
    ):
        done = await engine.run(ask(1, "draw"), Screen())
    assert done.text == f"Look.\n\n![picture]({FINE})\n![picture]({FINE}?2)"


async def test_pictures_of_an_answer_that_does_not_come_as_a_stream_are_sent(
    runtime: Open, configure: Configure
) -> None:
    message = {"role": "assistant", "content": None, "images": [{"image_url": {"url": f"data:image/png;base64,{HEX}"}}]}
    whole = {
        **chunk({}),
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    async with (
        Plays(json.dumps(whole).encode(), kind="application/json") as server,
        runtime(COHORT_MODEL=openai(server, configure, "openrouter's way")) as engine,
    ):
        done = await engine.run(ask(1, "draw"), Screen())
    assert (done.text, [file.name for file in done.files]) == ("🖼", ["file-1.png"])
    assert len(done.history or b"") < len(HEX) // 10


def test_a_picture_that_cannot_be_kept_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = FilesOut(tmp_path / "file")
    assert [out.draw(body, "image/png") for body in (b"", LARGE)] == [NOT_SENT, NOT_SENT]
    assert out.files == []
    assert out.notices == (
        "I left out a file: it was too large, or there were too many.",
        "I had no room to keep a file, so it isn't here. Please ask again later.",
    )
    assert out.undrawn(f"Look:\n\n{NOT_SENT}") == "Look:"


def test_a_line_like_ours_in_an_answer_without_pictures_stays(tmp_path: Path) -> None:
    assert FilesOut(tmp_path).undrawn("[sent to the chat: a.png]") == "[sent to the chat: a.png]"
