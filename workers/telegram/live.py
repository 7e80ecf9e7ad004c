"""An answer that grows on the screen while its turn runs (``workers.interfaces.LiveAnswer``): typing, then edited text.

Frames are best effort: they are dropped where they would have to wait, and no fault of theirs reaches the turn.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import randrange
from types import TracebackType
from typing import Literal, Self

from telegram.error import RetryAfter, TelegramError

from botapi.calls import Calls
from botapi.pacing import Priority, RateLimited, StillOurs, speaking_if
from botapi.refusals import Refusal, classify, perhaps_done, said, seconds
from botapi.shape import Shape
from botapi.split import Part
from tasks.clock import Clock
from tasks.errors import ClaimLost, StoreUnavailable
from tasks.session import SessionKey
from tasks.waiting import came_within
from workers.telegram.render import BEGINNING, GOES_ON, growing

log = logging.getLogger("cohort.telegram")

_LONGEST_PAUSE = 10.0
"""Seconds between two looks for room in a chat that a flood holds."""
_LONG = 2_000
"""Characters beyond which a text is read in a thread."""
_STORE_AWAY = 1.0
"""Seconds after which a frame is tried again while Redis cannot say who owns the session."""


@dataclass(slots=True)
class Tempo:
    """How fast answers grow, in seconds. One for each worker, because it counts the answers that grow now."""

    typing: float = 4.5
    """A typing action shows for five (Bot API, sendChatAction)."""
    first_typing: float = 1.0
    """The bot has shown one when it took the message; a quick answer needs no second call."""
    settle: float = 0.3
    """An answer that is complete by then is one message, not a message and its edit."""
    private: float = 1.0
    group: float = 3.0
    frames_a_second: float = 10.0
    """Of this worker, in all chats: a third of what Telegram lets the whole bot send."""
    draft: float = 20.0
    """A draft shows for thirty (Bot API, sendMessageDraft)."""
    growing: int = field(default=0, init=False)

    def interval(self, chat: int) -> float:
        """Between two frames in a chat; more while many answers grow."""
        return max(self.private if chat > 0 else self.group, self.growing / self.frames_a_second)


class _Ended(Exception):  # noqa: N818 - an outcome
    """No more frames in this turn."""


class Live:
    """Use as an async context manager; leaving it waits for the frame in flight. ``text`` and ``tool`` never block."""

    def __init__(  # noqa: PLR0913 - what `Delivery.live` is given, and what the delivery adds
        self,
        calls: Calls,
        session: SessionKey,
        *,
        mode: Literal["edit", "draft", "off"],
        reply_to: int | None,
        message_id: int | None,
        created: Callable[[int], Awaitable[None]],
        still_ours: StillOurs,
        clock: Clock,
        tempo: Tempo,
    ) -> None:
        self._calls = calls
        self._session = session
        self._reply_to = reply_to
        self._message_id = message_id
        self._created = created
        self._still_ours = still_ours
        self._clock = clock
        self._tempo = tempo
        self._silent = mode == "off"
        # A message of an earlier try is gone on with.
        wants_draft = mode == "draft" and session.chat > 0 and session.business is None and message_id is None
        self._draft_id = randrange(1, 2**31) if wants_draft else 0  # noqa: S311 - tells drafts apart, guards nothing

        self._text = ""
        self._tool: str | None = None
        self._shown: Part | None = None
        self._plain = False
        self._over = False
        self._news = asyncio.Event()
        self._end = asyncio.Event()
        self._typing_at = clock.monotonic() + tempo.first_typing
        self._frame_at: float | None = None
        self._frames = asyncio.TaskGroup()

    # -- what the turn sees

    @property
    def message_id(self) -> int | None:
        """The message that the final text must edit, or None when nothing was shown."""
        return self._message_id

    def text(self, so_far: str) -> None:
        """The whole answer so far, Markdown; an empty string takes back what was shown."""
        self._text = so_far[: BEGINNING + 1]
        self._news.set()

    def more(self, text: str) -> None:
        """The answer goes on with this."""
        # What comes after a message's worth is not seen before the answer is there.
        if len(self._text) <= BEGINNING:
            self._text = (self._text + text)[: BEGINNING + 1]
            self._news.set()

    def tool(self, name: str | None) -> None:
        """A tool is running (its name), or no longer (None)."""
        self._tool = name
        self._news.set()

    async def __aenter__(self) -> Self:
        await self._frames.__aenter__()
        self._frames.create_task(self._run(), name=f"live {self._session}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._news.set()
        self._end.set()
        # The turn's own exception must not come out wrapped in a group.
        await self._frames.__aexit__(None, None, None)

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
                if not self._has_something():
                    await self._type()
                    continue
                if not counted:
                    counted = True
                    self._tempo.growing += 1
                await self._step()
        except (_Ended, ClaimLost):
            pass
        except Exception:
            log.exception("frames.failed")
        finally:
            self._tempo.growing -= counted

    def _has_something(self) -> bool:
        return not self._silent and (bool(self._text.strip()) or self._tool is not None or self._shown is not None)

    async def _wanted(self) -> Part:
        text = self._text
        if text.strip():
            # A message's worth of lists or links takes a tenth of a second to be read.
            part = await asyncio.to_thread(growing, text) if len(text) > _LONG else growing(text)
            return Part(part.text) if self._plain else part
        return Part(_status(self._tool) if self._tool else GOES_ON)

    async def _type(self) -> None:
        """Typing shows until a message comes, so there is none once the answer's message is there."""
        now = self._clock.monotonic()
        if self._message_id is not None:
            await self._news.wait()
        elif now < self._typing_at:
            await came_within(self._news, self._typing_at - now)
        else:
            self._typing_at = now + self._tempo.typing
            try:
                await self._calls.typing(self._session)
            except RateLimited as dropped:
                self._typing_at = now + min(dropped.seconds, self._tempo.typing)
            except StoreUnavailable:
                self._typing_at = now + _STORE_AWAY
            except TelegramError as error:
                log.info("typing.refused", extra={"said": said(error)})

    async def _step(self) -> None:
        now = self._clock.monotonic()
        if self._frame_at is None:
            self._frame_at = now + self._tempo.settle
        if now < self._frame_at:
            await came_within(self._end, self._frame_at - now)
            return
        part = await self._wanted()
        if part == self._shown:
            # Beyond 4,096 units the visible text no longer changes, so back off instead of rendering per token.
            self._frame_at = now + self._tempo.interval(self._session.chat)
            # An unchanged message needs no frame; a draft would fade.
            if await came_within(self._news, self._tempo.draft if self._draft_id else None):
                return
        await self._frame(part)

    async def _frame(self, part: Part) -> None:
        """Show ``part`` if there is room.

        Raises:
            _Ended: no further frame has a chance, or a right, to be shown.
        """
        pause = self._tempo.interval(self._session.chat)
        try:
            await self._show(part)
            self._shown = part
        except StoreUnavailable:
            pause = _STORE_AWAY
        except RateLimited as dropped:
            pause = min(dropped.seconds, _LONGEST_PAUSE)
        except TelegramError as error:
            pause = self._after(error, part, pause)
        self._frame_at = self._clock.monotonic() + pause

    async def _show(self, part: Part) -> None:
        if self._draft_id:
            await self._calls.draft(self._session, self._draft_id, part)
        elif self._message_id is not None:
            await self._calls.frame(self._session, self._message_id, part)
        else:
            shape = Shape(part.text, part.entities, reply_to=self._reply_to, topic=self._session.topic)
            self._message_id = await self._calls.create(self._session, shape, priority=Priority.FRAME)
            await self._note(self._message_id)

    async def _note(self, message_id: int) -> None:
        """Have the new message's id stored.

        Raises:
            _Ended: it could not be: a message that is not known would be left behind.
        """
        try:
            await self._created(message_id)
        except ClaimLost:
            # Another worker answers, in its own message.
            self._message_id = None
            with suppress(TelegramError):
                await self._calls.delete(self._session, message_id)
            raise _Ended from None
        except Exception as problem:
            log.warning("frames.not_stored", extra={"problem": type(problem).__name__})
            raise _Ended from problem

    def _after(self, error: TelegramError, part: Part, pause: float) -> float:
        """What a refused frame means for the next one.

        Returns:
            Seconds to pause.

        Raises:
            _Ended: there will be none.
        """
        verdict = classify(error)
        match verdict:
            case Refusal.DONE:
                self._shown = part
            case Refusal.FLOOD if isinstance(error, RetryAfter):
                return seconds(error)
            case Refusal.PLAIN if not self._plain:
                self._plain = True
            case Refusal.AGAIN if self._message_id is not None or not perhaps_done(error):
                return pause * 2
            case _ if self._draft_id:
                # A server without drafts, or a chat that takes none.
                self._draft_id = 0
            case _:
                log.info("frames.ended", extra={"said": said(error)})
                raise _Ended from error
        return pause


def _status(tool: str) -> str:
    """One line for a running tool; a phrase (with blanks in it) is shown as it is."""
    name = tool if " " in tool else f"using {tool.replace('__', ': ').replace('_', ' ')}"
    return f"{name[:1].upper()}{name[1:60]}…"
