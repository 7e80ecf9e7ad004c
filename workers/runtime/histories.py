"""What sessions remember: read for a turn, and changed by what their users take back or stop."""

import asyncio

from tasks import session_files
from tasks.settings import Settings
from workers.interfaces import TurnRequest
from workers.runtime.agent_registry import AgentRegistry
from workers.runtime.conversation import content, history
from workers.runtime.durable.so_far import SoFar
from workers.runtime.models.choice import ModelChooser


class Histories:
    """The ``SessionHistories`` of a worker's runtime."""

    def __init__(self, registry: AgentRegistry, choices: ModelChooser, settings: Settings) -> None:
        self._registry = registry
        self._choices = choices
        self._settings = settings

    def record(self, request: TurnRequest, agent: str) -> history.Record:
        """What the session remembers; a new session begins with the messages of its card."""
        if request.history is None:
            return history.Record(self._registry.initial(agent))
        return history.decode(request.history)

    def stored(self, record: history.Record) -> bytes:
        """The stored form, within the bound."""
        return history.encode(history.bounded(record, self._settings.history_messages))

    async def stopped(self, request: TurnRequest, shown: str) -> bytes:
        """See ``SessionHistories.stopped``."""
        agent, workflow = self._choices.answering(request)
        record = self.record(request, agent)
        directory = session_files.where(self._settings.home, request.session) / "journal"

        def joined() -> bytes:
            done = SoFar.read(request.steps, None if workflow else agent, directory).messages(shown)
            record.messages += [content.user_turn_by_names(request.messages), *done]
            return self.stored(record)

        return await asyncio.to_thread(joined)
