"""What comes without a stream of events: whole bodies and web sockets are counted and cleaned, too."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType
from fast_agent.llm.provider.openai.responses_websocket import WebSocketResponsesStream

from tests.runtime.support import Configure, Open, Screen, ask
from tests.support.wire import HttpServer, Request
from workers.runtime.patches import patch
from workers.runtime.streams.meter import AnswerCut, Meter, allowance, metering

MOST = 20_000


class Whole(HttpServer):
    """An OpenAI-like server that never streams, and says this."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.asked = 0

    async def handle(self, request: Request) -> None:
        self.asked += 1
        message = {"role": "assistant", "content": self.text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        head = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
        await request.respond({**head, "choices": [choice], "usage": usage})


@pytest.mark.promise("answer-bounded")
@pytest.mark.parametrize("provider", ["generic.mock", "openai.gpt-4.1-mini"])
@pytest.mark.parametrize("length", [MOST + 1, 3_000_000, 30_000_000])
async def test_a_body_that_comes_whole_is_cut_as_a_stream_is(
    runtime: Open, configure: Configure, provider: str, length: int
) -> None:
    async with Whole("y" * length) as served:
        configure({provider.split(".", maxsplit=1)[0]: {"api_key": "x", "base_url": f"{served.url}/v1"}})
        async with runtime(COHORT_MODEL=provider, COHORT_ANSWER_MAX=str(MOST)) as engine:
            result = await engine.run(ask(1, "hello"), Screen())
    assert (result.text, result.cut) == ("y" * MOST, True)
    assert served.asked == 2, "once for a stream, once for the whole"


async def test_half_a_surrogate_pair_in_a_whole_body_fails_nothing(runtime: Open, configure: Configure) -> None:
    async with Whole("a\ud83d \0 b \ud83d\ude00") as served:
        configure({"generic": {"api_key": "x", "base_url": f"{served.url}/v1"}})
        async with runtime() as engine:
            result = await engine.run(ask(1, "hello"), Screen())
    assert result.text == "a\ufffd \ufffd b \N{GRINNING FACE}"


class Socket:
    """A web socket that says this."""

    close_code = None

    def __init__(self, *payloads: dict[str, Any]) -> None:
        self._payloads = list(payloads)

    async def receive(self, timeout: float | None = None) -> WSMessage:  # noqa: ASYNC109 - aiohttp's
        return WSMessage(WSMsgType.TEXT, json.dumps(self._payloads.pop(0)), None)


def said(stream: Any) -> AsyncIterator[Any]:
    return aiter(stream)


async def test_a_web_socket_s_messages_are_counted_cleaned_and_ended() -> None:
    patch.apply()
    piece = {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0}
    socket = Socket({**piece, "delta": "a\ud83d"}, {**piece, "delta": "b" * 30}, {**piece, "delta": "c"})
    meter = Meter(allowance(10))
    token = metering.set(meter)
    try:
        stream: Any = WebSocketResponsesStream(socket)  # pyright: ignore[reportArgumentType]
        events = said(stream)
        assert (await anext(events)).delta == "a\ufffd"
        assert (await anext(events)).delta == "b" * 8
        with pytest.raises(AnswerCut):
            await anext(events)
    finally:
        metering.reset(token)
    assert "".join(meter.said) == "a\ufffd" + "b" * 8
