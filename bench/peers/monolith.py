"""PTB's Application and one FastAgent in one process: a harness session for each chat, all in memory."""

from contextlib import AsyncExitStack
from typing import Any

from bench.peers.common import Show, fast_agent, keep, listen, serve

_stack = AsyncExitStack()
_harness: Any = None


async def begin() -> None:
    global _harness  # noqa: PLW0603 - as the tutorials have it
    _harness = await _stack.enter_async_context(fast_agent().harness())
    await _harness.sessions.create("first")
    keep()


async def turn(chat: int, text: str, show: Show) -> str:
    session = await _harness.sessions.get_or_create(str(chat))
    remove = listen(session.agent_app["assistant"], show)
    try:
        return await session.send(text)
    finally:
        remove()


if __name__ == "__main__":
    serve(turn, begin)
