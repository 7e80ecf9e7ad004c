"""An answer that grows on the screen while its turn runs (``workers.interfaces.LiveAnswer``): typing, text, steps.

Frames are best effort: they are dropped where they would have to wait, and no fault of theirs reaches the turn.
"""

import asyncio
import logging
from types import TracebackType
from typing import Self

from telegram.error import TelegramError

from botapi.calls import Calls
from botapi.pacing import RateLimited, StillOurs, speaking_if
from botapi.refusals import said
from botapi.split import Part
from tasks.clock import Clock
from tasks.envelope import Reply
from tasks.errors import ClaimLost, StoreUnavailable
from tasks.session import SessionKey
from tasks.waiting import came_within
from workers.progress import Progress
from workers.showing import NO_TRACE, Step, Trace, Unheard, goes_on
from workers.telegram.growing_text import GrowingText
from workers.telegram.render import BEGINNING, GOES_ON, growing, with_lines
from workers.telegram.screen import Frame, FramesEnded, Screen
from workers.telegram.tempo import Tempo
from workers.thoughts import Thoughts

log = logging.getLogger("cohort.telegram")

_LONGEST_PAUSE = 10.0
"""Seconds between two looks for room in a chat that a flood holds."""
_AGAIN = 1.0
"""Seconds after which a typing action that found no room is tried again, at least."""
_LONG = 2_000
"""Characters beyond which a text is read in a thread."""
_STORE_AWAY = 1.0
"""Seconds after which a frame is tried again while Redis cannot say who owns the session."""


