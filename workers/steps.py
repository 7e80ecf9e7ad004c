"""What a turn loop and the runtime expect of each other about the steps of a turn (Protocols)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tasks.envelope import Inbound
from tasks.errors import CohortError


class StepLog(Protocol):
    """Keeps the steps of one turn until its commit (``workers.sessions.turns.journal``). Used in the loop thread."""

    @property
    def turn(self) -> str:
        """Names the turn of this session: the same for each try of it, on whichever worker."""
        ...

    @property
    def kept(self) -> Sequence[bytes]:
        """Everything that was kept for the turn, oldest first, by earlier tries and by this one."""
        ...

    def add(self, entry: bytes, *, finished: bool = False) -> None:
        """Keep it with the next write. ``finished``: something was done that no earlier try had come to the end of."""
        ...

    def soon(self) -> None:
        """Write what was added, beside whatever the turn does next."""
        ...

    async def written(self) -> None:
        """Write what was added by now, in one round trip with what others add at the same time.

        Raises:
            ClaimLost: another worker runs the turn; nothing of it may begin here.
        """
        ...

    async def safe(self) -> None:
        """Write what was added; go on when it is kept, or when Redis is away: a turn is worth more than a step."""
        ...

    def drop(self) -> None:
        """What was kept cannot be read: the journal begins again."""
        ...


class TurnTry(Protocol):
    """Counts a try: a turn that waits is not to blame when its worker dies."""

    async def waits(self, *, long: bool) -> None:
        """The turn does not run for now; ``long``: probably for longer than a write to Redis is worth."""
        ...

    async def runs(self) -> None:
        """The turn runs from here on."""
        ...


class Steering(Protocol):
    """Messages that came while a turn runs, for its next model call (``workers.sessions.turns.steering``)."""

    def restart(self) -> None:
        """The turn begins at its first model call: nothing has joined it yet."""
        ...

    async def newer(self) -> Sequence[Inbound]:
        """What may join now."""
        ...

    def joined(self, messages: Sequence[Inbound]) -> None:
        """These were given to the model; the turn's commit answers them."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a turn waits for before it can go on."""

    key: str
    """Of the tool call that waits, with what it is to do in it, and how often it was begun: the same in each run of the
    turn until the call begins. So an answer is for one call with its arguments, and for one execution of it."""
    tool: str
    arguments: str
    """JSON."""
    again: bool = False
    """The call may have been carried out already, by a worker that died."""
    text: str = ""
    """What a tool asks. Empty: whether the call may be made."""
    choices: tuple[str, ...] = ()
    """What a tool offers as answers; none: any words."""
    scope: str = ""
    """What "always" allows; empty: it is not offered."""
    login: str = ""
    """The login that it waits for (``PendingLogin.id``): the first choice is that the person came back."""
    link: str = ""
    """The page to open; for the person's eyes only."""


@dataclass(frozen=True, slots=True)
class PersonsAnswer:
    """What was said to a question."""

    verdict: Literal["run", "no", "words"]
    words: str = ""
    """A choice, or what a person wrote instead of pressing a button: framed as a message is."""
    plain: str = ""
    """The same without a frame, for a form's field, which is checked, and for a tool that asked: of a tool's result no
    model takes anything for a frame.
    Empty where no button was pressed: the words are no answer, they came instead of one."""
    pressed: int | None = None
    """The place of the choice, when its button was pressed."""
    person: int | None = None
    """Who said it, where that is known."""


type Holds = Callable[[Question, float], Awaitable[PersonsAnswer | None]]
"""Asks a person while the turn runs, for so many seconds at most; None when no answer came."""


class TurnParked(CohortError):  # noqa: N818 - reads as the event
    """The turn waits for a person. Its steps are kept; run again with the answers it goes on where it was."""

    is_fault = False

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__()
        self.questions = tuple(questions)
