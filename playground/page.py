"""The chat page: its static files, uploads, downloads, and the stream of events."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from playground import Json
from playground.control.web import number, route
from playground.errors import ControlError
from playground.state.uploads import KINDS
from playground.state.world import State

_STATIC = Path(__file__).parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "cache-control": "no-cache"}
# The page shows these; all other types are offered as downloads.
_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/ogg", "audio/mpeg", "video/mp4")
_HEARTBEAT = 15.0
"""Seconds of silence after which the stream sends a comment to stay open."""
_FOLDERS = {"photo": "photos", "voice": "voice", "audio": "music", "video": "videos", "video_note": "video_notes"}


class ChatPage:
    """Handlers around one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        return [
            route("GET", "/", self.index),
            route("GET", "/static/{name}", self.static),
            route("GET", "/playground/events", self.events),
            route("POST", "/playground/files", self.upload),
            route("GET", "/playground/files/{file_id}", self.file),
        ]

    async def index(self, _request: Request) -> Response:
        return FileResponse(_STATIC / "index.html", headers=_HEADERS)

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in {path.name for path in _STATIC.iterdir()}:
            raise ControlError("no such file", 404)
        return FileResponse(_STATIC / name, headers=_HEADERS)

    async def events(self, _request: Request) -> Response:
        """Server-sent events; each holds one JSON object with its ``kind``."""

        async def stream() -> AsyncGenerator[str]:
            with self._state.events.listen() as queue:
                yield "retry: 1000\n\n"
                while True:
                    try:
                        async with asyncio.timeout(_HEARTBEAT):
                            event = await queue.get()
                    except TimeoutError:
                        yield ": still here\n\n"
                    else:
                        yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def upload(self, request: Request) -> Json:
        """The body is the file; ``name``, ``mime``, ``kind`` (sent as what), ``size`` (pretends to be this big)."""
        query = request.query_params
        kind = query.get("kind", "document")
        if kind not in KINDS:
            raise ControlError(f"kind must be one of {', '.join(KINDS)}")
        stored = self._state.files.add(
            await request.body(),
            name=query.get("name"),
            mime=query.get("mime"),
            folder=_FOLDERS.get(kind, "documents"),
            size=number(query["size"], "size") if "size" in query else None,
        )
        return {"file_id": stored.file_id, "file_size": stored.size, "mime_type": stored.mime}

    async def file(self, request: Request) -> Response:
        stored = self._state.files.get(request.path_params["file_id"])
        shown = stored.mime in _SHOWN
        headers = _HEADERS | ({} if shown else {"content-disposition": "attachment"})
        return Response(stored.data, media_type=stored.mime if shown else "application/octet-stream", headers=headers)


def routes(state: State) -> list[Route]:
    """All routes of the page around one state."""
    return ChatPage(state).routes()
