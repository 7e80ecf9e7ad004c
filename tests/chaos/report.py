"""What a run says to people: its figures, then what was violated."""

import json
from collections.abc import Sequence

from tests.chaos.driver import Order, Result
from tests.harness.history import History
from tests.harness.steps import Steps


def report(order: Order, result: Result, *, most: int = 10) -> Sequence[str]:
    """For people: the figures, then what was violated."""
    verdict, figures = result.verdict, result.figures
    lines = [*figures.table(verdict), ""]
    lines.append(
        f"seed {order.seed}: {verdict.messages} messages, {verdict.turns} commits, {figures.kills} kills, "
        f"{sum(figures.times.values())} faults, {sum(verdict.doubled.values())} legal duplicates, "
        f"{verdict.partials} beginnings left, {verdict.apologies} apologies, {verdict.dead} dead, "
        f"{verdict.wasted_calls} model calls thrown away"
    )
    lines.append(_steps(verdict.steps))
    lines.append(
        f"{verdict.joined} messages joined a turn, {verdict.edits} edits took effect, {verdict.files} files came, "
        f"{verdict.seen} files of people were seen ({verdict.albums} albums), "
        f"{verdict.heard} voice messages were heard and {verdict.unheard} were not, "
        f"{verdict.customers} messages went to business accounts, "
        f"{verdict.stopped} turns of dead workers were stopped"
    )
    lines.append("answer times, s: " + ", ".join(f"{name} {took:.1f}" for name, took in result.latency.items()))
    lines.append("said by the processes: " + json.dumps(dict(sorted(figures.lines.items()))))
    lines += _dead(result.history)
    for violation in verdict.violations[:most]:
        lines += ["", str(violation)]
    if verdict.violations or order.keep:
        lines += ["", f"{len(verdict.violations)} violations; all traces are in {result.where}"]
    return lines


def _dead(history: History) -> list[str]:
    """Each message that was given up, with its reason and what was broken while it waited."""
    said = {one.update_id: one for one in history.said}
    lines: list[str] = []
    for letter in history.dead:
        one = said.get(letter.update_id)
        since = letter.at if one is None else one.at
        broken = [fault.kind for fault in history.faults if fault.until >= since and fault.at <= letter.at]
        word = "?" if one is None else one.word
        lines.append(
            f"dead: {word} of {letter.session} after {letter.at - since:.0f} s: {letter.reason}; "
            f"meanwhile {', '.join(broken) or 'nothing was broken'}"
        )
    return lines


def _steps(steps: Steps) -> str:
    again = ", ".join(f"{kind} {count}" for kind, count in sorted(steps.again.items()))
    return (
        f"tool calls: {steps.calls} with a result, {steps.executed} executed, {steps.again.total()} in doubt and "
        f"run again with the same key ({again or '-'}), {steps.unknown} told to be unknown; "
        f"people allowed {steps.allowed} and denied {steps.denied} times, and answered {steps.asked} questions; "
        f"model calls: {steps.models} finished, {steps.twice} made again as their worker ended before it kept them"
    )
