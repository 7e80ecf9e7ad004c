"""Messages that join a running turn before one of its model calls, at the same place in each try of the turn."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import takewhile

from fast_agent.types import PromptMessageExtended

from tasks.envelope import Inbound
from workers.interfaces import TurnRequest
from workers.runtime.askers import askers_of_turn, persons_of
from workers.runtime.conversation.content import text_block, user_turn_by_names
from workers.runtime.conversation.fitting import NOTED
from workers.runtime.conversation.history import STEERED
from workers.runtime.durable import entries
from workers.runtime.durable.journal import StepJournal
from workers.steps import Steering

steering_of_turn: ContextVar["JoiningMessages | None"] = ContextVar("steering_of_turn", default=None)
"""Set in a turn's task."""

only_from: ContextVar[int | None] = ContextVar("only_from", default=None)
"""The one person whose messages may join, of a turn that acts with that person's login."""


@dataclass(slots=True)
class JoiningMessages:
    """Of one turn. A model call is named by its number among the lead's own."""

    steering: Steering
    journal: StepJournal
    lead: str
    """The agent that they are for: members of workflows and child agents have no conversation with the user."""
    given: dict[int, tuple[Inbound, ...]] = field(default_factory=dict[int, tuple[Inbound, ...]])

    @classmethod
    def of(cls, request: TurnRequest, journal: StepJournal | None, lead: str | None) -> "JoiningMessages | None":
        """What an earlier try gave is given again; None where no message may join (``lead`` None: a workflow)."""
        if request.steering is None or journal is None or lead is None:
            return None
        given = {number: tuple(map(Inbound.from_json, kept)) for number, kept in journal.steered.items()}
        return cls(request.steering, journal, lead, given)

    def restart(self) -> None:
        """The turn begins at its first call."""
        self.steering.restart()

    async def before(self, number: int) -> list[PromptMessageExtended]:
        """The messages that join before this call."""
        messages = self.given.get(number)
        if messages is None:
            # Before a call that an earlier try made, only what joined there then.
            messages = () if self.journal.is_replaying(self.lead) else _admitted(await self.steering.newer())
            if not messages:
                return []
            self.given[number] = messages
            self.journal.keep(entries.steered_entry(number, [message.to_json() for message in messages]))
        self.steering.joined(messages)
        askers = askers_of_turn.get()
        if askers is None:
            return joining(messages)
        askers.add(persons_of(messages))
        noted, asked = joining(messages)
        return [noted, askers.marked(asked)]


def _admitted(messages: Sequence[Inbound]) -> tuple[Inbound, ...]:
    """Those at the head that are of the person for whom the turn runs; all where it runs for no single one."""
    person = only_from.get()
    return tuple(takewhile(lambda message: person in (None, message.person), messages))


def joining(messages: Sequence[Inbound]) -> list[PromptMessageExtended]:
    """As messages of the conversation: every provider takes a user's words after an assistant's."""
    asked = user_turn_by_names(messages)
    noted = PromptMessageExtended(role="assistant", content=[text_block(NOTED)])
    mark = {STEERED: [text_block("{}")]}
    return [message.model_copy(update={"channels": {**(message.channels or {}), **mark}}) for message in (noted, asked)]
