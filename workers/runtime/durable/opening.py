"""The journal of a turn about to run."""

import asyncio
from dataclasses import replace
from pathlib import Path

from workers.interfaces import TurnRequest, TurnResult
from workers.runtime.durable import files as large
from workers.runtime.durable.journal import StepJournal, journal_of_turn
from workers.runtime.durable.steering import JoiningMessages, steering_of_turn
from workers.runtime.tools.files_out import FilesOut, files_of_turn


def brought(result: TurnResult, journal: StepJournal | None) -> TurnResult:
    """The result of this task's turn, which has ended, with the files that its tools gave."""
    if journal is not None:
        journal.close()
    out = files_of_turn.get()
    if out is None or not (out.files or out.notices):
        return result
    return replace(result, notices=(*result.notices, *out.notices), files=tuple(out.files))


async def opened_journal(request: TurnRequest, own: Path, lead: str | None) -> StepJournal | None:
    """Give this task the journal of the turn that it runs, with what an earlier try left in it.

    Args:
        request: The turn.
        own: The session's directory, for large results and for files that go to the chat.
        lead: The agent that messages may join; None for a workflow.
    """
    journal_of_turn.set(None)
    steering_of_turn.set(None)
    steps, directory, out = request.steps, own / "journal", own / "out"
    files_of_turn.set(FilesOut(out))
    if steps is None:
        return None
    # Most sessions have no directory: one look tells.
    for left in (directory, out) if not steps.kept and large.stand_in(own) else ():
        if large.stand_in(left):
            # Of a turn that has ended; what it had for the chat is delivered, as that comes before the next turn.
            await asyncio.to_thread(large.remove, left)
    journal = StepJournal(
        steps, str(request.session), directory, request.answers, asks=request.asks, allowed=request.allowed
    )
    journal.open()
    journal_of_turn.set(journal)
    steering_of_turn.set(JoiningMessages.of(request, journal, lead))
    return journal
