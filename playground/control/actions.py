"""Control API: what people do in a chat."""

from starlette.requests import Request
from starlette.routing import Route

from playground import Json
from playground.control.web import body, route, seconds
from playground.errors import ControlError
from playground.state.albums import album
from playground.state.chats import Chat
from playground.state.forwards import delete, forward, quoted_part
from playground.state.inline import ask, choose, summon
from playground.state.people import edit, press, react_as, say, stop
from playground.state.uploads import attachment
from playground.state.world import State


class Actions:
    """Handlers around one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        here = "/playground/chats/{chat}/messages"
        return [
            route("POST", here, self.say),
            route("POST", "/playground/chats/{chat}/album", self.album),
            route("POST", "/playground/chats/{chat}/stop", self.stop),
            route("POST", here + "/{message}/edit", self.edit),
            route("POST", here + "/{message}/delete", self.delete),
            route("POST", here + "/{message}/forward", self.forward),
            route("POST", here + "/{message}/react", self.react),
            route("POST", here + "/{message}/press", self.press),
            route("GET", "/playground/presses/{query}", self.press_answer),
            route("POST", "/playground/chats/{chat}/inline", self.inline),
            route("POST", "/playground/inline/{query}/choose", self.choose),
            route("POST", "/playground/chats/{chat}/guest", self.summon),
        ]

    def _chat(self, request: Request) -> Chat:
        return self._state.book.chat(request.path_params["chat"])

    def _said(self, message: Json, update: int | None) -> Json:
        made = self._state.clock.now()
        return {"message_id": message["message_id"], "update_id": update, "message": message, "at": made}

    async def say(self, request: Request) -> Json:
        """``text``, or a file id as ``photo`` ... with ``caption``; ``user``, ``thread``, ``reply_to``.

        ``quote`` is the part of the answered message that is meant: a text, or ``text`` and ``position``.
        """
        given, chat = await body(request), self._chat(request)
        quote = quoted_part(chat, given.get("reply_to"), given.get("quote"))
        message, update = say(
            self._state,
            chat,
            attachment(self._state, given) | quote,
            user=given.get("user"),
            thread=given.get("thread"),
            reply_to=given.get("reply_to"),
        )
        return self._said(message, update)

    async def album(self, request: Request) -> Json:
        """``items``: two to ten of what ``say`` takes; ``user``, ``thread``, ``reply_to``."""
        given = await body(request)
        how = {key: given.get(key) for key in ("user", "thread", "reply_to")}
        sent = album(self._state, self._chat(request), given.get("items"), **how)
        return {"messages": [message for message, _ in sent], "update_ids": [update for _, update in sent]}

    async def stop(self, request: Request) -> Json:
        """``draft_id`` of a draft with a Stop button."""
        given = await body(request)
        return {"update_id": stop(self._state, self._chat(request), given.get("draft_id"))}

    async def react(self, request: Request) -> Json:
        """``emoji``: a list; ``user``."""
        given = await body(request)
        emoji = [str(one) for one in given.get("emoji", [])]
        chat, message = self._chat(request), request.path_params["message"]
        return {"update_id": react_as(self._state, chat, message, emoji, user=given.get("user"))}

    async def edit(self, request: Request) -> Json:
        given = await body(request)
        message, update = edit(
            self._state, self._chat(request), request.path_params["message"], str(given.get("text", ""))
        )
        return self._said(message, update)

    async def delete(self, request: Request) -> Json:
        """For all; ``user``. The bot is told where it is a business account's chat."""
        given = await body(request)
        chat, message = self._chat(request), request.path_params["message"]
        return {"update_id": delete(self._state, chat, message, user=given.get("user"))}

    async def forward(self, request: Request) -> Json:
        """``to``: a chat's id; ``user``, ``thread`` there."""
        given = await body(request)
        how = {key: given.get(key) for key in ("user", "thread")}
        to = self._state.book.chat(given.get("to"))
        return self._said(*forward(self._state, self._chat(request), request.path_params["message"], to, **how))

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
            await press.wakeup.wait(seconds(request.query_params.get("timeout", 0)))
        return {"answer": press.answer}

    async def inline(self, request: Request) -> Json:
        """``text`` behind the bot's name, ``user``, ``thread``; waits up to ``timeout`` seconds for results."""
        given = await body(request)
        how = {key: given.get(key) for key in ("user", "thread")}
        query, update = ask(self._state, self._chat(request), str(given.get("text", "")), **how)
        found = self._state.elsewhere.queries[query]
        if found.results is None and update is not None:
            await found.wakeup.wait(seconds(given.get("timeout", 0)))
        return {"query": query, "update_id": update, "results": found.results}

    async def choose(self, request: Request) -> Json:
        """The person sends what the bot offers: ``result`` (its id), or the first; ``feedback``: true, false."""
        given = await body(request)
        wanted, told = given.get("result"), given.get("feedback")
        if told not in (None, True, False):
            raise ControlError("feedback is true or false")
        query = request.path_params["query"]
        return self._said(*choose(self._state, query, None if wanted is None else str(wanted), feedback=told))

    async def summon(self, request: Request) -> Json:
        """``text``, ``user``, ``thread``, ``reply_to`` in a chat of which the bot is no member."""
        given = await body(request)
        how = {key: given.get(key) for key in ("user", "thread", "reply_to")}
        return self._said(*summon(self._state, self._chat(request), str(given.get("text", "")), **how))
