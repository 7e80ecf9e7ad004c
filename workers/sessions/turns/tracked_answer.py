"""The live answer of a turn, as the session knows it: a stopped turn keeps its text, an answered one its steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.chats.asking import ParkedTurn
from tasks.clock import Clock
from tasks.envelope import Inbound, Reply
from tasks.turn_record import MOST_STEPS, ToolStep
from workers.interfaces import LiveAnswer
from workers.progress import Progress
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.spending import Spending
from workers.showing import Step, Trace
from workers.thoughts import Thoughts

_END = 32
"""Characters by which the text before a question is known again."""


@dataclass(frozen=True, slots=True)
class TurnText:
    """The text of a turn before its questions: how long it is in all, and its end."""

    length: int = 0
    end: str = ""

    def then(self, text: str) -> "TurnText":
        """With more text behind it."""
        return TurnText(self.length + len(text), (self.end + text[-_END:])[-_END:])


class TrackedAnswer:
    """Passes everything on to the answer that grows (``workers.interfaces.LiveAnswer``).

    ``before``: characters that stand above the turn's questions already, and are not shown again.
    """

    def __init__(
        self, answer: LiveAnswer, owned: OwnedSession, spending: Spending, clock: Clock, before: int = 0
    ) -> None:
        self._before = before
        self.so_far = TurnText()
        """The whole text, that before the questions included."""
        self._answer = answer
        self._owned = owned
        self._spending = spending
        self._clock = clock
        self._progress = Progress(clock.monotonic())
        self._thoughts = Thoughts()
        self._heard = ""
        self.first_at: float | None = None
        """When the first text came, seconds since the epoch."""
        self.tool_steps: dict[str, ToolStep] = {}
        """Tool calls by their keys."""

    def _note_first(self) -> None:
        if self.first_at is None:
            self.first_at = self._clock.now()

    def thought(self, text: str) -> None:
        """The model thinks on."""
        self._owned.goes_on()
        self._thoughts.add(text)
        self._answer.thought(text)

    def heard(self, words: str) -> None:
        """What the user's recordings say."""
        self._heard = words
        self._answer.heard(words)

    def asked(self, messages: Sequence[Inbound]) -> None:
        """What is answered; above an answer to an inline query it stays, as the message is all that readers see."""
        if self._owned.inherits_draft:
            self.begin_again()
        if self._owned.session.inline is not None and messages[0].message_id is None:
            self.heard(messages[0].text)

    def text(self, so_far: str) -> None:
        """The whole answer so far."""
        if so_far:
            self._thoughts.answer_begins()
            self._note_first()
        else:
            self._thoughts.clear()
        self.so_far = TurnText().then(so_far)
        if self._before:
            so_far = so_far[self._before :].lstrip()
        if len(so_far) < len(self._owned.shown):
            self._owned.take_back(so_far)
        else:
            self._owned.show(so_far)
        self._answer.text(so_far)

    def begin_again(self) -> None:
        """The turn is tried again; what was shown stays until as much is said."""
        self._thoughts.clear()
        self.so_far = TurnText()
        if said := self._owned.said_most:
            self._answer.text(said)
        self._owned.begin_again()
        self._answer.begin_again()

    def more(self, text: str) -> None:
        """The answer goes on."""
        self._owned.goes_on()
        self._thoughts.answer_begins()
        self._note_first()
        left = max(0, self._before - self.so_far.length)
        self.so_far = self.so_far.then(text)
        if self._before:
            text = text[left:] if self._owned.shown else text[left:].lstrip()
        if text:
            self._shown(text)

    def _shown(self, text: str) -> None:
        self._owned.show_more(text)
        self._answer.more(text)

    def step(self, step: Step) -> None:
        """A tool call begins, goes on, or has ended."""
        if step.state == "running" and not step.done:
            self._spending.count_soon()
        self._note_step(step)
        self._progress.step(step, self._clock.monotonic())
        self._answer.step(step)

    def _note_step(self, step: Step) -> None:
        known = self.tool_steps.get(step.key)
        if known is None and len(self.tool_steps) < MOST_STEPS:
            known = ToolStep(tool=step.tool, begun=self._clock.now())
        if known is not None:
            ended = None if step.state == "running" else self._clock.now()
            self.tool_steps[step.key] = known.model_copy(update={"ended": ended, "failed": step.state == "failed"})

    def phase(self, words: str) -> None:
        """The turn does something else ("" when that ends)."""
        self._progress.phase(words, self._clock.monotonic())
        self._answer.phase(words)

    def trace(self, steps: str, thinking: str) -> Trace:
        """What stays of how the answer came about, as ``COHORT_STEPS`` and ``COHORT_THINKING`` say."""
        lines = self._progress.folded() if steps == "fold" else self._progress.kept() if steps == "keep" else []
        thoughts = self._thoughts.text if thinking != "hide" else ""
        return Trace(tuple(lines), thoughts, folds=thinking == "fold", heard=self._heard)


def rest_of(parked: ParkedTurn | None, text: str) -> str:
    """What of a turn's text is not shown yet: the words before its questions stand above them."""
    if parked is None or not parked.shown or not text[: parked.shown].endswith(parked.shown_end):
        return text
    return text[parked.shown :].strip() or text


def without_settled(said: tuple[Reply, ...], live: LiveAnswer) -> tuple[Reply, ...]:
    """An answer without the parts whose messages show them already; the last part names these messages."""
    *closed, last = said
    shown = {reply.edit: reply for reply in closed if reply.edit is not None and live.settled(reply)}
    if not shown:
        return said
    return (*(reply for reply in closed if reply.edit not in shown), last.model_copy(update={"shown": tuple(shown)}))
