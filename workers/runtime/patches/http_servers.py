"""Where the MCP client talks HTTP: bodies and events have a length, a stream has a pause, and what is given up ends."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from workers.runtime.servers.over_http import LONGEST, PausedEvents, answers_of


def answered(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:  # noqa: ARG001 - all of it
    """``_handle_json_response``: the body that answers a request, whatever id it has, alone or in a list."""
    module, message = import_module("mcp.client.streamable_http"), import_module("mcp.shared.message")

    async def handle_json_response(_: Any, response: Any, read_stream_writer: Any, *, request_id: Any) -> None:
        def read(part: str | bytes) -> Any:
            return module.jsonrpc_message_adapter.validate_json(part, by_name=False)

        for answer in answers_of(await response.aread(), request_id, read):
            await read_stream_writer.send(message.SessionMessage(answer))

    return handle_json_response


def given_up(original: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """``_consume_modern_cancellation``: of a call that was given up nothing stays open, in older versions too."""
    requested = import_module("mcp.client.streamable_http").cancelled_request_id_from_params

    def consume_cancellation(self: Any, session_message: Any) -> bool:
        if original(self, session_message):
            return True
        message = session_message.message
        if getattr(message, "method", None) == "notifications/cancelled":
            post = self._in_flight_posts.get(requested(message.params))
            if post is not None:
                post.scope.cancel()
        return False

    return consume_cancellation


def long_events(original: Any) -> Callable[..., Any]:
    """``EventSource``: an event is as long as a program's line may be. A picture of 0.8 MB has more than 1 MiB."""

    def event_source(response: Any, max_event_size: int | None = None) -> Any:  # noqa: ARG001 - the client's
        return original(response, max_event_size=LONGEST)

    return event_source


def paused(original: Callable[..., Any]) -> Callable[..., Any]:
    """``sse_within_origin``: a stream that its server ends each time at once is asked for now and then."""

    @asynccontextmanager
    async def sse_within_origin(client: Any, url: Any, **kwargs: Any) -> AsyncGenerator[PausedEvents]:
        async with original(client, url, **{**kwargs, "max_event_size": LONGEST}) as source:
            yield PausedEvents(source, client)

    return sse_within_origin
