"""A turn borrows a lane, and its try is counted while it has one."""

from workers.interfaces import TurnRequest
from workers.runtime.lanes.fair_queue import TurnParties
from workers.runtime.lanes.lane import Lane
from workers.runtime.lanes.pool import Lanes

LONG_WAIT_S = 1.0
"""Where turns have waited so long, a turn that comes now waits long, too: its try is taken back meanwhile."""


async def borrowed(lanes: Lanes, request: TurnRequest) -> Lane:
    """Borrow a lane for a turn.

    Raises:
        TurnFailed: no lane can be made at present.
        ClaimLost: another worker runs the turn.
    """
    who, tried = TurnParties.of(request), request.tried
    if (lane := lanes.take_free(who)) is not None:
        return lane
    if tried is not None:
        await tried.waits(long=lanes.longest_wait_s >= LONG_WAIT_S)
    lane = await lanes.take(who)
    try:
        if tried is not None:
            await tried.runs()
    except BaseException:
        lanes.give_back(lane)
        raise
    return lane
