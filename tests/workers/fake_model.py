"""A model that a test scripts, and the runtime in front of it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tasks.envelope import OutFile
from tests.workers.fakes import Changes, Hold
from workers.interfaces import Sink, TurnFailed, TurnRequest, TurnResult
from workers.showing import Step
from workers.usage import CallSeen, Usage


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
        self.standing: dict[str, str] = {}
        """What a turn's people are refused, as those of its next messages will be, by its message."""

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
        standing = tuple(words for text, words in self.standing.items() if text in said)
        used = Usage(10, 5, "scripted")
        spoken = any(media.kind == "voice" for message in request.messages for media in message.media)
        return TurnResult(
            f"answer to {said}",
            history,
            used,
            notices=(*told, *standing),
            standing=frozenset(standing),
            files=files,
            spoken=spoken,
            dropped=dropped,
        )


NEWER = b'"of a newer release"'


class ScriptedHistories:
    """Histories as ``Model`` writes them: JSON lists of texts."""

    async def stopped(self, request: TurnRequest, shown: str) -> bytes:
        said = [*json.loads(request.history or b"[]"), *(message.text for message in request.messages)]
        steps = [entry.decode() for entry in request.steps.kept] if request.steps is not None else []
        return json.dumps([*said, *steps, f"{shown} [stopped]"]).encode()

    async def without_last(self, stored: bytes | None) -> bytes | None:
        if stored == NEWER:
            raise TurnFailed("operator", "written by a newer version", "version 2")
        said = json.loads(stored or b"[]")
        left = json.dumps(said[:-1]).encode() if said[1:] else b""
        return left if said else None

    async def unreadable(self, stored: bytes) -> str:
        return "written by a newer version" if stored == NEWER else ""


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
