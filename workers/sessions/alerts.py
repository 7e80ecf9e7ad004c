"""Alerts: what operators must act on goes to the log and to their own chats, once an hour for each cause."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from tasks.chats.access import People, access_by, operators_word, says_who_may_talk
from tasks.config.settings import Settings
from tasks.envelope import Reply
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.store.chats.people import PeopleStore
from tasks.store.intake import IntakeStore
from tasks.store.records.alerts import AlertStore

log = logging.getLogger("cohort.alerts")


class Alerts:
    """Tells operators what they must act on."""

    def __init__(
        self,
        store: AlertStore,
        intake: IntakeStore,
        *,
        operators: Callable[[], Awaitable[Sequence[SessionKey]]],
        named: Callable[[int], str] | None = None,
    ) -> None:
        """Prepare alerts.

        Args:
            store: Remembers which were raised.
            intake: Takes the messages to operators.
            operators: Whom to tell (``in_charge``).
            named: What a bot is called, where there are several.
        """
        self._store = store
        self._intake = intake
        self._operators = operators
        self._named = named

    async def raise_(self, cause: str, detail: str, bot: int | None = None) -> bool:
        """Raise an alert, unless one of the same cause was raised within the hour. Without Redis only the log has it.

        With ``bot`` it is one of the same cause by this bot, or of the same words by any.

        Args:
            cause: The kind of problem, which the alert is limited by.
            detail: What the operator needs to know.
            bot: Whose chat met it; None: it is no single bot's.

        Returns:
            Whether an operator is told, by this alert or by the one within the hour that it repeats.
        """
        first = True
        # Redis remembers which worker raised it. Without Redis each worker logs it: twice is better than never.
        with suppress(StoreUnavailable):
            first = await (self._store.first(cause) if bot is None else self._store.first_of(bot, cause, detail))
        told = False
        if not first:
            with suppress(StoreUnavailable):
                told = await self._store.was_told(bot, cause, detail)
            return told
        whose = {} if bot is None or self._named is None else {"bot": self._named(bot)}
        log.error("operator.alert", extra={"cause": cause, "detail": detail, **whose})
        text = f"Operator: {cause}{f' (bot {whose["bot"]})' if whose else ''}: {detail}"
        by_bot: dict[int, list[Reply]] = {}
        for chat in await self._operators():
            by_bot.setdefault(chat.bot, []).append(Reply(text=text, session=str(chat)))
        with suppress(StoreUnavailable):
            for of, replies in by_bot.items():
                await self._intake.push_replies(of, replies)
                told = True
            if told:
                await self._store.note_told(bot, cause, detail)
        return told

    async def emptied(self) -> None:
        """All that was in Redis is gone."""
        lost = "conversations, waiting messages and reminders are gone; docs/runbooks.md says what to do"
        await self.raise_("Redis was emptied", lost)

    async def put_back(self, seconds: float) -> None:
        """Redis has data of an earlier time."""
        lost = (
            f"its data is {_length(seconds)} old: what came since is gone from it, and messages that waited then "
            "are answered again; docs/runbooks.md says more"
        )
        await self.raise_("Redis was put back", lost)

    async def evicts(self, policy: str) -> None:
        """Redis takes keys away when it is full."""
        lost = f"maxmemory-policy is {policy}: conversations and messages will be lost; set noeviction"
        await self.raise_("Redis evicts", lost)


async def in_charge(bots: Mapping[int, Settings], people: PeopleStore) -> Sequence[SessionKey]:
    """The chats of all owners and admins, each at the first bot that has them; without Redis those of the settings."""
    found: dict[int, SessionKey] = {}
    for bot, settings in bots.items():
        stored = People()
        with suppress(StoreUnavailable):
            stored = await people.look(bot)
        kept = None if says_who_may_talk(settings) else stored.operator
        word = kept or operators_word(settings)
        for who in (*word.admins, *sorted(access_by(word, stored).in_charge.difference(word.admins))):
            found.setdefault(who, SessionKey(bot, who))
    return tuple(found.values())


def _length(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 3 * 60:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 3 * 24 * 60 else f"{minutes / 60 / 24:.0f} days"
