"""Tells servers that a login has ended (RFC 7009), beside everything else: a server that hangs delays no update."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import httpx

from bot.logins import texts
from tasks.chats.logins import Login
from tasks.envelope import Reply
from tasks.errors import StoreUnavailable
from tasks.phrases import speaking
from tasks.store.intake import IntakeStore

log = logging.getLogger("cohort.bot")

_WAITING = 64
_SECONDS = 10.0
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Revocation:
    """A login that has ended, and the session whose person is told when its server does not confirm."""

    server: str
    login: Login
    session: str
    language: str
    """What that person is told in."""


class Revocations:
    """Queues without waiting; ``run`` tells the servers."""

    def __init__(self, bot: int, store: IntakeStore) -> None:
        self._bot = bot
        self._store = store
        self._orders: asyncio.Queue[Revocation] = asyncio.Queue(_WAITING)

    def order(self, ended: Revocation) -> bool:
        """Tell the server soon. False: it takes no such word, or too many wait."""
        if not (ended.login.authority or {}).get("revocation_endpoint") or self._orders.full():
            return False
        self._orders.put_nowait(ended)
        return True

    async def run(self) -> None:
        """Tell them, one after the other, until cancelled."""
        async with httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False) as http:
            while True:
                ended = await self._orders.get()
                try:
                    async with asyncio.timeout(_SECONDS):
                        address, form = _request(ended.login)
                        answer = await http.post(address, data=form)
                    told = answer.status_code < _REFUSED
                except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError):
                    told = False
                if told:
                    log.info("login.revoked", extra={"server": ended.server})
                else:
                    log.warning("login.not_revoked", extra={"server": ended.server})
                    await self._say(ended)

    async def _say(self, ended: Revocation) -> None:
        try:
            with speaking(ended.language):
                said = texts.not_told(ended.server)
            await self._store.push_replies(self._bot, [Reply(session=ended.session, text=said)])
        except StoreUnavailable as problem:
            log.warning("store.unavailable", extra={"problem": str(problem)})


def _request(login: Login) -> tuple[str, dict[str, str]]:
    """Where to, and the form: the refresh token, whose end is the end of the whole login."""
    authority: dict[str, Any] = login.authority or {}
    tokens: dict[str, Any] = login.tokens or {}
    client: dict[str, Any] = login.client or {}
    kind = "refresh_token" if tokens.get("refresh_token") else "access_token"
    form = {"token": str(tokens.get(kind, "")), "token_type_hint": kind}
    form |= {name: str(client[name]) for name in ("client_id", "client_secret") if client.get(name)}
    return str(authority["revocation_endpoint"]), form
