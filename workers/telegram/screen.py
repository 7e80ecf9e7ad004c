"""What Telegram shows of a growing answer, and the next call that brings it nearer to what it should show."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from zlib import crc32

from telegram.error import RetryAfter, TelegramError

from botapi.calls import Calls
from botapi.pacing import Priority
from botapi.refusals import Refusal, classify, perhaps_done, said, seconds
from botapi.shape import Shape
from botapi.split import Part
from tasks.clock import Clock
from tasks.envelope import Button
from tasks.errors import ClaimLost
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.text import utf16
from workers import texts
from workers.telegram.render import GOES_ON, without_lines, words_of

log = logging.getLogger("cohort.telegram")


_TYPES_ON = (Refusal.NEW, Refusal.AGAIN, Refusal.UNKNOWN)
"""A message that a person deleted, one that perhaps stands there, and what is not known."""


class FramesEnded(Exception):  # noqa: N818 - an outcome
    """No more frames in this turn."""

    def __init__(self, said: str = "", *, types: bool = False) -> None:
        super().__init__(said)
        self.types = types
        """Whether the chat still takes a typing sign, which then is all that says that the answer comes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is to be seen: the answer's messages so far, and whether the last one has a Stop button."""

    parts: tuple[Part, ...]
    stop: bool = False


