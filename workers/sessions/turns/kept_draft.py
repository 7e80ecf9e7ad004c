"""Keeps what a turn shows as a draft, which Telegram shows for half a minute and never tells again."""

import asyncio
import logging

from tasks.errors import ClaimLost, StoreUnavailable
from tasks.session import SessionKey
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession

log = logging.getLogger("cohort.turns")

FIRST_S = 2.0
"""A shorter answer costs no write."""
EVERY_S = 1.0
MOST = 16_384
"""Characters. Of a longer answer the messages that it has filled stay, as they do where answers grow in messages."""


class KeptDraft:
    """Of one turn; its words are in the session's state until the turn is committed."""

    def __init__(self, deps: Dependencies, owned: OwnedSession) -> None:
        self._owned = owned
        self._sleep = deps.sleep
        self._news = asyncio.Event()
        owned.grows(self._news.set)

    @staticmethod
    def needed(deps: Dependencies, session: SessionKey) -> bool:
        """Whether answers grow as drafts there."""
        return deps.settings.stream == "draft" and session.takes_drafts

    async def keeping(self) -> None:
        """Keep the words, beside the turn, until cancelled.

        Raises:
            ClaimLost: another worker runs it.
        """
        owned, pause = self._owned, FIRST_S
        while True:
            await self._news.wait()
            await self._sleep(pause)
            self._news.clear()
            words, pause = owned.kept, EVERY_S
            try:
                await owned.keep_draft(words if len(words) <= MOST else "")
            except ClaimLost:
                raise
            except StoreUnavailable:
                # The next words come with these.
                continue
            except Exception:
                log.exception("draft.defect", extra={"session": str(owned.session)})
                return
