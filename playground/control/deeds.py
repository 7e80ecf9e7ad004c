"""Control API: what people do in a chat."""

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from playground.chats import Chat
from playground.control.web import body, route, seconds
from playground.errors import ControlError
from playground.people import edit, press, say
from playground.state import State
from playground.uploads import attachment

type Json = dict[str, Any]


class Deeds:
    """Handlers around one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        here = "/playground/chats/{chat}/messages"
        return [
            route("POST", here, self.say),
            route("POST", here + "/{message}/edit", self.edit),
            route("POST", here + "/{message}/press", self.press),
            route("GET", "/playground/presses/{query}", self.press_answer),
        ]

    def _chat(self, request: Request) -> Chat:
        return self._state.book.chat(request.path_params["chat"])

    async def say(self, request: Request) -> Json:
        """``text``, or a file id as ``photo`` ... with ``caption``; ``user``, ``thread``, ``reply_to``."""
        given = await body(request)
        message, update = say(
            self._state,
            self._chat(request),
            attachment(self._state, given),
            user=given.get("user"),
            thread=given.get("thread"),
            reply_to=given.get("reply_to"),
        )
        return {"message_id": message["message_id"], "update_id": update, "message": message}

    async def edit(self, request: Request) -> Json:
        given = await body(request)
        message, update = edit(
            self._state, self._chat(request), request.path_params["message"], str(given.get("text", ""))
        )
        return {"message_id": message["message_id"], "update_id": update, "message": message}

    async def press(self, request: Request) -> Json:
        """``data`` of the button; ``user``."""
        given = await body(request)
        data = str(given.get("data", ""))
        number, update = press(
            self._state, self._chat(request), request.path_params["message"], data, user=given.get("user")
        )
        return {"callback_query_id": number, "update_id": update}

    async def press_answer(self, request: Request) -> Json:
        """How the bot answered a press; waits for it up to ``timeout`` seconds."""
        press = self._state.bot.presses.get(request.path_params["query"])
        if press is None:
            raise ControlError("no such press", 404)
        if press.answer is None:
            await press.bell.wait(seconds(request.query_params.get("timeout", 0)))
        return {"answer": press.answer}
