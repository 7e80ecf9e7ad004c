"""The outer parts of a worker, scripted: the agent runtime, Telegram, time. They satisfy ``workers.interfaces``."""

import asyncio
import json
import re
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from botapi.errors import ChatMigrated, Undeliverable
from tasks.envelope import OutFile, Reply
from tasks.session import SessionKey
from workers.interfaces import LiveAnswer, Sink, TurnRequest, TurnResult
from workers.showing import NO_TRACE, Showing, Step, Trace
from workers.telegram.render import render
from workers.usage import CallSeen, Usage

PATIENCE_S = 60


def without_reference(text: str) -> str:
    """An apology without the reference at its end."""
    return re.sub(r" \(Ref [0-9a-f]{6}\)$", "", text)


class Killed(BaseException):
    """kill -9, as seen from inside."""


class Changes:
    """Something that tests wait for."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self) -> None:
        self._changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


class FakeClock:
    """Stands still until it is told to advance."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


class Naps:
    """``sleep`` that returns at once, and moves the clock, unless it is held."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.taken: list[float] = []
        self.changes = Changes()
        self.awake = asyncio.Event()
        self.awake.set()

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self._clock.advance(seconds)
        self.changes.tell()
        await self.awake.wait()


@dataclass
class Hold:
    """A place where something waits until the test lets it go on."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def here(self) -> None:
        self.begun.set()
        await self.go.wait()

    async def reached(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.begun.wait()


@dataclass
class Chat:
    """What a user sees: message id -> text, in order."""

    shown: dict[int, str] = field(default_factory=dict)


class Telegram:
    """All chats, as every worker's delivery changes them."""

    def __init__(self) -> None:
        self.chats: dict[SessionKey, Chat] = {}
        self.delivered: list[tuple[SessionKey, Reply]] = []
        self.noted: set[int] = set()
        self.answers_late: Hold | None = None
        self.changes = Changes()
        self._last_id = 100

    def chat(self, session: SessionKey) -> Chat:
        return self.chats.setdefault(session, Chat())

    def create(self, session: SessionKey, text: str) -> int:
        self._last_id += 1
        self.chat(session).shown[self._last_id] = text
        self.changes.tell()
        return self._last_id

    def edit(self, session: SessionKey, message_id: int, text: str) -> None:
        self.chat(session).shown[message_id] = text
        self.changes.tell()

    def note(self, message_id: int) -> None:
        """Redis knows it now."""
        self.noted.add(message_id)
        self.changes.tell()

    def take(self, session: SessionKey, reply: Reply) -> int:
        self.delivered.append((session, reply))
        for message_id in reply.drops:
            self.chat(session).shown.pop(message_id, None)
        if reply.edit is None:
            return self.create(session, reply.text)
        self.edit(session, reply.edit, reply.text)
        return reply.edit

    def texts(self, session: SessionKey) -> list[str]:
        """What was delivered, in order, without the references of apologies (``test_references.py`` looks at those)."""
        return [without_reference(reply.text) for where, reply in self.delivered if where == session]

    def answered(self, session: SessionKey) -> list[int]:
        """Update ids that the delivered replies answer, in order."""
        return [ident for where, reply in self.delivered if where == session for ident in reply.answers]

    def ended(self) -> set[int]:
        """Update ids with an answer."""
        return {ident for _, reply in self.delivered for ident in reply.answers}

    async def until_delivered(self, count: int) -> None:
        await self.changes.until(lambda: len(self.delivered) >= count)


class ScriptedLive:
    """Shows each text at once, from a task of its own, as the real one does; a form feed begins a message."""

    def __init__(
        self,
        telegram: Telegram,
        session: SessionKey,
        message_ids: Sequence[int],
        created: Callable[[int], Awaitable[None]],
        still_ours: Callable[[], Awaitable[None]],
    ) -> None:
        self._still_ours = still_ours
        self._telegram = telegram
        self._session = session
        self._created = created
        self._news = asyncio.Event()
        self._over = False
        self._text = ""
        self.message_ids = tuple(message_ids)

    def text(self, so_far: str) -> None:
        self._text = so_far
        self._news.set()

    def more(self, text: str) -> None:
        self._text += text
        self._news.set()

    def thought(self, text: str) -> None:
        self._news.set()

    def heard(self, words: str) -> None:
        self._news.set()

    def step(self, step: Step) -> None:
        self._news.set()

    def phase(self, words: str) -> None:
        self._news.set()

    def settled(self, reply: Reply) -> bool:
        return reply.edit is not None and self._telegram.chat(self._session).shown.get(reply.edit) == reply.text

    def end(self) -> None:
        self._over = True
        self._news.set()

    async def run(self) -> None:
        try:
            while not self._over:
                await self._news.wait()
                self._news.clear()
                if not self._text:
                    continue
                await self._still_ours()
                for place, part in enumerate(self._text.split("\f")):
                    await self._show(place, part)
        except Exception:  # noqa: BLE001 - "its failure ends the frames"
            return

    async def _show(self, place: int, part: str) -> None:
        if place < len(self.message_ids):
            self._telegram.edit(self._session, self.message_ids[place], part)
            return
        message_id = self._telegram.create(self._session, part)
        if self._telegram.answers_late is not None:
            await self._telegram.answers_late.here()
        self.message_ids = (*self.message_ids, message_id)
        await self._created(message_id)
        self._telegram.note(message_id)


class ScriptedDelivery:
    """One worker's way to Telegram."""

    def __init__(self, telegram: Telegram, is_dead: Callable[[], bool]) -> None:
        self.telegram = telegram
        self._is_dead = is_dead
        self.gone: set[SessionKey] = set()
        self.moved: dict[SessionKey, int] = {}
        self.before: Callable[[SessionKey, Reply], Awaitable[None]] | None = None
        self.unrenderable = ""
        self.rendered_in: list[bool] = []
        self.dropped: list[str] = []
        """Files that are delivered."""

    @asynccontextmanager
    async def live(
        self,
        session: SessionKey,
        showing: Showing,
        *,
        created: Callable[[int], Awaitable[None]],
        still_ours: Callable[[], Awaitable[None]],
    ) -> AsyncGenerator[LiveAnswer]:
        live = ScriptedLive(self.telegram, session, showing.message_ids, created, still_ours)
        frames = asyncio.TaskGroup()
        await frames.__aenter__()
        frames.create_task(live.run(), name="live")
        try:
            yield live
        finally:
            live.end()
            # As the real one: what ended the turn must not come out as a group.
            await frames.__aexit__(None, None, None)

    def delivered(self, session: SessionKey, reply: Reply) -> None:
        self.dropped += [file.name for file in reply.files]

    async def deliver(
        self, session: SessionKey, reply: Reply, *, still_ours: Callable[[], Awaitable[None]] | None = None
    ) -> int | None:
        if self.before is not None:
            await self.before(session, reply)
        if still_ours is not None:
            await still_ours()
        if self._is_dead():
            raise Killed
        if session in self.moved:
            raise ChatMigrated(self.moved[session])
        if session in self.gone:
            raise Undeliverable("bot was blocked")
        return self.telegram.take(session, reply)

    def render(
        self,
        markdown: str,
        *,
        edits: Sequence[int] = (),
        reply_to: int | None = None,
        notes: Sequence[str] = (),
        trace: Trace = NO_TRACE,
        alone: bool = False,
    ) -> tuple[Reply, ...]:
        self.rendered_in.append(threading.current_thread() is threading.main_thread())
        if self.unrenderable and self.unrenderable in markdown:
            raise ValueError("a defect in rendering")
        if "![" in markdown:
            return render(markdown, edits=edits, reply_to=reply_to, notes=notes, trace=trace)
        text = "\n\n".join(part for part in (trace.thoughts, markdown, *notes, *trace.steps) if part)
        parts = text.split("\f")
        *before, last = [
            Reply(text=part, edit=dict(enumerate(edits)).get(place), reply_to=None if place else reply_to)
            for place, part in enumerate(parts)
        ]
        return (*before, last.model_copy(update={"drops": tuple(edits[len(parts) :])}))


@dataclass
class Call:
    """One model call: which worker, what it saw, how it ended, and who was at the same session when it began."""

    worker: str
    request: TurnRequest
    end: str = "running"
    beside: tuple[str, ...] = ()

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.request.messages]

    @property
    def history(self) -> list[str]:
        return json.loads(self.request.history or b"[]")


