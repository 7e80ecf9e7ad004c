"""One FastAgent for each chat, all entered in one process, each living in a task of its own."""

import asyncio
from typing import Any

from bench.peers.common import Show, fast_agent, listen, serve

_chats: dict[int, asyncio.Queue[Any]] = {}
_tasks: set[asyncio.Task[None]] = set()


async def _life(chat: int, asked: asyncio.Queue[Any]) -> None:
    async with fast_agent(f"chat-{chat}").run() as app:
        agent = app["assistant"]
        while True:
            text, show, answer = await asked.get()
            remove = listen(agent, show)
            try:
                answer.set_result(await agent.send(text))
            except Exception as problem:  # noqa: BLE001 - the asker's
                answer.set_exception(problem)
            finally:
                remove()


async def begin() -> None:
    """Nothing before the first message."""


async def turn(chat: int, text: str, show: Show) -> str:
    loop = asyncio.get_running_loop()
    if chat not in _chats:
        _chats[chat] = asyncio.Queue()
        _tasks.add(loop.create_task(_life(chat, _chats[chat])))
    answer: asyncio.Future[str] = loop.create_future()
    _chats[chat].put_nowait((text, show, answer))
    return await answer


if __name__ == "__main__":
    serve(turn, begin)
