"""Telling operators what they must act on: in the log, and in their own chats, once an hour for each cause."""

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
    """Raises alerts."""

    def __init__(self, settings: Settings, store: AlertStore, intake: IntakeStore) -> None:
        self._settings = settings
        self._store = store
        self._intake = intake

    async def raise_(self, cause: str, detail: str) -> None:
        """Say it, unless somebody did within the hour. ``cause`` names the kind, ``detail`` what to know.

        Without Redis it stands in the log only.
        """
        first = True
        # Without Redis nobody knows who said it already; the log takes it twice rather than not at all.
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
