"""The polling loop: fetch raw updates, take them in, and only then confirm them."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol, cast

from bot.api import BATCH, LONG_POLL
from bot.stop import Stop, Stopped
from bot.watchdog import Watchdog
from botapi.errors import OtherPoller, TelegramAway
from tasks.backoff import Backoff
from tasks.errors import CohortError, Misconfigured, StoreUnavailable

log = logging.getLogger("cohort.bot")


class Updates(Protocol):
    """Telegram as this module uses it."""

    async def updates(self, offset: int | None, *, hold: timedelta = ..., limit: int = ...) -> list[Any]:
        """The next raw updates; everything below ``offset`` is confirmed."""
        ...

    async def use_polling(self) -> None:
        """End a webhook."""
        ...


class Poller:
    """Fetches for as long as this process is on duty.

    The offset names what is confirmed. It moves when a batch was taken in, is told to Telegram with the next fetch, and
    is forgotten when Telegram has heard it: after a quiet week update ids start anew anywhere, and an old offset must
    not then confirm what nobody has seen.
    """

    def __init__(
        self,
        telegram: Updates,
        take: Callable[[Sequence[object]], Awaitable[object]],
        watchdog: Watchdog,
        *,
        backoff: Backoff | None = None,
        hold: timedelta = LONG_POLL,
    ) -> None:
        self._telegram = telegram
        self._take = take
        self._watchdog = watchdog
        self._backoff = backoff or Backoff()
        self._hold = hold

    async def run(self, stop: Stop) -> None:
        """Until ``stop``; finishes the batch in hand and confirms it.

        Raises:
            Misconfigured: Telegram does not take the token.
        """
        offset: int | None = None
        with self._watchdog:
            await self._end_webhook()
            while not stop.is_set:
                try:
                    offset = await self._fetch(offset, stop)
                    self._backoff.reset()
                except Stopped:
                    break
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
        if not updates:
            return None
        await self._take(updates)
        ids = [number for update in updates if (number := _number(update)) is not None]
        if not ids:
            # Nothing to confirm them by: they will come again, and must not come in a hot loop.
            raise _Unnumbered
        return max(ids) + 1

    async def _wait(self, problem: CohortError, stop: Stop) -> None:
        """After a failure: nothing was confirmed, and the next fetch asks for the same again."""
        pause = self._backoff.next(problem.wait if isinstance(problem, TelegramAway) else 0.0)
        match problem:
            case OtherPoller():
                event = "poll.conflict"
            case StoreUnavailable():
                event = "store.unavailable"
            case _:
                event = "poll.failed"
        log.warning(
            event, extra={"problem": str(problem), "failures": self._backoff.failures, "wait_s": round(pause, 1)}
        )
        self._watchdog.beat(pause)
        await stop.pause(pause)

    async def _end_webhook(self) -> None:
        """Telegram answers 409 to every fetch while a webhook is set; one may be left from another time."""
        try:
            await self._telegram.use_polling()
        except Misconfigured:
            raise
        except CohortError as problem:
            log.warning("webhook.not_ended", extra={"problem": str(problem)})

    async def _confirm(self, offset: int | None) -> None:
        """Tell Telegram of the last batch. Without it, it would only come again and count as seen."""
        if offset is None:
            return
        try:
            await self._telegram.updates(offset, hold=timedelta(0), limit=1)
            log.info("poll.confirmed")
        except CohortError as problem:
            log.warning("poll.not_confirmed", extra={"problem": str(problem)})


class _Unnumbered(CohortError):  # noqa: N818 - an event
    """Telegram gave updates without a number."""


def _number(update: object) -> int | None:
    found = cast("dict[str, Any]", update).get("update_id") if isinstance(update, dict) else None
    return found if type(found) is int else None
