"""A process with its own FastAgent for each chat, started by its first message; the parent speaks to Telegram."""

import asyncio
import json
import sys
from contextlib import suppress

from bench.peers.common import Show, fast_agent, listen, serve

_chats: dict[int, asyncio.subprocess.Process] = {}


async def begin() -> None:
    """Nothing before the first message."""


async def turn(chat: int, text: str, show: Show) -> str:
    child = _chats.get(chat)
    if child is None:
        child = _chats[chat] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.peers.per_chat", "child",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
        )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(text).encode() + b"\n")
    while line := await child.stdout.readline():
        with suppress(ValueError):
            said = json.loads(line)
            if "done" in said:
                return said["done"]
            show(said["so_far"])
    raise RuntimeError("the chat's process has ended")


async def _child() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    def say(**what: str) -> None:
        print(json.dumps(what), flush=True)

    async with fast_agent().run() as app:
        agent = app["assistant"]
        while line := await reader.readline():
            remove = listen(agent, lambda text: say(so_far=text))
            answer = await agent.send(json.loads(line))
            remove()
            say(done=answer)


if __name__ == "__main__":
    asyncio.run(_child()) if sys.argv[1:] == ["child"] else serve(turn, begin)
