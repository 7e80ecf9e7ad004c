"""Holds the messages that were given up against what docs/architecture.md says of turns that get on (pure).

A life of a turn that finishes a step which no earlier one had sets the turn's tries back. So behind the last such step
a message has to have ended three workers, or its turn has to have been set back as often as a turn may be.
"""

from collections.abc import Callable, Sequence

from tests.harness import legal
from tests.harness.history import Call, History, Rule

type Broken = Callable[[Rule, str, str, Sequence[str]], None]

WITHOUT_END = "without an end"
"""Stands in the reason of a message that was given up for its tries."""
LIVES, SET_BACK = 3, 8
"""Tries of a message, and how often a turn's are set back: once more, for the checker takes nothing of the product."""
ENDS_ONE = legal.PAUSED | {kind for kind in legal.KILLED if kind.startswith("step-")} | {"kill-worker", "kill-in-step"}
"""Faults that end one life of a turn. Any other one may end several."""


def check_given_up(history: History, broken: Broken) -> None:
    """Each message that was given up for its tries."""
    words = {one.update_id: one.word for one in history.said}
    for letter in history.dead:
        word = words.get(letter.update_id)
        if word is None or WITHOUT_END not in letter.reason:
            continue
        times = _got_on(history, word)
        if not times or len(times) >= SET_BACK:
            continue
        ends = [fault for fault in history.faults if fault.until >= times[-1] and fault.at <= letter.at]
        if len(ends) < LIVES and all(fault.kind in ENDS_ONE for fault in ends):
            what = f"{word} is dead, though its turn got on and {len(ends)} workers ended behind that"
            broken("given up", letter.session, what, [word])


def _got_on(history: History, word: str) -> list[float]:
    """When a model was told further results of the turn, each of a call that ran once and was surely kept."""
    calls = sorted((call for call in history.calls if word in call.asked), key=lambda call: call.at)
    times: list[float] = []
    longest = 0
    for place, call in enumerate(calls):
        if len(call.results) > longest:
            longest = len(call.results)
            if _was_kept(history, call, calls[place + 1 :]):
                times.append(call.at)
    return times


def _was_kept(history: History, call: Call, later: Sequence[Call]) -> bool:
    """Whether its last result was in the journal before its worker ended.

    Nothing ended a worker while it may have been on its way there, or a later life was told it and ran no such call.
    """
    name = call.results[-1].removeprefix("counted ").split(" [sent", maxsplit=1)[0].rstrip()
    ran = [one for one in history.executions if one.name == name]
    if len(ran) != 1:
        return False
    cuts = [fault for fault in history.faults if fault.at <= call.at + legal.WRITING and fault.until >= ran[0].until]
    return not cuts or any(
        other.at > min(fault.until for fault in cuts) and other.results[: len(call.results)] == call.results
        for other in later
    )
