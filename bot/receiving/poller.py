"""The polling loop: fetches raw updates, hands them to the intake, and confirms them only once they are stored."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from bot.api import BATCH, LONG_POLL, Telegram
from bot.process.stop import Stop, Stopped
from bot.process.watchdog import Watchdog
from bot.updates.update import update_id_of
from botapi.errors import OtherPoller, TelegramAway
from tasks.backoff import Backoff
from tasks.errors import CohortError, Misconfigured, StoreUnavailable
from tasks.outage import Outage

log = logging.getLogger("cohort.bot")


_PAUSED_S = 0.5
"""Between two looks whether the intake goes on."""


_STORE_S = 2.0
"""The longest pause while Redis is away: people wait for its return."""


_ENDS = {"store.unavailable": "store.back", "poll.failed": "poll.resumed", "poll.conflict": "poll.alone"}
"""What is told when an outage begins, and when it ends."""


def _event(problem: CohortError) -> str:
    match problem:
        case OtherPoller():
            return "poll.conflict"
        case StoreUnavailable():
            return "store.unavailable"
        case _:
            return "poll.failed"


class Poller:
    """Polls while this process holds the lease.

    The offset confirms all updates below it. It advances when a batch is stored, is sent with the next fetch, and is
    forgotten then: after a quiet week Telegram may choose any update id to go on with, and an old offset must not
    confirm updates that were never fetched.
    """

    def __init__(  # noqa: PLR0913 - three of them have defaults that only tests replace
        self,
        telegram: Telegram,
        take: Callable[[Sequence[object]], Awaitable[object]],
        watchdog: Watchdog,
        *,
        backoff: Backoff | None = None,
        hold: timedelta = LONG_POLL,
        polled: Callable[[], None] = lambda: None,
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare a poller.

        Args:
            telegram: Where updates come from.
            take: Stores a batch of them.
            watchdog: Ends the process when polling stalls.
            backoff: The pauses after failures.
            hold: How long Telegram holds a fetch without updates.
            polled: Called when a poll has ended without an error.
            paused: Whether nothing is fetched now.
        """
        self._telegram = telegram
        self._take = take
        self._watchdog = watchdog
        self._backoff = backoff or Backoff()
        self._hold = hold
        self._polled = polled
        self._paused = paused
        self._outages = {event: Outage() for event in _ENDS}

    async def run(self, stop: Stop) -> None:
        """Until ``stop``; the current batch is stored and confirmed first.

        Raises:
            Misconfigured: Telegram does not take the token.
        """
        offset: int | None = None
        with self._watchdog:
            await self._end_webhook()
            while not stop.is_set:
                if self._paused():
                    self._watchdog.beat()
                    await stop.pause(_PAUSED_S)
                    continue
                try:
                    offset = await self._fetch(offset, stop)
                    self._backoff.reset()
                    self._works()
                except Stopped:
                    break
                except StoreUnavailable as problem:
                    await self._wait(problem, stop)
                except Misconfigured:
                    raise
                except CohortError as problem:
                    await self._wait(problem, stop)
            await self._confirm(offset)

    async def _fetch(self, offset: int | None, stop: Stop) -> int | None:
        """One fetch. Returns the offset for the next."""
        async with stop.cuts():
            updates = await self._telegram.updates(offset, hold=self._hold, limit=BATCH)
        self._watchdog.beat()
        self._polled()
        if not updates:
            return None
        await self._take(updates)
        ids = [number for update in updates if (number := update_id_of(update)) is not None]
        if not ids:
            # Without an id they cannot be confirmed. They come again, so a pause keeps this from being a hot loop.
            raise _Unnumbered
        return max(ids) + 1

    async def _wait(self, problem: CohortError, stop: Stop) -> None:
        """Pause after a failure. No update was confirmed, so the next fetch asks for the same ones."""
        pause = self._backoff.next(problem.wait if isinstance(problem, TelegramAway) else 0.0)
        if isinstance(problem, StoreUnavailable):
            pause = min(pause, _STORE_S)
        about = {"problem": str(problem), "failures": self._backoff.failures, "wait_s": round(pause, 1)}
        event = _event(problem)
        if self._outages[event].began():
            log.warning(event, extra=about)
        self._watchdog.beat(pause)
        await stop.pause(pause)

    def _works(self) -> None:
        for event, outage in self._outages.items():
            if (lasted := outage.ended()) is not None:
                ended = _ENDS[event]
                log.warning(ended, extra={"after_s": lasted})

    async def _end_webhook(self) -> None:
        """End a webhook that an earlier configuration left: while one is set, Telegram answers 409 to every fetch."""
        try:
            await self._telegram.use_polling()
        except Misconfigured:
            raise
        except CohortError as problem:
            log.warning("webhook.not_ended", extra={"problem": str(problem)})

    async def _confirm(self, offset: int | None) -> None:
        """Confirm the last batch. Without that it would come again and count as seen."""
        if offset is None:
            return
        try:
            await self._telegram.updates(offset, hold=timedelta(0), limit=1)
            log.info("poll.confirmed")
        except CohortError as problem:
            log.warning("poll.not_confirmed", extra={"problem": str(problem)})


class _Unnumbered(CohortError):  # noqa: N818 - an event
    """Telegram gave updates without a number."""
