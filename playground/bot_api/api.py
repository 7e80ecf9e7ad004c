"""The Bot API as raw ASGI from request to answer: every call of every test passes here, so it must be fast."""

import asyncio
import hmac
import logging
from typing import NamedTuple

from starlette.types import Receive, Scope, Send

from playground import Json
from playground.bot_api.call import ApiCall
from playground.bot_api.methods import METHODS, polling
from playground.bot_api.wire import MAX_BODY, parse
from playground.errors import ApiError
from playground.state.faults import InjectedFault
from playground.state.files import DOWNLOAD_LIMIT
from playground.state.updates import Update, dumps
from playground.state.world import State

_log = logging.getLogger("cohort.playground")
_JSON = (b"content-type", b"application/json")
_UNAUTHORIZED = ApiError(401, "Unauthorized")
_NOT_FOUND = ApiError(404, "Not Found")
_SERVER_ERROR = ApiError(500, "Internal Server Error")
_GARBAGE = b"<html><body>this is no JSON</body></html>"


class CallResult(NamedTuple):
    """The result of a call: either a body (JSON bytes) or an error."""

    body: bytes = b""
    error: ApiError | None = None


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request.

    Raises:
        ApiError: it is too large.
        ConnectionResetError: the caller hung up.
    """
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            raise ConnectionResetError
        part = event.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            raise ApiError(413, "Request Entity Too Large")
        parts.append(part)
        more = event.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def respond(send: Send, status: int, body: bytes, content_type: tuple[bytes, bytes] = _JSON) -> None:
    """Answer with a whole body."""
    headers = [content_type, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class BotApi:
    """``/bot<token>/<method>`` and ``/file/bot<token>/<path>``."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/file/bot"):
            await self._download(path.removeprefix("/file/bot"), send)
            return
        token, _, name = path.removeprefix("/bot").partition("/")
        order, at = self._state.journal.arrive()
        entry: Json = {"order": order, "at": at, "bot": None, "method": name, "params": {}, "chat": None}
        try:
            body = await read_body(receive)
            headers: dict[bytes, bytes] = dict(scope["headers"])
            params, uploads = parse(scope["query_string"], headers.get(b"content-type", b"").decode("latin-1"), body)
        except ApiError as problem:
            await self._refuse(send, entry, problem)
            return
        except ConnectionResetError:
            self._end(entry, 0, "the caller hung up")
            return
        if not self._is_ours(token):
            await self._refuse(send, entry, _UNAUTHORIZED)
            return
        call = ApiCall(self._state, name.lower(), params, uploads)
        entry |= {
            "bot": self._state.bot.id,
            "params": params | {key: {"file": up.name, "size": len(up.data)} for key, up in uploads.items()},
            "chat": call.chat_id(),
        }
        known = METHODS.get(call.method)
        if known is not None:
            entry["method"] = known[0]
        elif call.method == "getupdates":
            entry["method"] = "getUpdates"
        await self._answer(scope, receive, send, call, entry)

    def _is_ours(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._state.bot.token.encode())

    async def _answer(self, scope: Scope, receive: Receive, send: Send, call: ApiCall, entry: Json) -> None:
        fault = self._state.faults.meet(call.method, entry["chat"])
        if fault is not None:
            entry["fault"] = fault.kind
            if await self._before(fault, scope, receive, send, entry):
                return
        answer = await self._perform(call, receive)
        if fault is not None and fault.kind == "cut_after":
            entry["processed"] = answer.error is None
            await self._cut(scope, receive, entry, call.note)
        elif call.gone:
            self._end(entry, 0, "the caller hung up")
        elif answer.error is not None:
            await self._refuse(send, entry, answer.error)
        else:
            entry["processed"] = True
            # The journal first: a client that has the answer then finds the entry.
            self._end(entry, 200, None, call.note)
            await respond(send, 200, answer.body)

    async def _before(self, fault: InjectedFault, scope: Scope, receive: Receive, send: Send, entry: Json) -> bool:
        """Apply a fault that comes before the call. True when it ends the call."""
        error = fault.error()
        if error is not None:
            await self._refuse(send, entry, error)
            return True
        if fault.kind == "garbage":
            self._end(entry, 200, "garbage")
            await respond(send, 200, _GARBAGE, (b"content-type", b"text/html"))
            return True
        if fault.kind == "cut_before":
            await self._cut(scope, receive, entry, None)
            return True
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        return False

    async def _cut(self, scope: Scope, receive: Receive, entry: Json, note: Json | None) -> None:
        self._end(entry, 0, "connection cut", note)
        connection = self._state.connections.get(scope.get("client") or ("", 0))
        if connection is None:
            raise ConnectionResetError("there is no connection to cut")
        connection.abort()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _perform(self, call: ApiCall, receive: Receive) -> CallResult:
        try:
            if call.method == "getupdates":
                updates = polling.at_once(call)
                if updates is None:
                    updates = await self._wait(call, receive)
                return self._updates(call, updates)
            known = METHODS.get(call.method)
            if known is None:
                return CallResult(error=_NOT_FOUND)
            result = known[1](call)
            if call.description is not None:
                return CallResult(body=dumps({"ok": True, "result": result, "description": call.description}))
            return CallResult(body=b'{"ok":true,"result":' + dumps(result) + b"}")
        except ApiError as problem:
            return CallResult(error=problem)
        except Exception:  # noqa: BLE001 - the server survives a call that fails
            _log.exception("playground.method_failed", extra={"method": call.method})
            return CallResult(error=_SERVER_ERROR)

    async def _wait(self, call: ApiCall, receive: Receive) -> list[Update]:
        """Wait for updates, or until the caller hangs up."""

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            call.gone = True
            call.bot.queue.wakeup.wake_all()

        problem: ApiError | None = None
        updates: list[Update] = []
        async with asyncio.TaskGroup() as tasks:
            watcher = tasks.create_task(watch(), name="watch-caller")
            try:
                updates = await polling.waited(call)
            except ApiError as conflict:
                problem = conflict
            watcher.cancel()
        if problem is not None:
            raise problem
        return updates

    def _updates(self, call: ApiCall, updates: list[Update]) -> CallResult:
        call.note = {"updates": [update.id for update in updates]}
        return CallResult(body=b'{"ok":true,"result":[' + b",".join([update.raw for update in updates]) + b"]}")

    async def _refuse(self, send: Send, entry: Json, error: ApiError) -> None:
        self._end(entry, error.code, error.description)
        await respond(send, error.code, dumps(error.body()))

    def _end(self, entry: Json, code: int, description: str | None, note: Json | None = None) -> None:
        entry = {"fault": None, "processed": False} | entry
        self._state.journal.end(entry | {"code": code, "description": description, "result": note})

    async def _download(self, rest: str, send: Send) -> None:
        token, _, path = rest.partition("/")
        stored = self._state.files.at(path) if self._is_ours(token) else None
        if stored is None or stored.size > DOWNLOAD_LIMIT:
            await respond(send, 404, dumps(_NOT_FOUND.body()))
            return
        await respond(send, 200, stored.data, (b"content-type", b"application/octet-stream"))
