"""The part of the control API's client that plays business accounts and their customers."""

from typing import Any

from playground import Json
from playground.link import Link


class OwnersLink(Link):
    """What owners of business accounts do; their chats are written into as others (``say``, ``edit``, ``delete``)."""

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
