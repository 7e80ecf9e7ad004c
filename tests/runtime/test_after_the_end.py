"""What a stream leaves behind when its answer is whole: no generator, and no connection that still speaks."""

import asyncio
import sys
from typing import Any

import pytest

from tests.runtime.streams import DONE, chunk, said, sse
from tests.runtime.support import Configure, Open, Screen, ask, until
from tests.support.provider import MODELS, Provider
from tests.support.wire import ClientGone, HttpServer, Request


@pytest.mark.parametrize("provider", MODELS)
async def test_no_generator_of_a_stream_is_left_for_the_loop_to_close(
    runtime: Open, configure: Configure, provider: str
) -> None:
    """The loop makes a task for each, and wakes itself over a socket: five of a turn were a twentieth of its time."""
    left: list[str] = []
    hooks: Any = sys.get_asyncgen_hooks()

    def close(generator: Any) -> None:
        left.append(generator.ag_code.co_qualname)
        hooks.finalizer(generator)

    async with Provider([("text", "All "), ("text", "well.")]) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            sys.set_asyncgen_hooks(finalizer=close)
            try:
                for chat in range(2):
                    assert (await engine.run(ask(chat, "hello"), Screen())).text == "All well."
            finally:
                sys.set_asyncgen_hooks(*hooks)
    assert left == []


class GoesOn(HttpServer):
    """Writes ``after`` behind the end mark, for ever, or nothing, and never ends its body."""

    after = b""
    gone = 0

    async def handle(self, request: Request) -> None:
        await request.start(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await request.chunk(sse(*said("All ", "well."), chunk({}, "stop")) + DONE)
        try:
            while self.after:
                await request.chunk(self.after)
                await asyncio.sleep(0)
            await request.until(lambda: False)
        except ConnectionError:
            self.gone += 1
            raise ClientGone from None


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize(
    "after", [b"", b"data: {}\n\n", b"data: no\n\n", b": ping\n\n", sse(*said("more")), b"x" * 2**16]
)
async def test_what_comes_behind_the_end_mark_is_no_part_of_the_answer(
    runtime: Open, configure: Configure, after: bytes
) -> None:
    async with GoesOn() as server:
        server.after = after
        configure({"generic": {"api_key": "x", "base_url": f"{server.url}/v1"}})
        async with runtime(COHORT_MODEL="generic.mock") as engine:
            assert (await engine.run(ask(1, "hello"), Screen())).text == "All well."
            await until(lambda: server.gone == 1)
