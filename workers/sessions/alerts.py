"""Alerts: what operators must act on goes to the log and to their own chats, once an hour for each cause."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from tasks.envelope import Reply
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.settings import Settings
from tasks.store.alerts import AlertStore
from tasks.store.intake import IntakeStore

log = logging.getLogger("cohort.alerts")


class Alerts:
    """Tells operators what they must act on."""

    def __init__(
        self,
        settings: Settings,
        store: AlertStore,
        intake: IntakeStore,
        *,
        operators: Callable[[], Sequence[SessionKey]] | None = None,
    ) -> None:
        """``operators``: whom to tell where there are several bots."""
        self._settings = settings
        self._store = store
        self._intake = intake
        self._operators = operators or self._admins

    async def raise_(self, cause: str, detail: str) -> None:
        """Raise an alert, unless one of the same cause was raised within the hour. Without Redis only the log has it.

        Args:
            cause: The kind of problem, which the alert is limited by.
            detail: What the operator needs to know.
        """
        first = True
        # Redis remembers which worker raised it. Without Redis each worker logs it: twice is better than never.
        with suppress(StoreUnavailable):
            first = await self._store.first(cause)
        if not first:
            return
        log.error("operator.alert", extra={"cause": cause, "detail": detail})
        text = f"Operator: {cause}: {detail}"
        by_bot: dict[int, list[Reply]] = {}
        for chat in self._operators():
            by_bot.setdefault(chat.bot, []).append(Reply(text=text, session=str(chat)))
        with suppress(StoreUnavailable):
            for bot, replies in by_bot.items():
                await self._intake.push_replies(bot, replies)

    async def emptied(self) -> None:
        """All that was in Redis is gone."""
        lost = "conversations, waiting messages and reminders are gone; docs/runbooks.md says what to do"
        await self.raise_("Redis was emptied", lost)

    def _admins(self) -> Sequence[SessionKey]:
        admins = self._settings.admins
        return [SessionKey(self._settings.bot_id, admin) for admin in admins] if admins else ()
