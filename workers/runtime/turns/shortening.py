"""Runs a turn again whose conversation the model rejects: first as plain text, then with less and less of it."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.errors import without_frames
from tasks.phrases import phrase
from tasks.session import SessionKey
from workers.interfaces import TurnFailed
from workers.runtime.conversation import fitting, history
from workers.runtime.faults.classify import ContextTooLong, RequestRejected
from workers.runtime.turns import compaction
from workers.runtime.turns.turn import Turn, TurnAnswer, TurnInput
from workers.usage import Usage

log = logging.getLogger("cohort.runtime")

_PARTS = (0.5, 0.25, 0.125, 0.0)
"""Parts of a history (the newest turns) that are tried if there is no summary, or it is still too long."""

LEFT_OUT = "(The model can't take our whole conversation any more, so I left part of it out.)"


@dataclass(slots=True)
class Shortening:
    """Runs one turn, with as much of the conversation as its model takes."""

    turn: Turn
    agent: Any
    """Writes the summaries."""
    session: SessionKey
    model: str
    limit: int
    """Messages of a history that is not summarised."""
    reset: Callable[[], None]
    """Resets the lane."""
    prepare: Callable[[], Awaitable[object]]
    """Gives a lane that was reset what this turn needs (the session's model). Calling it again is harmless."""
    _spent: Usage = field(default_factory=Usage)
    _left_out: bool = False

    async def answer(self, work: TurnInput, *, full: bool) -> TurnAnswer:
        """Run the turn.

        Args:
            work: The turn, with all of the conversation that is kept.
            full: The conversation is at its bound, so the older part is summarised first.

        Returns:
            The answer, with the tokens of summaries included.

        Raises:
            TurnFailed: there is no answer.
        """
        summarised = await self._summarised(work) if full else None
        bounded = summarised or replace(work, record=history.bounded(work.record, self.limit))
        answer = await self._fitting(bounded, full=full)
        used = answer.usage
        answer.usage = Usage(
            used.input_tokens + self._spent.input_tokens, used.output_tokens + self._spent.output_tokens, used.model
        )
        if self._left_out:
            answer.notices.append(LEFT_OUT)
        return answer

    async def _fitting(self, work: TurnInput, *, full: bool) -> TurnAnswer:
        await self.prepare()
        try:
            return await self.turn.run(work)
        except (ContextTooLong, RequestRejected) as first:
            problem: TurnFailed = without_frames(first)
        async with aclosing(self._less(work, full=full, unknown=isinstance(problem, RequestRejected))) as shorter:
            async for less in shorter:
                # Tools that ran would run once more.
                if self.turn.tools_ran and (full or self._left_out or isinstance(problem, RequestRejected)):
                    break
                self.reset()
                await self.prepare()
                try:
                    return await self.turn.run(less)
                except (ContextTooLong, RequestRejected) as again:
                    problem = without_frames(again)
        try:
            raise self._in_words(problem)
        finally:
            # Its traceback holds this frame, which would hold it.
            del problem

    async def _less(self, work: TurnInput, *, full: bool, unknown: bool) -> AsyncGenerator[TurnInput]:
        """Yield the same turn with less and less of the conversation; ``unknown``: it may not be its length."""
        parts = _PARTS
        if unknown and self.turn.tools_ran:
            return
        if unknown and (told := fitting.told(work.record)) != work.record:
            yield replace(work, record=told)
            work = replace(work, record=told)
        if not full and work.record.messages:
            self.reset()
            shorter = await self._summarised(work)
            if shorter is not None:
                yield shorter
                work = shorter
                # What was summarised was taken; the turns behind it may be what is not.
                parts = _PARTS[-1:] if unknown else _PARTS
        for part in parts:
            record = history.newest(work.record, part)
            if record is not None:
                self._left_out = True
                yield replace(work, record=record)
                work = replace(work, record=record)

    async def _summarised(self, work: TurnInput) -> TurnInput | None:
        """The turn with a summarised history; None if there is no summary."""
        await self.prepare()
        try:
            done = await compaction.compact(self.agent, work.record, self.session, self.model)
        except TurnFailed as problem:
            log.warning("compaction.failed", extra={"session": str(self.session), "detail": problem.detail})
            return None
        finally:
            self.reset()
        self._spent = done.usage
        self._left_out = done.left_out
        return replace(work, record=done.record) if done.before != done.after else None

    def _in_words(self, problem: TurnFailed) -> TurnFailed:
        """Word the last failure: with no history left, the message is too large, or what the tools returned for it."""
        if not isinstance(problem, ContextTooLong):
            return problem
        words = phrase("fault-tools-too-large") if self.turn.tools_ran else phrase("fault-too-large")
        return ContextTooLong("tell", words, problem.detail)
