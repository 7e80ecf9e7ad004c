"""The supervisor's door for other ``cohort`` commands: a line of JSON in, one out, on 127.0.0.1, with a password."""

import asyncio
import hmac
import json
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from ops.home import Running
from tasks.errors import Misconfigured

HOST = "127.0.0.1"
_LIMIT = 64 * 1024

type Action = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@asynccontextmanager
async def door(actions: Mapping[str, Action]) -> AsyncGenerator[tuple[int, str]]:
    """Open while inside; gives its port and password. A deed that raises ``Misconfigured`` answers with its message."""
    secret = secrets.token_urlsafe(24)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(10):
                answer = _answer(await reader.readline(), secret, actions)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0, limit=_LIMIT)
    async with server:
        yield int(server.sockets[0].getsockname()[1]), secret


def _answer(line: bytes, secret: str, actions: Mapping[str, Action]) -> Mapping[str, Any]:
    try:
        asked = json.loads(line)
        if not hmac.compare_digest(str(asked["secret"]), secret):
            return {"error": "wrong password"}
        return actions[asked["do"]](asked)
    except Misconfigured as problem:
        return {"error": str(problem)}
    except (ValueError, KeyError, TypeError):
        return {"error": "this supervisor does not know that request; is it of another release?"}


async def ask(running: Running, do: str, **about: Any) -> dict[str, Any]:
    """Have the running supervisor do something.

    Raises:
        Misconfigured: it refuses, or does not answer.
    """
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(HOST, running.control, limit=_LIMIT)
            writer.write(json.dumps({"secret": running.secret, "do": do, **about}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await reader.readline())
            writer.close()
    except (OSError, ValueError, TimeoutError) as problem:
        raise Misconfigured("the running `cohort up` does not answer") from problem
    if "error" in answer:
        raise Misconfigured(str(answer["error"]))
    return answer
