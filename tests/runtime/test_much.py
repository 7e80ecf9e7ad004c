"""Much that is no answer: streams without a word of the model, refusals and tools' results without end."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import repeat

import pytest
from fast_agent.types import PromptMessageExtended
from mcp_types import CallToolResult, ImageContent

from tests.runtime.support import Configure, Open, Screen, ask
from tests.support.model import Model
from tests.support.provider import MODELS, PATHS
from tests.support.wire import HttpServer, Request
from workers.interfaces import TurnFailed
from workers.runtime.call_log import CallLog, call_log_of_turn
from workers.runtime.streams import reading
from workers.runtime.streams.meter import AnswerCut, Meter, allowance, longest
from workers.runtime.tools import results as tool_results


async def _body(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.promise("answer-bounded")
@pytest.mark.parametrize("line", [b": still there\n\n", b"data: x\n", b"data: {}\n\n", b"<p>\n"])
async def test_a_stream_without_a_word_of_the_model_is_ended(line: bytes) -> None:
    pieces, came = 3 * longest() // 2**20, 0
    stream = reading.wire(_body(*[line * (2**20 // len(line))] * pieces), Meter(allowance(10)))
    with suppress(AnswerCut):
        async for piece in stream:
            came += len(piece)
    assert came < 2.5 * longest(), "it was ended"


async def test_words_of_the_model_between_them_keep_a_stream_open() -> None:
    meter, came = Meter(allowance()), 0
    async for piece in reading.wire(_body(*[b": \n" * (2**20 // 3)] * (3 * longest() // 2**20)), meter):
        came += len(piece)
        meter.text("x")
    assert came > 2.5 * longest()


async def test_a_compressed_piece_that_grows_is_read_a_little_at_a_time() -> None:
    lengths = [len(piece) async for piece in reading.wire(_body(b"\n" * 10_000_000), Meter(allowance(10)))]
    assert sum(lengths) == 10_000_000
    assert max(lengths) <= 2**14


async def test_a_byte_order_mark_before_a_stream_is_none_of_its_text() -> None:
    assert [piece async for piece in reading.wire(_body(b"\xef\xbb", b"\xbfdata: x\n\n"))] == [
        b"",
        b"data: x\n\n",
    ]


@pytest.mark.parametrize("provider", ["generic", "openai", "anthropic"])
async def test_a_refusal_without_end_is_read_as_far_as_an_answer_may_be(
    runtime: Open, configure: Configure, provider: str
) -> None:
    class Refusing(HttpServer):
        left = False

        async def handle(self, request: Request) -> None:
            await request.start(400, {"content-type": "text/plain", "transfer-encoding": "chunked"})
            try:
                for piece in repeat(b"no" * 30_000):
                    await request.chunk(piece)
            except ConnectionError:
                self.left = True
                raise

    async with Refusing() as served:
        configure({provider: {"api_key": "x", "base_url": served.url + PATHS[provider]}})
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            with pytest.raises(TurnFailed) as failure:
                await engine.run(ask(1, "hello"), Screen())
    assert failure.value.action == "tell"
    assert served.left


def test_a_tool_s_name_and_number_without_end_are_counted() -> None:
    for part in ({"function": {"name": "n" * 900}}, {"id": "n" * 900}):
        meter = Meter(allowance(2_000))
        for _ in range(3):
            meter.take({"choices": [{"delta": {"tool_calls": [{"index": 0, **part}]}}]})
        assert meter.over


@pytest.mark.parametrize(("index", "kept"), [("0", 1), ("255", 1), ("256", 0), (-1, 1), ([], 1), (None, 1)])
def test_an_index_of_a_tool_call_may_be_a_text_or_none(index: object, kept: int) -> None:
    event = {"choices": [{"delta": {"tool_calls": [{"index": index, "function": {"arguments": "{}"}}]}}]}
    assert Meter(allowance()).take(event)
    assert len(event["choices"][0]["delta"]["tool_calls"]) == kept


@pytest.mark.parametrize("of", ["resource", "blocks", "structured"])
async def test_a_tool_s_result_without_end_is_cut_in_every_form(
    runtime: Open, serve: Callable[..., None], model: Model, of: str
) -> None:
    serve("small")
    async with runtime(COHORT_ANSWER_MAX="20000") as engine:
        result = await engine.run(ask(1, f'CALL:much{{"text": "{of}"}}'), Screen())
    assert "tool=" in result.text
    assert len(result.history) < 2_000, "what is kept of it is short, too"
    assert max(len(said["text"]) for entry in model.journal for said in entry.messages) < 30_000


async def test_files_of_a_tool_that_are_too_large_are_left_out_and_named(
    runtime: Open, serve: Callable[..., None]
) -> None:
    serve("small")
    async with runtime() as engine:
        result = await engine.run(ask(1, 'CALL:much{"text": "files"}'), Screen())
    assert tool_results.LEFT_OUT.format(7) in result.text


def test_files_of_all_rounds_of_a_turn_have_one_allowance() -> None:
    picture = ImageContent(type="image", data="x" * (9 * 2**20), mime_type="image/png")
    token = call_log_of_turn.set(CallLog())
    try:
        given = [
            tool_results.passed_on(
                PromptMessageExtended(role="user", tool_results={"1": CallToolResult(content=[picture])})
            )
            for _ in range(3)
        ]
    finally:
        call_log_of_turn.reset(token)
    kinds = [block.type for message in given for result in message.tool_results.values() for block in result.content]
    assert kinds == ["image", "image", "text"]


async def test_what_a_server_prints_among_its_messages_is_logged_once_and_without_its_words(
    runtime: Open, serve: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    serve("small")
    async with runtime() as engine:
        result = await engine.run(ask(1, "CALL:chatter{}"), Screen())
    assert "tool=done" in result.text
    told = [record for record in caplog.records if record.getMessage() == "server.wrote_no_message"]
    assert len(told) <= 1
    assert "secret" not in caplog.text
    assert len(caplog.records) < 20
