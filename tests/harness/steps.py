"""Holds the steps of turns against what docs/tools.md says of tools that act (pure).

A tool call is made once, but for one in doubt, which may run again with the same key. A model call that is finished is
not made again. A model is told of a call what came of it, or that its outcome is unknown.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.harness import legal
from tests.harness.counters import APPROVED, ASKED, NEVER_AGAIN
from tests.harness.history import Call, Execution, History, Press, Rule, words_in
from tests.harness.turns import ANSWER

DENIED = "Not carried out: the person did not allow this call."
UNKNOWN = "The outcome of this call is unknown"
"""How a model is told so, here once more: the checker takes nothing from the product."""

type Broken = Callable[[Rule, str, str, Sequence[str]], None]
type Turn = tuple[str, tuple[str, ...]]
"""A session, and the words that are answered together."""


@dataclass(slots=True)
class Steps:
    """What is counted. ``calls`` of tools were asked for; they were ``executed``, so many of them ``again``.

    ``unknown``: the model was told that the outcome is. People ``allowed`` and ``denied`` so many calls.
    ``asked``: questions of tools that their person answered.
    ``models``: finished model calls, of which so many were made
    ``twice`` because their worker ended before they were kept.
    """

    calls: int = 0
    executed: int = 0
    again: Counter[str] = field(default_factory=Counter[str])
    unknown: int = 0
    allowed: int = 0
    denied: int = 0
    asked: int = 0
    models: int = 0
    twice: int = 0


def check_steps(history: History, home: Mapping[str, str], broken: Broken) -> Steps:
    """All of it. ``home``: word -> session."""
    return _Steps(history, home, broken).run()


class _Steps:
    def __init__(self, history: History, home: Mapping[str, str], broken: Broken) -> None:
        self._history = history
        self._home = home
        self._broken = broken
        self._found = Steps()
        self._named: dict[str, list[Execution]] = {}
        self._turns: dict[Turn, list[Call]] = {}
        self._calls: dict[str, list[Call]] = {}
        """By session."""
        self._asking: dict[str, set[Turn]] = {}
        """The turns whose models asked for a call, by its name."""
        self._verdicts = _verdicts(history.presses)
        self._meant = {one.word: one.answers for one in history.said if one.answers}

    def run(self) -> Steps:
        for one in self._history.executions:
            self._named.setdefault(one.name, []).append(one)
        for call in self._history.calls:
            if call.asked:
                turn = self._home.get(call.asked[0], "-"), call.asked
                self._turns.setdefault(turn, []).append(call)
                self._calls.setdefault(turn[0], []).append(call)
                for _, name in call.asks:
                    self._asking.setdefault(name, set()).add(turn)
        for name, ran in self._named.items():
            self._executions(name, ran)
        asked = {one.name for one in self._history.executions if one.tool == APPROVED}
        for name in asked | self._verdicts.keys():
            self._approvals(name, self._verdicts.get(name, ()))
        for (session, words), calls in self._turns.items():
            self._model_calls(session, words, calls)
        self._results()
        return self._found

    # -- tools

    def _executions(self, name: str, ran: Sequence[Execution]) -> None:
        """Of one call: each key once, but for calls in doubt; another key only in another turn."""
        words = words_in(name)
        session = self._home.get(words[0], "-") if words else "-"
        keys: dict[str, list[Execution]] = {}
        for one in ran:
            keys.setdefault(one.key, []).append(one)
        asking = len(self._asking.get(name, ()))
        if len(keys) > max(asking, 1):
            self._broken("key", session, f"the call {name} had {len(keys)} keys in {asking} turns", words)
        if "" in keys:
            self._broken("key", session, f"the call {name} had no key", words)
        for same in keys.values():
            self._found.executed += 1
            for before, after in pairwise(same):
                kind = legal.excuse(self._history.faults, before.at, min(before.until, after.at), pid=before.pid)
                if not kind or before.tool == NEVER_AGAIN:
                    what = f"the call {name} was executed {len(same)} times for no reason"
                    self._broken("executed", session, what, words)
                    break
                self._found.again[kind] += 1

    def _approvals(self, name: str, given: Sequence[Press]) -> None:
        """Each execution of a call needs a word of its own of the person who may give it."""
        words = words_in(name)
        session = self._home.get(words[0], "-") if words else "-"
        self._found.allowed += sum(press.verdict == "once" for press in given)
        self._found.denied += sum(press.verdict == "no" for press in given)
        executed = [one for one in self._named.get(name, ()) if one.tool == APPROVED]
        for place, ran in enumerate(executed, 1):
            allowed = sum(press.verdict == "once" and press.at <= ran.at for press in given)
            if place > allowed:
                what = f"the call {name} was executed {place} times and allowed {allowed} times by who may allow it"
                self._broken("approved", session, what, words)

    def _results(self) -> None:
        """Each result that a model was told stands against the model call that asked for it.

        Not by the words of the turn: a message may join it between the two, and it may begin again with the same words.
        """
        judged: set[tuple[int, tuple[str, ...]]] = set()
        for (session, words), calls in self._turns.items():
            for told in calls:
                asking = self._asking_for(told, session)
                if asking is None:
                    if told.results:
                        what = f"model call {told.number} was told results that no model call before it asked for"
                        self._broken("result", session, what, words)
                    continue
                results = told.results[len(asking.results) :]
                if (asking.number, results) not in judged:
                    judged.add((asking.number, results))
                    for (tool, name), result in zip(asking.asks, results, strict=True):
                        self._found.calls += 1
                        self._result(tool, name, result, (session, words), (asking.at, told.at))

    def _asking_for(self, told: Call, session: str) -> Call | None:
        """The last model call whose tools have the last results that this one was told."""
        before = [
            call
            for call in self._calls.get(session, ())
            if call.at <= told.at
            and call.asks
            and call.whole
            and set(call.asked) <= set(told.asked)
            and call.results == told.results[: len(call.results)]
            and len(call.results) + len(call.asks) == len(told.results)
        ]
        return max(before, key=lambda call: call.at, default=None)

    def _result(self, tool: str, name: str, result: str, turn: Turn, ran: tuple[float, float]) -> None:
        """What a model was told of a call: its result, and then it was executed; or that this is unknown.

        ``ran``: the turn was with its tools from then until then, at most.
        """
        session, words = turn
        if tool == ASKED:
            self._answer(name, result, words)
        elif result.split(" [sent", maxsplit=1)[0].rstrip() == f"counted {name}":
            if not self._named.get(name):
                self._broken("result", session, f"the call {name} has a result and was not executed", words)
        elif result.startswith(DENIED):
            if not any(press.verdict == "no" for press in self._verdicts.get(name, ())):
                self._broken("approved", session, f"the call {name} was denied by no one who may", words)
        elif not result.startswith(UNKNOWN):
            what = f"the model was told of the call {name}: {result[:60]!r}"
            self._broken("result", session, what, words)
        elif tool not in {NEVER_AGAIN, APPROVED} or not legal.excuse(self._history.faults, *ran):
            self._broken("result", session, f"the outcome of {name} is unknown for no reason", words)
        else:
            self._found.unknown += 1

    def _answer(self, name: str, result: str, words: tuple[str, ...]) -> None:
        """A question is answered by a choice that its person pressed, or by what they wrote in answer to it."""
        self._found.asked += 1
        said = result.removeprefix(f"asked {name}: ")
        wrote = ANSWER.match(said)
        pressed = any(press.verdict == said for press in self._verdicts.get(name, ()))
        meant = wrote is not None and self._meant.get(wrote[1]) == name
        if said == result or not (pressed or meant):
            what = f"the question of {name} was answered by other words than its person's: {result[:80]!r}"
            self._broken("asked", self._home.get(words[0], "-"), what, words)

    # -- models

    def _model_calls(self, session: str, words: tuple[str, ...], calls: Sequence[Call]) -> None:
        """A finished call is made again only where its worker may have ended before it was kept."""
        # A turn that began again was told other results: that is no call of the first one.
        rounds: dict[tuple[str, ...], list[Call]] = {}
        for call in calls:
            if call.finished:
                rounds.setdefault(call.results, []).append(call)
        self._found.models += sum(map(len, rounds.values()))
        for results, same in rounds.items():
            for call, after in pairwise(same):
                end = min(call.until, after.at)
                if not legal.excuse(self._history.faults, call.at, end, lingers=legal.LINGER):
                    which = f"model call {call.number}, after {len(results)} results,"
                    what = f"{which} was finished and made again for no reason"
                    self._broken("model call", session, what, words)
                self._found.twice += 1


def _verdicts(presses: Sequence[Press]) -> dict[str, list[Press]]:
    """By call: the first rightful press of each of its questions; calls that only others pressed for have none."""
    found: dict[str, list[Press]] = {press.name: [] for press in presses}
    seen: set[str] = set()
    for press in presses:
        if press.rightful and press.question not in seen:
            seen.add(press.question)
            found[press.name].append(press)
    return found
