"""One run of a turn in a task of its own, which can be cancelled, with its writers beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tasks.envelope import Inbound
from tasks.errors import ClaimLost, without_frames
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.planning.planner import MAX_TRIES
from workers.sessions.spending import Spending
from workers.sessions.turn_runner import TurnRunner
from workers.sessions.turns.outcome import Outcome
from workers.sessions.turns.pointing import pointed

type Attempt = asyncio.Task[Outcome | Exception]


async def attempted(
    runner: TurnRunner,
    spending: Spending,
    owned: OwnedSession,
    messages: Sequence[Inbound],
    begun: Callable[[Attempt], None],
) -> Attempt:
    """Run a turn to its end.

    Args:
        runner: The turn.
        spending: Writes what it costs, beside it.
        owned: Whose turn it is.
        messages: What it answers.
        begun: Is given the task, so that it can be cancelled.

    Returns:
        The task, which has ended; an exception is its result.
    """
    session = owned.session
    async with asyncio.TaskGroup() as group:
        attempt = group.create_task(_as_value(_counted(runner, owned, messages)), name=f"turn {session}")
        begun(attempt)
        beside = (
            group.create_task(spending.counting(), name=f"spending {session}"),
            group.create_task(_ended_if_lost(runner.keeping(), attempt), name=f"steps {session}"),
        )
        if runner.draft is not None:
            keeping = _ended_if_lost(runner.draft.keeping(), attempt)
            beside = (*beside, group.create_task(keeping, name=f"draft {session}"))
        attempt.add_done_callback(lambda _: [task.cancel() for task in beside])
    _let_go(attempt)
    return attempt


def _let_go(attempt: Attempt) -> None:
    """A task that was cancelled holds its exception, whose frames hold the task, and with it all of the turn."""
    if attempt.cancelled():
        try:
            attempt.result()
        except asyncio.CancelledError as ended:
            without_frames(ended)


async def _ended_if_lost(keeping: Awaitable[None], attempt: Attempt) -> None:
    """Another worker runs the turn: it ends here."""
    try:
        await keeping
    except ClaimLost:
        attempt.cancel()


async def _counted(runner: TurnRunner, owned: OwnedSession, messages: Sequence[Inbound]) -> Outcome:
    # One that was in the batch of a dead worker has a try behind it already.
    begun = owned.tries.number + (1 if owned.isolate_next else 0)
    async with owned.tries.running(last=begun >= MAX_TRIES):
        return pointed(await runner.outcome(), owned.session, messages)


async def _as_value(outcome: Awaitable[Outcome]) -> Outcome | Exception:
    """Return an exception as a value: a TaskGroup would wrap it, and it would hide a cancellation."""
    try:
        return await outcome
    except Exception as problem:  # noqa: BLE001 - the turn loop raises it again
        return problem
