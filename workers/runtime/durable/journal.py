"""The journal of the turn that runs: steps that an earlier try finished are returned, new ones are kept.

Each try runs the turn from its beginning. A step is found by its key, which is made of what the step is (``entries``):
so members and child agents may run at the same time, and no step is ever taken for another one.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fast_agent.types import PromptMessageExtended
from mcp_types import CallToolResult

from tasks.errors import ClaimLost
from tasks.telemetry import metrics
from workers.runtime.durable import entries
from workers.runtime.durable import files as large
from workers.runtime.durable.entries import Kept
from workers.runtime.durable.place import ModelStep, answered_to, round_of, within
from workers.steps import PersonsAnswer, Question, StepLog, TurnParked
from workers.usage import Usage

log = logging.getLogger("cohort.runtime")


@dataclass(slots=True)
class _Unkept:
    """A model call that asked for no tool: kept when a further step begins."""

    call: ModelStep
    message: PromptMessageExtended
    used: Usage


journal_of_turn: ContextVar["StepJournal | None"] = ContextVar("journal_of_turn", default=None)
"""Set in a turn's task."""


@dataclass(slots=True)
class StepJournal:
    """Of one try of one turn. ``files``: the directory for large results, made when there is one."""

    steps: StepLog
    session: str
    files: Path
    answers: Mapping[str, PersonsAnswer] = field(default_factory=dict[str, PersonsAnswer])
    asks: bool = False
    allowed: frozenset[str] = frozenset()
    over: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Done with the exception that ends the turn from within: fast-agent takes any other for a tool's."""
    _kept: Kept = field(default_factory=Kept)
    _same: Counter[str] = field(default_factory=Counter[str])
    _used: set[str] = field(default_factory=set[str])
    _unkeyed: list[ModelStep] = field(default_factory=list[ModelStep])
    _unkept: list[_Unkept] = field(default_factory=list[_Unkept])
    _questions: list[Question] = field(default_factory=list[Question])
    _asked: Counter[str] = field(default_factory=Counter[str])
    """Questions of each call, so far."""
    _resting: set[str] = field(default_factory=set[str])
    """Calls that wait inside."""
    _active: int = 0

    def open(self) -> None:
        """Read what earlier tries left; what cannot be read is dropped, and the turn runs live."""
        try:
            self._kept = Kept.read(self.steps.kept)
        except entries.Damaged as problem:
            log.warning("journal.damaged", extra={"session": self.session, "problem": str(problem)})
            self.steps.drop()

    def close(self) -> None:
        """The turn has its answer: what fitted nothing was another run's."""
        done = self._used
        left = [
            key
            for key in (*self._kept.models, *self._kept.results, *self._kept.begun.keys() - self._kept.results.keys())
            if key not in done and not done.intersection(self._kept.within.get(key, "").split("/"))
        ]
        if left:
            log.warning("journal.diverged", extra={"session": self.session, "steps": len(left)})
            metrics.DIVERGED.inc(len(left))

    # -- messages that join

    @property
    def steered(self) -> Mapping[int, Sequence[str]]:
        """What joined in earlier tries."""
        return self._kept.steered

    def is_replaying(self, agent: str) -> bool:
        """Whether an earlier try made calls of this agent's model that this one has not come to."""
        made = self._kept.agents.items()
        return any(name == agent and not self._kept.within[key] and key not in self._used for key, name in made)

    def keep(self, entry: bytes) -> None:
        """Add an entry, behind the calls that have ended; it is written with the next step."""
        self._keep_models()
        self.steps.add(entry)

    # -- model calls

    def asking(self, agent: str, messages: Sequence[PromptMessageExtended], form: str) -> ModelStep:
        """A model call is about to begin."""
        call = ModelStep(agent, "/".join(within.get()), tuple(messages), form)
        self._unkeyed.append(call)
        if self._kept.models or len(self._unkeyed) > 1 or self._same:
            self._name_calls()
        return call

    def answer_to(self, call: ModelStep) -> PromptMessageExtended | None:
        """What an earlier try got for it."""
        message = self._kept.models.get(call.key) if call.key else None
        if message is not None:
            self._used.add(call.key)
            metrics.STEPS.labels("model", "replayed").inc()
            answered_to.set(call)
            return message.model_copy(deep=True)
        self._goes_on()
        return None

    def answered(self, call: ModelStep, message: PromptMessageExtended, used: Usage) -> None:
        """It ended live, with an answer that the turn goes on with."""
        metrics.series(metrics.STEPS, "model", "live").inc()
        answered_to.set(call)
        self._unkept.append(_Unkept(call, message, used))
        if message.tool_calls:
            self._keep_models()

    def _name_calls(self) -> None:
        """Keys, in the order in which the calls began: equal ones are told apart by their number."""
        for call in self._unkeyed:
            what = entries.key_of(call.within, call.agent, entries.digest_of(call.messages, call.form))
            self._same[what] += 1
            call.key = entries.key_of(what, str(self._same[what]))
            call.messages = ()
        self._unkeyed.clear()

    def _keep_models(self) -> None:
        self._name_calls()
        for unkept in self._unkept:
            call, message = unkept.call, unkept.message
            entry = entries.model_entry(call.key, call.agent, call.within, message, unkept.used)
            self.steps.add(entry, finished=not message.tool_calls)
        self._unkept.clear()

    def _goes_on(self) -> None:
        """A further step begins: what is finished is worth keeping."""
        if self._unkept:
            self._keep_models()
            self.steps.soon()

    # -- tool calls

    def key(self, tool_use_id: str | None, name: str, arguments: Mapping[str, Any] | None) -> str | None:
        """Of a tool call, the same in each try; None where no model of this turn has asked for it."""
        asked = round_of.get()
        if asked is None or tool_use_id is None:
            return None
        self._name_calls()
        return entries.key_of(self.steps.turn, asked.key, tool_use_id, name, entries.written(arguments))

    def is_begun(self, key: str) -> bool:
        """Whether an earlier try began it and saw no end: it is in doubt."""
        return key in self._kept.begun and key not in self._kept.results

    def has_result(self, key: str) -> bool:
        """Whether an earlier try saw its end."""
        return key in self._kept.results

    async def result(self, key: str) -> CallToolResult | None:
        """What it gave in an earlier try; None where that is kept nowhere any more."""
        self._used.add(key)
        kept = self._kept.results[key]
        if kept.result is not None:
            return kept.result.model_copy(deep=True)
        return await asyncio.to_thread(large.read, self.files, kept.file) if kept.file else None

    async def begin(self, key: str, tool: str) -> None:
        """Mark it as begun before anything of it happens.

        Raises:
            ClaimLost: another worker runs the turn; this one ends.
        """
        self._used.add(key)
        self._keep_models()
        self._kept.begun[key] += 1
        self.steps.add(entries.begun_entry(key, tool))
        try:
            await self.steps.written()
        except ClaimLost as problem:
            self.end(problem)
            # fast-agent would tell the model of an error, and call it once more for a turn that is another worker's.
            await asyncio.get_running_loop().create_future()

    async def ended(self, key: str, result: CallToolResult, ran_s: float | None = None) -> None:
        """It ended, or was not made (``ran_s`` None), and that is kept before the model is told."""
        if key in self._resting:
            # fast-agent made a result of the end of a turn that waits for a person.
            return
        metrics.STEPS.labels("tool", "live").inc()
        plain, raw = entries.plain_result(result)
        if self._kept.takes(result, raw, self.steps.kept):
            entry = entries.result_entry(key, ran_s or 0, plain)
        else:
            there = await asyncio.to_thread(large.write, self.files, name := entries.digest(raw), raw)
            entry = entries.result_entry(key, ran_s or 0, file=name if there else "")
        self.steps.add(entry, finished=ran_s is not None)
        await self.steps.safe()

    def doubts(self, key: str, tool: str, choice: str) -> None:
        """A call is in doubt, and this is what becomes of it."""
        self._used.add(key)
        self._goes_on()
        log.warning("journal.in_doubt", extra={"session": self.session, "key": key, "tool": tool, "choice": choice})

    @contextmanager
    def under_way(self) -> Generator[None]:
        """A step that runs: the turn is not parked before it has ended."""
        self._active += 1
        try:
            yield
        finally:
            self._active -= 1
            self._park_if_all_rest()

    # -- questions

    def answer(self, key: str) -> PersonsAnswer | None:
        """What was said to the question before the next execution of a call."""
        return self.answers.get(self.question_of(key))

    def question_of(self, key: str) -> str:
        """The key of that question. An answer is used up when the call begins: the next question has another key."""
        return f"{key}/{self._kept.begun[key]}"

    def rests(self, key: str) -> bool:
        """Whether the call waited for a person itself when its turn was parked: so nothing of it was under way."""
        asked = f"{self.question_of(key)}/"
        rests = any(question.startswith(asked) for question in self.answers)
        self._used.update({key} if rests else ())
        return rests

    async def answer_inside(self, key: str, tool: str, *, harmless: bool) -> PersonsAnswer | None:
        """What was said to the next question that a call asks from inside; None when it was not asked yet."""
        number = f"/ask{self._asked[key] + 1}"
        for asked, said in self.answers.items():
            if asked.startswith(f"{key}/") and asked.endswith(number):
                self._asked[key] += 1
                if not harmless and self.rests(key):
                    # From here on it acts: a worker that dies now leaves it in doubt.
                    await self.begin(key, tool)
                return said
        return None

    async def ask(self, question: Question) -> None:
        """Ask from inside a call, which runs again from its beginning when the answer is there. Never returns."""
        key = question.key
        self._asked[key] += 1
        self._resting.add(key)
        await self.park(replace(question, key=f"{self.question_of(key)}/ask{self._asked[key]}"))

    # -- ends from within

    async def park(self, question: Question) -> None:
        """Wait for a person. Never returns: the turn ends with ``TurnParked`` when no other step is under way.

        Called inside of ``under_way``.
        """
        self._questions.append(question)
        # Steps of the same round begin now.
        await asyncio.sleep(0)
        self._active -= 1
        try:
            self._park_if_all_rest()
            await asyncio.get_running_loop().create_future()
        finally:
            self._active += 1

    def _park_if_all_rest(self) -> None:
        if self._questions and not self._active:
            self._keep_models()
            self.end(TurnParked(self._questions))

    def end(self, problem: Exception) -> None:
        """End the turn, whatever fast-agent makes of exceptions and cancellations."""
        if not self.over.done():
            self.over.set_exception(problem)
            # Its waiter may be gone; an exception that is not read is logged as lost.
            self.over.exception()
