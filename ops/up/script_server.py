"""``python -m ops.up.script_server PORT``: the scripted stand-in (``COHORT_MODEL=demo.script``), on 127.0.0.1."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ops.up.script import chunks, next_line
from tasks.process import title

HOST = "127.0.0.1"
_PER_WORD = 0.03
"""Seconds; a text that grows shows how answers come."""


async def _completion(request: Request) -> Response:
    asked: dict[str, Any] = await request.json()
    messages: list[dict[str, Any]] = asked.get("messages") or []
    tools = {tool.get("function", {}).get("name", "") for tool in asked.get("tools") or []}
    events = chunks(next_line(messages, tools), f"call_{len(messages)}")

    async def streamed() -> AsyncIterator[str]:
        for event in events:
            yield event
            await asyncio.sleep(_PER_WORD)

    return StreamingResponse(streamed(), media_type="text/event-stream")


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


app = Starlette(
    routes=[Route("/health", _health), Route("/v1/chat/completions", _completion, methods=["POST"])],
)


def main(port: int) -> None:
    """Serve until SIGTERM."""
    title.show("model")
    uvicorn.run(app, host=HOST, port=port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
