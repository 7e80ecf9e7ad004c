"""The live answer of a turn, as the session knows it: a stopped turn keeps its text, an answered one its steps."""

from tasks.clock import Clock
from workers.interfaces import LiveAnswer
from workers.progress import Progress
from workers.sessions.owned_session import OwnedSession
from workers.sessions.spending import Spending
from workers.showing import Step, Trace
from workers.thoughts import Thoughts


class TrackedAnswer:
    """Passes everything on to the answer that grows (``workers.interfaces.LiveAnswer``)."""

    def __init__(self, answer: LiveAnswer, owned: OwnedSession, spending: Spending, clock: Clock) -> None:
        self._answer = answer
        self._owned = owned
        self._spending = spending
        self._clock = clock
        self._progress = Progress(clock.monotonic())
        self._thoughts = Thoughts()

    def thought(self, text: str) -> None:
        """The model thinks on."""
        self._thoughts.add(text)
        self._answer.thought(text)

    def text(self, so_far: str) -> None:
        """The whole answer so far."""
        if so_far:
            self._thoughts.answer_begins()
        else:
            self._thoughts.clear()
        self._owned.show(so_far)
        self._answer.text(so_far)

    def more(self, text: str) -> None:
        """The answer goes on."""
        self._thoughts.answer_begins()
        self._owned.show_more(text)
        self._answer.more(text)

    def step(self, step: Step) -> None:
        """A tool call begins, goes on, or has ended."""
        if step.state == "running" and not step.done:
            self._spending.count_soon()
        self._progress.step(step, self._clock.monotonic())
        self._answer.step(step)

    def phase(self, words: str) -> None:
        """The turn does something else ("" when that ends)."""
        self._progress.phase(words, self._clock.monotonic())
        self._answer.phase(words)

    def trace(self, steps: str, thinking: str) -> Trace:
        """What stays of how the answer came about, as ``COHORT_STEPS`` and ``COHORT_THINKING`` say."""
        lines = self._progress.folded() if steps == "fold" else self._progress.kept() if steps == "keep" else []
        return Trace(tuple(lines), self._thoughts.text if thinking != "hide" else "", folds=thinking == "fold")
