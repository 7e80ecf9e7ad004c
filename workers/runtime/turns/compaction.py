"""Compacts long conversations: the model summarises the older part, the last turns stay as they are."""

from dataclasses import dataclass, replace
from typing import Any

from fast_agent.config import CompactionSettings
from fast_agent.history.compaction import CompactionError, CompactionSkipped, compact_conversation
from fast_agent.types import PromptMessageExtended

from tasks.session import SessionKey
from workers import texts
from workers.runtime.conversation import fitting
from workers.runtime.conversation.history import Record, newest
from workers.runtime.faults import classify as faults
from workers.runtime.faults.classify import ContextTooLong, RequestRejected
from workers.runtime.faults.model_fault import ModelFault
from workers.runtime.tools.session_tools import Toolbox
from workers.runtime.turns.turn import run_logged
from workers.usage import Usage

FULL = 0.7
"""A history beyond this part of the model's window is summarised before the next call. The rest is a reserve, because
our estimate of four characters a token is not how providers count."""
_CHARS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did."""

    record: Record
    """The new history."""
    before: int
    """Messages before."""
    after: int
    """Messages after."""
    usage: Usage
    left_out: bool = False
    """The oldest turns are not in the summary either."""

    @property
    def words(self) -> str:
        """For the user."""
        return texts.compacted(self.before, self.after, part=self.left_out)


def due(messages: list[PromptMessageExtended], limit: int, window: int | None) -> bool:
    """Whether a history is at its bound: in messages, or by our estimate in tokens."""
    if len(messages) >= limit:
        return True
    if not window:
        return False
    characters = sum(len(message.all_text()) for message in messages)
    return characters / _CHARS_PER_TOKEN > FULL * window


def window_of(agent: Any) -> int | None:
    """The model's context window in tokens, where it is known."""
    info = agent.llm.model_info if agent.llm is not None else None
    return info.context_window if info is not None else None


async def compact(agent: Any, record: Record, session: SessionKey, model: str) -> Compacted:
    """Summarise the older part with the agent's own model; the agent belongs to a lane that is reset afterwards.

    A conversation that is too long for the model even then is summarised without its oldest turns.

    Raises:
        TurnFailed: the model gave no summary; the history is as before.
        asyncio.CancelledError: cancelled.
    """
    rest = record
    while True:
        try:
            done = await _summarise(agent, rest, session, model)
        except (ContextTooLong, RequestRejected):
            shorter = newest(rest, 0.5)
            if shorter is None or not shorter.messages:
                raise
            rest = shorter
        else:
            return replace(done, before=len(record.messages), left_out=rest is not record)


async def _summarise(agent: Any, record: Record, session: SessionKey, model: str) -> Compacted:
    before = len(record.messages)
    if agent.llm is None:
        # A workflow's own messages are its members' answers; there is no model to ask.
        return Compacted(record, before, before, Usage(model=model))
    fitted = fitting.fit(record.messages, fitting.maker_of(agent))
    agent.load_message_history(fitted, clear_state=True)
    sent = (message.all_text() for message in fitted)
    configured = agent.context.config.compaction if agent.context and agent.context.config else CompactionSettings()
    # The provider's own compaction gives an opaque checkpoint that no other model can read.
    settings = configured.model_copy(update={"strategy": "client"})
    try:
        _, call_log = await run_logged(session, Toolbox(), lambda: compact_conversation(agent, settings=settings))
    except CompactionSkipped:
        return Compacted(record, before, before, Usage(model=model))
    except CompactionError as problem:
        raise faults.empty(model) from problem
    except Exception as problem:
        raise faults.classify(ModelFault.of(problem), model, sent) from problem
    fault = next((call.fault for call in call_log.calls if call.fault), None)
    if fault is not None:
        # fast-agent takes the text of an error for a summary.
        raise faults.classify(fault, model, sent)
    messages = list(agent.message_history)
    return Compacted(Record(messages, record.members), before, len(messages), call_log.usage(model))