class Model:
    """What every worker's runtime does, and what it was asked."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.changes = Changes()
        self._holds: dict[str, Hold] = {}
        self._faults: dict[str, list[BaseException]] = {}
        self.partial: dict[str, str] = {}
        self.more: dict[str, str] = {}
        """As ``partial``, but shown after the turn was held."""
        self.called: dict[str, list[CallSeen]] = {}
        """What a turn on a text tells of its model calls."""
        self.steps: dict[str, list[Step]] = {}
        """Steps that a turn takes, by its message."""
        self.thoughts: dict[str, str] = {}
        """What a turn thinks, by its message."""
        self.files: dict[str, tuple[OutFile, ...]] = {}
        """Files that a turn's tools give, by its message."""
        self.dropped: dict[str, dict[str, str]] = {}
        """What a session chose and cannot have, with the words for it, by its message."""

    def hold(self, text: str) -> Hold:
        """Turns with a message that contains ``text`` wait."""
        return self._holds.setdefault(text, Hold())

    def fail(self, text: str, *faults: BaseException) -> None:
        """Turns with a message that contains ``text`` end so, one after the other."""
        self._faults[text] = list(faults)

    def saw(self) -> list[list[str]]:
        return [call.texts for call in self.calls]

    def _show(self, said: str, sink: Sink) -> None:
        """What turns with such a message show before they are held."""
        for text, shown in self.partial.items():
            if text in said:
                sink.text(shown)
        for text, steps in self.steps.items():
            for step in steps if text in said else ():
                sink.step(step)
        for text, thoughts in self.thoughts.items():
            if text in said:
                sink.thought(thoughts)

    async def _before_end(self, said: str) -> None:
        """Turns that a message joined wait at ``joined`` and its text."""
        for text, hold in tuple(self._holds.items()):
            if text.startswith("joined ") and text.removeprefix("joined ") in said:
                await hold.here()

    def _break(self, said: str) -> None:
        for text, faults in self._faults.items():
            if text in said and faults:
                raise faults.pop(0)

    async def answer(self, worker: str, request: TurnRequest, sink: Sink | None) -> TurnResult:
        beside = (c.worker for c in self.calls if c.end == "running" and c.request.session == request.session)
        call = Call(worker, request, beside=tuple(beside))
        self.calls.append(call)
        self.changes.tell()
        try:
            texts = [*call.texts]
            said = " ".join(texts)
            if sink is not None:
                self._show(said, sink)
            for text, hold in tuple(self._holds.items()):
                if text in said:
                    await hold.here()
            for text, shown in self.more.items():
                if text in said and sink is not None:
                    sink.text(shown)
            if request.steering is not None:
                # A second model call.
                request.steering.restart()
                newer = await request.steering.newer()
                request.steering.joined(newer)
                texts += [message.text for message in newer]
                said = " ".join(texts)
                await self._before_end(said)
            self._break(said)
            for seen in self.called.get(said, ()):
                request.called(seen)
        except BaseException as problem:
            call.end = type(problem).__name__
            raise
        finally:
            self.changes.tell()
        call.end = "answered"
        history = json.dumps([*call.history, *texts]).encode()
        gone = next((gone for text, gone in self.dropped.items() if text in said), {})
        told, dropped = tuple(gone.values()), tuple(gone)
        files = next((files for text, files in self.files.items() if text in said), ())
        used = Usage(10, 5, "scripted")
        return TurnResult(f"answer to {said}", history, used, notices=told, files=files, dropped=dropped)