@dataclass(slots=True)
class Screen:
    """The messages of one answer. Each ``show`` makes one call at most."""

    calls: Calls
    session: SessionKey
    clock: Clock
    reply_to: int | None
    ids: list[int]
    """The answer's messages, in order."""
    created: Callable[[int], Awaitable[None]]
    draft: bool = False
    """The last part is shown as a draft; only the ones before it are messages."""
    older: bool = False
    """The last of ``ids`` shows words of a dead worker's try, and is to be looked at."""
    turn: str = ""
    """Its name: where a worker died, the next one's draft is the same draft, and not a second one beside it."""
    thinking: str = "hide"
    """How the chat sees thoughts, which are not among the words that stand there."""
    draft_again: float = 20.0
    """Seconds after which a draft has to be shown once more."""
    _draft: tuple[Part | None, float] = (None, 0.0)
    _shown: dict[int, tuple[Part, bool]] = field(default_factory=dict[int, tuple[Part, bool]])
    _doubtful: set[int] = field(default_factory=set[int])
    """Parts with a call that failed and may take effect later."""
    _stands: Part | None = None
    """These words, while this try has said less."""
    _plain: bool = False
    _bare: bool = False

    @property
    def _draft_id(self) -> int:
        # Below 2**31 with the places of all parts, and never zero.
        return crc32(f"{self.session} {self.turn}".encode()) // 4 + 1

    @property
    def blank(self) -> bool:
        """Whether nothing was shown."""
        return not self.ids and self._draft[0] is None

    @property
    def stands(self) -> str | None:
        """See ``workers.interfaces.LiveAnswer``."""
        if self.older or self._stands is None:
            return "" if self.older else None
        return words_of(self._stands, self.thinking) if len(self.ids) == 1 else self._stands.text

    async def look(self) -> None:
        """Learn what a dead worker's try has shown, which Telegram alone knows; its message gets a Stop button."""
        part: Part | None = None
        try:
            here, other = (stop_button(), ()) if self.session.takes_controls else ((), stop_button())
            part = await self.calls.look(self.session, self.ids[-1], buttons=here, other=other)
        except TelegramError as error:
            log.info("frames.not_known", extra={"said": said(error)})
        self.older = False
        if part is not None:
            self._shown[len(self.ids) - 1] = part, self.session.takes_controls
            words = without_lines(part)
            # Where only steps stand, there are no words to be taken away.
            self._stands = words if words.text.strip() else None

    def holds(self, frame: Frame) -> bool:
        """Whether a frame shows less than what stands there: then it would take words away from their reader."""
        if self._stands is not None:
            sizes = len(frame.parts), utf16(without_lines(frame.parts[-1]).text)
            if sizes >= (len(self.ids), utf16(self._stands.text)):
                self._stands = None
        return self._stands is not None

    def settled(self, message_id: int, part: Part) -> bool:
        """Whether a message surely shows this part, without a button, and stays so."""
        place = self.ids.index(message_id) if message_id in self.ids else -1
        return self._shown.get(place) == (part, False) and place not in self._doubtful

    def shows(self, frame: Frame) -> bool:
        """Whether there is nothing to do for it."""
        return self._next(frame) is None

    async def show(self, frame: Frame) -> None:
        """Make the next call for it.

        Raises:
            FramesEnded: the new message could not be stored.
            TelegramError, RateLimited, StoreUnavailable, ClaimLost: the call failed; ``after`` says what follows.
        """
        place = self._next(frame)
        if place is None:
            return
        part, stop = self._wanted(frame)[place]
        if self._is_draft(frame, place):
            await self.calls.draft(self.session, self._draft_id + place, part, first=self.blank)
            self._draft = part, self.clock.monotonic()
        elif place < len(self.ids):
            await self.calls.frame(self.session, self.ids[place], part, buttons=stop_button() if stop else ())
            self._shown[place] = part, stop
        else:
            reply_to = self.reply_to if place == 0 else None
            buttons = stop_button() if stop else ()
            shape = Shape(part.text, part.entities, reply_to=reply_to, topic=self.session.topic, buttons=buttons)
            priority = Priority.FIRST if self.blank else Priority.FRAME
            self.ids.append(await self.calls.create(self.session, shape, priority=priority))
            self._shown[place] = part, stop
            await self._note(self.ids[-1])

    def after(self, frame: Frame, error: TelegramError, pause: float) -> float:
        """What a refused call means for the next one.

        Returns:
            Seconds to pause.

        Raises:
            FramesEnded: there will be none.
        """
        place = self._next(frame) or 0
        refusal = classify(error)
        if perhaps_done(error):
            self._doubtful.add(place)
        match refusal:
            case Refusal.DONE:
                self._shown[place] = self._wanted(frame)[place]
            case Refusal.FLOOD if isinstance(error, RetryAfter):
                return seconds(error)
            case Refusal.PLAIN if not self._plain:
                self._plain = True
            case Refusal.NO_BUTTONS if not self._bare:
                self._bare = True
            case Refusal.AGAIN if place < len(self.ids) or not perhaps_done(error):
                # Not a `Backoff`: no failures are counted, as the chat's tempo gives the pause of each next try.
                return pause * 2
            case _ if self.draft:
                # A server without drafts, or a chat that takes none.
                self.draft = False
            case _:
                log.info("frames.ended", extra={"said": said(error)})
                raise FramesEnded(error.message, types=refusal in _TYPES_ON) from error
        return pause

    def _wanted(self, frame: Frame) -> list[tuple[Part, bool]]:
        last = len(frame.parts) - 1
        stop = frame.stop and self.session.takes_controls and not self._bare
        wanted = [
            (Part(part.text) if self._plain else part, stop and place == last) for place, part in enumerate(frame.parts)
        ]
        # What was taken back leaves its messages for what comes instead.
        return wanted + [(Part(GOES_ON), False)] * (len(self.ids) - len(wanted))

    def _is_draft(self, frame: Frame, place: int) -> bool:
        return self.draft and place == len(frame.parts) - 1 and place >= len(self.ids)

    def _next(self, frame: Frame) -> int | None:
        """The first part that is not as it should be."""
        for place, wanted in enumerate(self._wanted(frame)):
            if self._is_draft(frame, place):
                part, at = self._draft
                if part != wanted[0] or self.clock.monotonic() - at >= self.draft_again:
                    return place
            elif self._shown.get(place) != wanted:
                return place
        return None

    async def _note(self, message_id: int) -> None:
        """Have the new message's id stored.

        Raises:
            FramesEnded: it could not be: a message that is not known would be left behind.
        """
        try:
            await self.created(message_id)
        except ClaimLost:
            # Another worker answers, in its own message.
            self.ids.remove(message_id)
            with suppress(TelegramError):
                await self.calls.delete(self.session, message_id)
            raise FramesEnded from None
        except Exception as problem:
            log.warning("frames.not_stored", extra={"problem": type(problem).__name__})
            raise FramesEnded from problem


def stop_button() -> tuple[tuple[Button, ...], ...]:
    return ((Button(text=phrase("button-stop"), data=texts.STOP_DATA),),)
