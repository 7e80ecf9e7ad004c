"""The live answer of a turn, as the session knows it: a stopped turn keeps its text, an answered one its steps."""

from tasks.clock import Clock
from workers.interfaces import LiveAnswer, Step
from workers.progress import Progress
from workers.sessions.owned_session import OwnedSession
from workers.sessions.spending import Spending


class TrackedAnswer:
    """Passes everything on to the answer that grows (``workers.interfaces.LiveAnswer``)."""

    def __init__(self, answer: LiveAnswer, owned: OwnedSession, spending: Spending, clock: Clock) -> None:
        self._answer = answer
        self._owned = owned
        self._spending = spending
        self._clock = clock
        self._progress = Progress(clock.monotonic())

    def text(self, so_far: str) -> None:
        """The whole answer so far."""
        self._owned.show(so_far)
        self._answer.text(so_far)

    def more(self, text: str) -> None:
        """The answer goes on."""
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

    def steps(self, mode: str) -> list[str]:
        """What stays of the steps below the answer (``COHORT_STEPS``)."""
        match mode:
            case "fold":
                return self._progress.folded()
            case "keep":
                return self._progress.kept()
            case _:
                return []
