"""The thinnest Telegram that a worker can talk to: it takes every call, keeps nothing, and tells what was said."""

from collections.abc import Callable
from urllib.parse import parse_qs

from tests.support.wire import HttpServer, Request


class Taker(HttpServer):
    """``said(chat, text)`` is called for each message and each edit."""

    def __init__(self, said: Callable[[int, str], None]) -> None:
        super().__init__()
        self._said = said
        self._number = 0
        self.calls = 0

    async def handle(self, request: Request) -> None:
        method = request.path.rpartition("/")[2]
        self.calls += 1
        fields = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        if "text" not in fields:
            await request.respond({"ok": True, "result": True})
            return
        chat, text = int(fields["chat_id"]), fields["text"]
        if method == "sendMessage":
            self._number += 1
        number = int(fields.get("message_id", self._number))
        message = {"message_id": number, "date": 1, "chat": {"id": chat, "type": "private"}, "text": text}
        await request.respond({"ok": True, "result": message})
        self._said(chat, text)
