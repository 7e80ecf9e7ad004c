"""Cancels running turns from a thread: later updates must not wait until all workers were told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from tasks.envelope import Inbound
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey

log = logging.getLogger("cohort.bot")


class Remote(Protocol):
    """Remote control of the workers (``tasks.doorbell.Doorbells``): blocking; may raise ``StoreUnavailable``."""

    def interrupt(self, session: SessionKey) -> None:
        """Cancel the session's running turn."""
        ...

    def begin_again(self, session: SessionKey) -> None:
        """End the session's running turn, whose messages are not what they were."""
        ...


CUTS = ("stop", "new")
"""Kinds of control words that end a running turn; others are looked after only."""
_WATCHED = 1_000
"""Control words that are looked after at a time."""


class Interrupts:
    """Queues interrupts without waiting; ``run`` sends them in order."""

    def __init__(self, remote: Remote, watch: Callable[[Inbound], Awaitable[None]] | None = None) -> None:
        """``watch``: looks after a control word from then on (``bot.stand_in``)."""
        self._remote = remote
        self._watch = watch
        self._watched = 0
        self._orders: list[Inbound | SessionKey] = []
        self._ordered = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def order(self, words: Iterable[Inbound]) -> None:
        """Queue an interrupt of the running turns that these control words end; each word is looked after."""
        self._orders.extend(words)
        self._go_on()

    def begin_again(self, session: SessionKey) -> None:
        """Queue the end of a running turn whose messages are not what they were."""
        self._orders.append(session)
        self._go_on()

    def _go_on(self) -> None:
        if self._orders:
            self._idle.clear()
            self._ordered.set()

    async def run(self) -> None:
        """Send interrupts until cancelled."""
        async with asyncio.TaskGroup() as watching:
            while True:
                await self._ordered.wait()
                self._ordered.clear()
                while self._orders:
                    word = self._orders.pop(0)
                    if isinstance(word, SessionKey):
                        await asyncio.to_thread(self._carry_out, self._remote.begin_again, word)
                        continue
                    if word.kind in CUTS:
                        await asyncio.to_thread(self._carry_out, self._remote.interrupt, word.key)
                    if self._watch is not None and self._watched < _WATCHED:
                        self._watched += 1
                        watching.create_task(self._look_after(word, self._watch), name=f"word {word.session}")
                self._idle.set()

    async def _look_after(self, word: Inbound, watch: Callable[[Inbound], Awaitable[None]]) -> None:
        try:
            await watch(word)
        except Exception:
            log.exception("interrupt.failed", extra={"session": word.session})
        finally:
            self._watched -= 1

    async def flush(self) -> None:
        """Wait until all queued interrupts were sent."""
        await self._idle.wait()

    def _carry_out(self, what: Callable[[SessionKey], None], session: SessionKey) -> None:
        try:
            what(session)
        except StoreUnavailable as problem:
            log.warning("interrupt.missed", extra={"session": str(session), "problem": str(problem)})
        except Exception:
            # The control word waits in the inbox, so the bot goes on after any fault of the broker's client.
            log.exception("interrupt.failed", extra={"session": str(session)})
