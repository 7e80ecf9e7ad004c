"""Alerts: what operators must act on goes to the log and to their own chats, once an hour for each cause."""

import logging
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

    def __init__(self, settings: Settings, store: AlertStore, intake: IntakeStore) -> None:
        self._settings = settings
        self._store = store
        self._intake = intake

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
        if not self._settings.admins:
            return
        bot = self._settings.bot_id
        text = f"Operator: {cause}: {detail}"
        with suppress(StoreUnavailable):
            await self._intake.push_replies(
                bot, [Reply(text=text, session=str(SessionKey(bot, admin))) for admin in self._settings.admins]
            )
