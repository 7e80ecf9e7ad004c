"""Logins of people at MCP servers: sealed, one hash for each person."""

import logging
from collections.abc import Callable
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.chats.logins import Login, place_of
from tasks.config.settings import Settings
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew, Misconfigured
from tasks.secret_box import NotOurs, SecretBox
from tasks.store.connection.redis import Script, guard

log = logging.getLogger("cohort.store")

type Change = Callable[[Login | None], Login | None]
"""What shall stand in place of a login; None for nothing. It may be called several times."""


class LoginStore:
    """A hash of its own for each person: server -> a sealed ``Login``."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        secrets = settings.secret_keys
        self._box = SecretBox(secrets) if secrets else None
        self._swap = Script(redis, "swap_login")

    @property
    def box(self) -> SecretBox:
        """What seals.

        Raises:
            Misconfigured: there is no key.
        """
        if self._box is None:
            raise Misconfigured("COHORT_SECRET_KEY is not set: logins of people are kept under it")
        return self._box

    @property
    def kept(self) -> bool:
        """Whether logins can be kept here."""
        return self._box is not None

    async def read(self, bot: int, person: int, server: str) -> Login | None:
        """What is kept; None for nothing, and for what cannot be opened any more.

        Raises:
            StoreUnavailable: Redis is away.
        """
        return self._opened(await self._raw(bot, person, server), place_of(bot, person, server))

    async def all(self, bot: int, person: int) -> dict[str, Login]:
        """Everything that is kept of a person, by server."""
        with guard():
            found: dict[bytes, bytes] = await cast("Any", self._redis).hgetall(keys.logins(bot, person))
        opened = {name.decode(): self._opened(raw, place_of(bot, person, name.decode())) for name, raw in found.items()}
        return {name: login for name, login in opened.items() if login is not None}

    async def change(self, bot: int, person: int, server: str, change: Change) -> Login | None:
        """Replace it by what ``change`` makes of it. What others write meanwhile is read again, and never overwritten.

        Returns:
            What stands there now.

        Raises:
            StoreUnavailable: it was perhaps changed.
        """
        place = place_of(bot, person, server)
        while True:
            raw = await self._raw(bot, person, server)
            before = self._opened(raw, place)
            after = change(before)
            if after == before and (before is not None or not raw):
                return after
            new = self.box.seal(after.to_json()) if after is not None else ""
            if await self._swap([keys.logins(bot, person)], [server, raw, new]):
                return after

    async def _raw(self, bot: int, person: int, server: str) -> bytes:
        with guard():
            return await cast("Any", self._redis).hget(keys.logins(bot, person), server) or b""

    def _opened(self, raw: bytes, place: str) -> Login | None:
        if not raw or self._box is None:
            return None
        try:
            login = Login.from_json(self._box.open(raw))
        except (NotOurs, EnvelopeInvalid, EnvelopeTooNew) as problem:
            log.warning("login.unreadable", extra={"reason": type(problem).__name__})
            return None
        return login if login.of == place else None
