"""The journal of a turn about to run."""

import asyncio
from pathlib import Path

from workers.interfaces import TurnRequest
from workers.runtime.durable import files as large
from workers.runtime.durable.journal import StepJournal, journal_of_turn
from workers.runtime.durable.steering import JoiningMessages, steering_of_turn


async def opened(request: TurnRequest, directory: Path, lead: str | None) -> StepJournal | None:
    """Give this task the journal of the turn that it runs, with what an earlier try left in it.

    Args:
        request: The turn.
        directory: For large results.
        lead: The agent that messages may join; None for a workflow.
    """
    journal_of_turn.set(None)
    steering_of_turn.set(None)
    steps = request.steps
    if steps is None:
        return None
    if not steps.kept and large.stand_in(directory):
        # Of a turn that has ended.
        await asyncio.to_thread(large.remove, directory)
    journal = StepJournal(
        steps, str(request.session), directory, request.answers, asks=request.asks, allowed=request.allowed
    )
    journal.open()
    journal_of_turn.set(journal)
    steering_of_turn.set(JoiningMessages.of(request, journal, lead))
    return journal