class Live:
    """Use as an async context manager; leaving it waits for the frame in flight. What the turn calls never blocks."""

    def __init__(  # noqa: PLR0913 - what `Delivery.live` is given, and what the delivery adds
        self,
        calls: Calls,
        screen: Screen | None,
        session: SessionKey,
        *,
        still_ours: StillOurs,
        clock: Clock,
        tempo: Tempo,
        most: int,
        thinking: str,
        unheard: Unheard = goes_on,
    ) -> None:
        """Show a turn.

        Args:
            calls: For the typing action.
            screen: Where its text and steps grow; None shows typing alone.
            session: Where.
            still_ours: See ``workers.interfaces.Delivery``.
            clock: Time.
            tempo: The worker's.
            most: Messages that the answer may grow over.
            thinking: What is shown of the model's thoughts: ``hide``, ``fold`` or ``show``.
            unheard: Told why Telegram shows no more.
        """
        self._calls = calls
        self._screen = screen
        self._session = session
        self._still_ours = still_ours
        self._clock = clock
        self._tempo = tempo
        self._most = most
        self._thinking = thinking
        self._unheard = unheard
        self._thoughts = Thoughts()
        self._heard = ""

        self._growing = GrowingText(BEGINNING * most)
        self._read: tuple[tuple[str, Trace], list[Part]] = ("", NO_TRACE), []
        self._began = clock.monotonic()
        self._progress = Progress(self._began, tempo.tick(session.chat))
        self._over = False
        self._news = asyncio.Event()
        self._end = asyncio.Event()
        self._typing_at = self._began + tempo.first_typing
        self._frame_at: float | None = None
        self._frames: asyncio.TaskGroup | None = None
        self._blind = False

    # -- what the turn sees

    @property
    def message_ids(self) -> tuple[int, ...]:
        """The messages that the final text must edit."""
        return tuple(self._screen.ids) if self._screen is not None else ()

    @property
    def stands(self) -> str | None:
        """See ``workers.interfaces.LiveAnswer``."""
        return self._screen.stands if self._screen is not None else None

    def settled(self, reply: Reply) -> bool:
        """Whether the message that a reply edits surely shows it already."""
        if self._screen is None or reply.edit is None or reply.buttons or reply.drops or reply.rich:
            return False
        return self._screen.settled(reply.edit, Part(reply.text, reply.entities))

    def text(self, so_far: str) -> None:
        """The whole answer so far, Markdown; an empty string takes back what was shown."""
        self._growing.begin()
        if so_far:
            self.more(so_far)
        else:
            self._took_back()

    def begin_again(self) -> None:
        """The turn is tried again; what was shown stays until as much is said."""
        self._growing.begin_again(self._thoughts.text)
        self._took_back()

    def _took_back(self) -> None:
        self._thoughts.clear()
        self._progress.took_back()
        self._news.set()

    def thought(self, text: str) -> None:
        """The model thinks on."""
        if self._thinking != "hide":
            self._thoughts.add(text)
            self._news.set()

    def heard(self, words: str) -> None:
        """What the user's recordings say."""
        self._heard = words
        self._news.set()

    def more(self, text: str) -> None:
        """The answer goes on with this."""
        self._growing.more(text)
        self._thoughts.answer_begins()
        self._progress.wrote()
        self._news.set()

    def step(self, step: Step) -> None:
        """A tool call begins, goes on, or has ended."""
        self._progress.step(step, self._clock.monotonic())
        self._news.set()

    def phase(self, words: str) -> None:
        """The turn does something else ("" when that ends)."""
        self._progress.phase(words, self._clock.monotonic())
        self._news.set()

    async def __aenter__(self) -> Self:
        self._frames = await asyncio.TaskGroup().__aenter__()
        self._frames.create_task(self._run(), name=f"live {self._session}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._news.set()
        self._end.set()
        frames, self._frames = self._frames, None
        if frames is not None:
            # It holds the turn's task, whose context holds what holds this. The turn's own exception must not come out
            # wrapped in a group.
            await frames.__aexit__(None, None, None)

    # -- what the screen sees

    async def _run(self) -> None:
        # A process that was paused would write over what the session's next owner shows in the same message.
        with speaking_if(self._still_ours):
            await self._show_all()

    async def _show_all(self) -> None:
        counted = False
        try:
            while not self._over:
                self._news.clear()
                if self._screen is None or self._blind or not self._has_something(self._screen):
                    await came_within(self._news, await self._type())
                    continue
                if not counted:
                    counted = True
                    self._tempo.growing += 1
                try:
                    await self._step(self._screen)
                except FramesEnded as end:
                    if not end.types:
                        await self._unheard(str(end))
                        return
                    self._blind = True
        except ClaimLost:
            pass
        except Exception:
            log.exception("frames.failed")
        finally:
            self._tempo.growing -= counted

    def _has_something(self, screen: Screen) -> bool:
        text, thoughts = self._growing.shown(self._thoughts.text)
        return bool(text.strip() or thoughts or self._heard) or self._progress.begun or not screen.blank

    async def _type(self) -> float:
        """Show typing when nothing was to be seen for as long as it shows; the seconds until it is due again."""
        now = self._clock.monotonic()
        if now < self._typing_at:
            return self._typing_at - now
        self._typing_at = now + self._tempo.typing
        try:
            await self._calls.typing(self._session)
        except RateLimited as dropped:
            # Many that wait would ask all the time: each permit that comes free is near for all of them.
            self._typing_at = now + min(max(dropped.seconds, _AGAIN), self._tempo.typing)
        except StoreUnavailable:
            self._typing_at = now + _STORE_AWAY
        except TelegramError as error:
            log.info("typing.refused", extra={"said": said(error)})
            await self._unheard(error.message)
        return max(self._typing_at - self._clock.monotonic(), 0)

    async def _frame(self) -> Frame:
        """What is to be seen now."""
        now = self._clock.monotonic()
        (text, thoughts), lines = self._growing.shown(self._thoughts.text), self._progress.lines(now)
        trace = Trace(thoughts=thoughts, folds=self._thinking == "fold", heard=self._heard)
        if self._session.inline is not None and not text.strip() and not lines:
            # No typing sign says there that an answer comes, and a question alone looks as if it had ended.
            text = GOES_ON
        if (wanted := (text, trace)) != self._read[0]:
            # A message's worth of lists or links takes a tenth of a second to be read.
            if len(text) + len(thoughts) <= _LONG:
                parts = growing(text, self._most, trace)
            else:
                parts = await asyncio.to_thread(growing, text, self._most, trace)
            self._read = wanted, parts
            if self.stands is None:
                self._typing_at = now + self._tempo.typing
        parts = with_lines(self._read[1], lines) or [Part(GOES_ON)]
        return Frame(tuple(parts), stop=now - self._began >= self._tempo.stop)

    async def _step(self, screen: Screen) -> None:
        now = self._clock.monotonic()
        if self._frame_at is None:
            self._frame_at = now + self._tempo.settle
        if now < self._frame_at:
            await came_within(self._end, self._frame_at - now)
            return
        if screen.older:
            await screen.look()
        frame = await self._frame()
        if screen.holds(frame):
            self._frame_at = now + (pause := self._tempo.interval(self._session.chat))
            await came_within(self._news, min(await self._type(), pause))
            return
        if screen.shows(frame):
            # An unchanged message needs no frame. Its seconds go on, a draft would fade, a Stop button may come.
            self._frame_at = now + self._tempo.interval(self._session.chat, len(frame.parts))
            pause = await self._type()
            await came_within(self._news, min(pause, *self._changes(now)))
            return
        await self._show(screen, frame)

    def _changes(self, now: float) -> list[float]:
        """Seconds until a frame may be due although nothing was heard of the turn."""
        until = self._progress.until_changed(now)
        stop = self._began + self._tempo.stop - now
        return [self._tempo.draft, *([] if until is None else [until]), *([stop] if stop > 0 else [])]

    async def _show(self, screen: Screen, frame: Frame) -> None:
        """Show a frame if there is room.

        Raises:
            FramesEnded: no further frame has a chance, or a right, to be shown.
        """
        pause = self._tempo.interval(self._session.chat, len(frame.parts))
        try:
            await screen.show(frame)
        except StoreUnavailable:
            pause = _STORE_AWAY
        except RateLimited as dropped:
            pause = min(dropped.seconds, _LONGEST_PAUSE)
        except TelegramError as error:
            pause = screen.after(frame, error, pause)
        self._frame_at = self._clock.monotonic() + pause
