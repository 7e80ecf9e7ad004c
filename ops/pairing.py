"""A pairing code for an operator: made, stored, and shown with the link that sends it."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from tasks.bots import ServedBot
from tasks.chats.access import mode_of
from tasks.chats.pairing import LASTS, link, new_code
from tasks.chats.roles import Role
from tasks.config.settings import Settings
from tasks.store import Store

_PATIENCE_S = 5


@dataclass(frozen=True, slots=True)
class OfferedCode:
    """A code that is valid now."""

    code: str
    role: Role
    username: str
    """The bot's; "" where it could not be asked."""

    @property
    def where(self) -> str:
        """What a person opens, or does."""
        return link(self.username, self.code) if self.username else f"send this to the bot: /start {self.code}"

    @property
    def lines(self) -> tuple[str, ...]:
        """For a terminal."""
        minutes = int(LASTS.total_seconds() // 60)
        who = "becomes the owner" if self.role == "owner" else f"gets access ({self.role})"
        return (self.where, f"code: {self.code}", f"who uses it first {who}; it works once, for {minutes} minutes")


async def offer(settings: Settings, store: Store, role: Role | None) -> OfferedCode:
    """Make a code and store its digest. The first one makes an owner, later ones a member where no role is named.

    Raises:
        StoreUnavailable: Redis is away.
    """
    owned = (await store.people.look(settings.bot_id)).owned
    code, given = new_code(), role or ("member" if owned else "owner")
    await store.people.offer(settings.bot_id, code, given)
    return OfferedCode(code, given, await _username(settings))


async def pairing_lines(settings: Settings, bots: Sequence[ServedBot], store: Store) -> tuple[str, ...]:
    """Codes for the bots that have no owner yet and take codes, for a terminal.

    Raises:
        StoreUnavailable: Redis is away.
    """
    lines: list[str] = []
    for name, own in [(bot.name, bot.settings(settings)) for bot in bots] or [("", settings)]:
        if mode_of(own) == "pairing" and not (await store.people.look(own.bot_id)).owned:
            lines += [f"{name}:"] if name else []
            lines += (await offer(own, store, None)).lines
    return tuple(lines)


async def _username(settings: Settings) -> str:
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE_S) as http:
            answer = await http.get(f"{settings.telegram_base_url}/bot{settings.token}/getMe")
            return str(answer.json()["result"]["username"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ""
