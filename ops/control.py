"""The supervisor's control server, through which other ``cohort`` commands reach it: 127.0.0.1, with a password.

One connection carries one request and one answer, each a line of JSON:

    {"secret": "<password>", "do": "scale", "count": 3}   -> {"changed": ["worker-3"], "workers": 3}
    {"secret": "<password>", "do": "drain", "worker": "worker-2"}   -> {"drained": "worker-2"} or {"drained": null}
    {"secret": "<password>", "do": "restart", "worker": "worker-2"}   -> {"restarts": "worker-2"} or {"restarts": null}
    {"secret": "<password>", "do": "restart own", "worker": "own-2"}   -> {"ends": ["own-2"]}; without "worker" all
    {"secret": "<password>", "do": "processes"}
        -> {"processes": [{"name", "pid", "incarnation", "lives", "leaving", "worker", "own"}]}

A request that fails is answered with ``{"error": "<one sentence>"}``.
"""

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

type ControlAction = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@asynccontextmanager
async def serve_control(actions: Mapping[str, ControlAction]) -> AsyncGenerator[tuple[int, str]]:
    """Serve while inside the block.

    Args:
        actions: What each ``do`` calls, with the whole request. ``Misconfigured`` becomes the answer's ``error``.

    Yields:
        The port and the password.
    """
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


def _answer(line: bytes, secret: str, actions: Mapping[str, ControlAction]) -> Mapping[str, Any]:
    try:
        asked = json.loads(line)
        if not hmac.compare_digest(str(asked["secret"]), secret):
            return {"error": "wrong password"}
        return actions[asked["do"]](asked)
    except Misconfigured as problem:
        return {"error": str(problem)}
    except (ValueError, KeyError, TypeError):
        return {"error": "the running `cohort up` does not know this request; is it of another release?"}


async def ask(running: Running, do: str, **about: Any) -> dict[str, Any]:
    """Send a request to the running supervisor.

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