class ScriptedHistories:
    """Histories as ``Model`` writes them: JSON lists of texts."""

    async def stopped(self, request: TurnRequest, shown: str) -> bytes:
        said = [*json.loads(request.history or b"[]"), *(message.text for message in request.messages)]
        steps = [entry.decode() for entry in request.steps.kept] if request.steps is not None else []
        return json.dumps([*said, *steps, f"{shown} [stopped]"]).encode()

    async def without_last(self, stored: bytes | None) -> bytes | None:
        said = json.loads(stored or b"[]")
        return json.dumps(said[:-1]).encode() if said else None


class ScriptedRuntime:
    """One worker's runtime: so many lanes."""

    def __init__(self, model: Model, worker: str, lanes: int = 32) -> None:
        self._model = model
        self._worker = worker
        self._lanes = asyncio.Semaphore(lanes)
        self.waiting = Changes()
        self.wanted = 0
        self.queued = 0
        """Turns that had to wait for a lane."""
        self.histories = ScriptedHistories()

    @property
    def agents(self) -> tuple[str, ...]:
        return ("agent",)

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        self.wanted += 1
        self.waiting.tell()
        async with self._lane(request):
            return await self._model.answer(self._worker, request, sink)

    @asynccontextmanager
    async def _lane(self, request: TurnRequest) -> AsyncGenerator[None]:
        if self._lanes.locked() and request.tried is not None:
            await request.tried.waits(long=True)
            self.queued += 1
            self.waiting.tell()
        async with self._lanes:
            if request.tried is not None:
                await request.tried.runs()
            yield

    async def compact(self, request: TurnRequest) -> TurnResult:
        async with self._lane(request):
            result = await self._model.answer(self._worker, request, None)
        return TurnResult("compacted", b'["summary"]', result.usage)
