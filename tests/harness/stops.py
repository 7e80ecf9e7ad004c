"""Holds sessions in which a person said /stop after the death of their turn's worker against what is promised (pure).

The person is told once. From then on nothing more is done for what was said before, and it is not answered as well.
What was begun stays in the history, and what is said afterwards is answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.harness import legal
from tests.harness.history import Bubble, History, Rule, Said, Stop, words_in

STOPPED, NOTHING = "Stopped", "There's nothing to stop"
"""What is told, here once more: the checker takes nothing from the product."""
OUTAGE = "I can't reach the model right now"

type Broken = Callable[[Rule, str, str, Sequence[str]], None]


def apart(history: History) -> tuple[History, History]:
    """All other sessions, and those with a /stop. Faults, and what is left, stand in the first; faults in both."""
    sessions = {stop.session for stop in history.stops}
    if not sessions:
        return history, History()
    words = {one.word for one in history.said if one.session in sessions}
    chats = {int(session.split(":")[1]) for session in sessions}

    def half(*, theirs: bool) -> History:
        return replace(
            history,
            said=[one for one in history.said if (one.session in sessions) is theirs],
            calls=[call for call in history.calls if bool(words & set(call.asked)) is theirs],
            executions=[one for one in history.executions if bool(words & set(words_in(one.name))) is theirs],
            accepted=[one for one in history.accepted if (one.session in sessions) is theirs],
            committed=[one for one in history.committed if (one.session in sessions) is theirs],
            dead=[one for one in history.dead if (one.session in sessions) is theirs],
            bubbles=[one for one in history.bubbles if (one.session in sessions) is theirs],
            deliveries=[one for one in history.deliveries if (one.chat in chats) is theirs],
            stops=history.stops if theirs else [],
            left=[] if theirs else history.left,
        )

    return half(theirs=False), half(theirs=True)


def check_stops(history: History, broken: Broken) -> int:
    """All of them; how many turns were stopped."""
    return sum(_Stopped(history, stop, broken).run() for stop in history.stops)


class _Stopped:
    def __init__(self, history: History, stop: Stop, broken: Broken) -> None:
        self._history = history
        self._stop = stop
        said = [one for one in history.said if one.session == stop.session]
        self._before = [one for one in said if one.update_id < stop.update_id]
        self._after = [one for one in said if one.update_id > stop.update_id]
        self._words = {one.word for one in self._before}
        self._bubbles = [one for one in history.bubbles if one.session == stop.session]
        self._dead = {one.update_id for one in history.dead if one.session == stop.session}
        self._report = broken

    def _broken(self, what: str, words: Sequence[str] = ()) -> None:
        self._report("stopped", self._stop.session, what, words or [one.word for one in self._before])

    def run(self) -> bool:
        told = [one for one in self._bubbles if STOPPED in one.text or NOTHING in one.text]
        if not told:
            self._broken("/stop was never answered")
            return False
        sent = [one for one in self._history.deliveries if STOPPED in one.text or NOTHING in one.text]
        sent = [one for one in sent if one.chat == told[0].chat]
        first, last = sent[0].at, sent[-1].at
        if len(told) > 1 and all(one.heard for one in sent) and not legal.reason(self._history.faults, first, last):
            self._broken(f"/stop was answered {len(told)} times for no reason")
        self._nothing_more(first)
        stopped = STOPPED in told[0].text
        for one in self._before:
            answered = self._answered_by_a_model(one)
            if stopped and answered:
                self._broken(f"{one.word} was stopped and answered", [one.word])
            if not stopped and not answered and one.update_id not in self._dead:
                self._broken(f"{one.word} was not answered, and there was nothing to stop", [one.word])
        self._goes_on(stopped=stopped)
        return stopped

    def _answered_by_a_model(self, said: Said) -> bool:
        commits = [one for one in self._history.committed if said.update_id in one.answers]
        return any("[n=" in text for commit in commits for text in commit.texts)

    def _nothing_more(self, told: float) -> None:
        """No tool and no model call begins for it; what the dead worker had under way may come a moment later."""
        late = told + legal.WRITING
        for ran in self._history.executions:
            if ran.at > late and self._words & set(words_in(ran.name)):
                self._broken(f"the call {ran.name} was executed {ran.at - told:.1f} s after its turn was stopped")
        for call in self._history.calls:
            if call.at > late and self._words & set(call.asked):
                self._broken(f"model call {call.number} began {call.at - told:.1f} s after its turn was stopped")

    def _goes_on(self, *, stopped: bool) -> None:
        """What is said afterwards is answered by a model that knows what was stopped."""
        for one in self._after:
            shown = any(self._shows(bubble, one) for bubble in self._bubbles)
            sorry = any(OUTAGE in bubble.text for bubble in self._bubbles)
            if not shown and not sorry and one.update_id not in self._dead:
                self._broken(f"{one.word}, said after /stop, was never answered", [one.word])
            calls = [call for call in self._history.calls if one.word in call.asked]
            if stopped and calls and self._was_begun():
                known = {word for message in calls[-1].spoken for word in words_in(message.text)}
                if not self._words <= known:
                    self._broken(f"the model call for {one.word} did not know what was stopped", [one.word])

    def _was_begun(self) -> bool:
        return any(call.finished and self._words & set(call.asked) for call in self._history.calls)

    @staticmethod
    def _shows(bubble: Bubble, said: Said) -> bool:
        return said.word in words_in(bubble.text) and "[n=" in bubble.text
