"""The client's part about chats that are not the bot's own: of business accounts, inline, as a guest."""

from typing import Any, NamedTuple

from playground import Json
from playground.link import HELD, Link


class Said(NamedTuple):
    """A message that a person wrote, and the update that told the bot (None: the bot was not told).

    ``at``: the time from which the bot can fetch it, in seconds since the epoch.
    """

    message_id: int
    update_id: int | None
    message: Json
    at: float


class OtherChats(Link):
    """What owners of business accounts do, and people elsewhere; accounts' chats are written into as any (``say``)."""

    async def connect(self, user: int | None = None, **rights: bool) -> Json:
        """A person (``user``, by default a new one) connects the bot: the BusinessConnection, and ``update_id``."""
        return await self.control("POST", "/business", {"user": user, "rights": rights})

    async def reconnect(self, connection: str, *, enabled: bool | None = None, **rights: bool) -> Json:
        """The owner ends the connection, takes it up again, or changes rights: as ``connect``."""
        return await self.control("POST", f"/business/{connection}", {"enabled": enabled, "rights": rights})

    async def customer(self, connection: str, user: int | None = None, **fields: Any) -> Json:
        """The account's chat with a customer (``user``, by default a new one).

        As ``chat`` gives it: its first user is the customer, its second the owner. ``id`` names it in the playground,
        ``chat.id`` is what the bot is told.
        """
        return await self.control("POST", f"/business/{connection}/chats", {"user": user, **fields})

    async def inline(self, chat: int, text: str, *, timeout: float = HELD, **fields: Any) -> Json:  # noqa: ASYNC109 - sent to the server
        """A person (``user``) types ``@bot text`` in a chat (``thread``): ``query``, ``update_id`` and what the bot
        offers, ``results``; None where it was not told, or has not answered.
        """
        given: Json = {"text": text, "timeout": timeout, **fields}
        return await self.control("POST", f"/chats/{chat}/inline", given)

    async def choose(self, query: str, result: str | None = None, *, feedback: bool | None = None) -> Said:
        """The person sends a result, by default the first; ``feedback``: whether the bot is told, else as set."""
        given = {"result": result, "feedback": feedback}
        return Said(**await self.control("POST", f"/inline/{query}/choose", given))

    async def summon(self, chat: int, text: str, **fields: Any) -> Said:
        """A person calls the bot as a guest, where it is no member; ``user``, ``thread``, ``reply_to``."""
        return Said(**await self.control("POST", f"/chats/{chat}/guest", {"text": text, **fields}))
