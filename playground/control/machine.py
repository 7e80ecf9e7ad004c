"""Control API: updates in bulk or raw, the queue, faults, flood limits, BotFather's switches, the journal."""

import sys
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from playground import Json
from playground.control.web import body, number, route, seconds
from playground.errors import ControlError
from playground.state.bulk import bulk
from playground.state.journal import Entry, Filter
from playground.state.world import State

_MAX_BULK = 200_000
_MAX_ENTRIES = 10_000


def entry_filter(query: Any) -> Filter:
    """The filter that a query asks for: ``method``, ``chat``, ``code``, ``fault``; lists by commas.

    Raises:
        ControlError: a chat or a code is no number.
    """
    methods = {name.lower() for name in query.get("method", "").split(",") if name}
    without = {name.lower() for name in query.get("except", "").split(",") if name}
    chats = {number(chat, "chat") for chat in query.get("chat", "").split(",") if chat}
    codes = {number(code, "code") for code in query.get("code", "").split(",") if code}
    faulty = query.get("fault") is not None

    def accept(entry: Entry) -> bool:
        name = entry["method"].lower()
        return (
            (not methods or name in methods)
            and name not in without
            and (not chats or entry["chat"] in chats)
            and (not codes or entry["code"] in codes)
            and (not faulty or entry["fault"] is not None)
        )

    return accept


class Machine:
    """Handlers around one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        return [
            route("GET", "/playground/info", self.info),
            route("POST", "/playground/info", self.set_info),
            route("POST", "/playground/bulk", self.bulk),
            route("POST", "/playground/updates", self.inject),
            route("GET", "/playground/queue", self.queue),
            route("POST", "/playground/redeliver", self.redeliver),
            route("GET", "/playground/journal", self.journal),
            route("GET", "/playground/faults", self.faults),
            route("POST", "/playground/faults", self.add_fault),
            route("DELETE", "/playground/faults", self.clear_faults),
            route("POST", "/playground/flood", self.flood),
            route("POST", "/playground/inline", self.inline),
            route("POST", "/playground/privacy", self.privacy),
            route("POST", "/playground/reset", self.reset),
        ]

    async def info(self, _request: Request) -> Json:
        bot = self._state.bot
        commands = next((given for (_, language), given in bot.commands.items() if not language), [])
        return {**self._state.info, "bot": bot.me(), "commands": commands}

    async def set_info(self, request: Request) -> Json:
        """What the page's bar shows: ``model`` (a name), ``links`` (a list of ``label`` and ``url``)."""
        self._state.info |= await body(request)
        self._state.events.tell("resync")
        return self._state.info

    async def bulk(self, request: Request) -> Json:
        """``messages`` spread over ``chats`` in turn; ``text`` may hold ``{n}`` (running number) and ``{chat}``."""
        given = await body(request)
        messages, chats = number(given.get("messages", 1), "messages"), number(given.get("chats", 1), "chats")
        if not 1 <= messages <= _MAX_BULK or chats < 1:
            raise ControlError(f"messages is 1 to {_MAX_BULK}, chats at least 1")
        into = [number(chat, "into") for chat in given.get("into", [])]
        return bulk(self._state, messages, chats, str(given.get("text", "message {n}")), into)

    async def inject(self, request: Request) -> Json:
        """Queue what the bot is to fetch.

        - ``update``: any JSON value; or ``updates``: several.
        - ``bare``: send it without an ``update_id``.
        """
        given = await body(request)
        values = given.get("updates", [given["update"]] if "update" in given else None)
        if not isinstance(values, list):
            raise ControlError("give an update, or a list of updates")
        bare = bool(given.get("bare"))
        return {"update_ids": [self._state.bot.queue.inject(value, bare=bare) for value in values]}

    async def queue(self, request: Request) -> Json:
        """With ``timeout``: waits until at most ``pending`` updates are left and at least ``waiting`` polls wait."""
        bot, query, clock = self._state.bot, request.query_params, self._state.clock
        most = number(query["pending"], "pending") if "pending" in query else sys.maxsize
        least = number(query.get("waiting", 0), "waiting")
        deadline = clock.monotonic() + seconds(query.get("timeout", 0))
        while (len(bot.queue) > most or bot.waiting < least) and (left := deadline - clock.monotonic()) > 0:
            await bot.looked.wait(left)
        return {
            "pending": len(bot.queue),
            "next_id": bot.queue.next_id,
            "webhook": bot.webhook.url,
            "polls": bot.poll,
            "waiting": bot.waiting,
        }

    async def redeliver(self, request: Request) -> Json:
        given = await body(request)
        return {"count": self._state.bot.queue.redeliver(number(given.get("count", 1), "count"))}

    async def journal(self, request: Request) -> Json:
        """Entries after ``after``, up to ``limit``; with ``timeout`` waits for the first that passes the filter."""
        query, journal = request.query_params, self._state.journal
        after = number(query.get("after", 0), "after")
        limit = min(number(query.get("limit", 1000), "limit"), _MAX_ENTRIES)
        found = await journal.wait(after, limit, entry_filter(query), seconds(query.get("timeout", 0)))
        # The next read starts after the last returned entry; when the page is not full, after all entries seen.
        upto = found[-1]["seq"] if len(found) == limit else journal.last
        return {"entries": found, "next": upto, "first": journal.first, "last": journal.last}

    async def faults(self, _request: Request) -> Json:
        state = self._state
        faults = [asdict(fault) for fault in state.faults.all()]
        inline, privacy = {"feedback": state.elsewhere.feedback}, {"on": state.bot.privacy}
        return {"faults": faults, "flood": state.flood.state(), "inline": inline, "privacy": privacy}

    async def add_fault(self, request: Request) -> Json:
        return asdict(self._state.faults.add(await body(request)))

    async def clear_faults(self, _request: Request) -> Json:
        self._state.faults.clear()
        return {}

    async def flood(self, request: Request) -> Json:
        self._state.flood.set(await body(request))
        return self._state.flood.state()

    async def inline(self, request: Request) -> Json:
        """``feedback``: whether the bot is told what people send of what it offers (BotFather's /setinlinefeedback)."""
        told = (await body(request)).get("feedback")
        if not isinstance(told, bool):
            raise ControlError("feedback is true or false")
        self._state.elsewhere.feedback = told
        return {"feedback": told}

    async def privacy(self, request: Request) -> Json:
        """``on``: in groups the bot is shown only what is meant for it (BotFather's /setprivacy)."""
        on = (await body(request)).get("on")
        if not isinstance(on, bool):
            raise ControlError("on is true or false")
        self._state.bot.privacy = on
        return {"on": on}

    async def reset(self, _request: Request) -> Json:
        self._state.reset()
        return {}
