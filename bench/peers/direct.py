"""The limit: fast-agent called in one process, a session with its history for each chat; no Telegram, no queue.

Prints one line of JSON: ``seconds`` of each turn, and ``elapsed`` from the first turn's start to the last one's
end, ``cpu``: processor seconds in that time.
"""

import argparse
import asyncio
import json
import random
import time

from bench.peers.common import fast_agent, keep, listen
from tasks.clock import SystemClock


async def main(  # noqa: PLR0913 - one for each option of the command
    *, chats: int, turns: int, text: str, spread: float, at_once: int, seed: int
) -> None:
    clock, chance = SystemClock(), random.Random(seed)
    seconds: list[float] = []
    room = asyncio.Semaphore(at_once or chats)
    async with fast_agent().harness() as harness:
        sessions = [await harness.sessions.create(str(number)) for number in range(chats)]
        keep()
        await sessions[0].send("warm")
        await sessions[0].clear()

        async def chat(session: object, offset: float) -> None:
            await asyncio.sleep(offset)
            for _ in range(turns):
                async with room:
                    began = clock.monotonic()
                    remove = listen(session.agent_app["assistant"], lambda _: None)
                    await session.send(text)
                    remove()
                    seconds.append(clock.monotonic() - began)

        began, cpu = clock.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for number, session in enumerate(sessions):
                group.create_task(chat(session, chance.uniform(0, spread)), name=f"chat {number}")
        elapsed, cpu = clock.monotonic() - began, time.process_time() - cpu
        print(json.dumps({"seconds": seconds, "elapsed": elapsed, "cpu": cpu}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=10)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--text", default="hello")
    parser.add_argument("--spread", type=float, default=0.0)
    parser.add_argument("--at-once", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(main(**vars(parser.parse_args())))
