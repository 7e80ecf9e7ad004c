"""The interfaces between the parts of a worker: turns from the runtime, delivery to Telegram (Protocols)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from tasks.envelope import Inbound, Media, OutFile, Reply
from tasks.errors import CohortError, Terminal
from tasks.session import SessionKey
from workers.showing import NO_TRACE, Showing, Step, Trace
from workers.steps import Holds, PersonsAnswer, Steering, StepLog, TurnTry
from workers.usage import CallSeen, Usage, not_counted, not_noted


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One run of an agent."""

    session: SessionKey
    messages: tuple[Inbound, ...]
    """What is answered together, in order; all of this session. A ``retry`` means the last one of the history."""
    history: bytes | None = None
    """``TurnResult.history`` of the turn before; None for a new session."""
    agent: str | None = None
    """The session's choice; None for the default."""
    model: str | None = None
    """The session's choice; None for the default."""
    start: str = ""
    """The payload of the link by which a person came to the chat last."""
    spent: Callable[[Usage], None] = not_counted
    """Called in the loop thread with the cost of each model call as it ends, also when the turn fails."""
    called: Callable[[CallSeen], None] = not_noted
    """Called in the loop thread with each model call that ended, whole or not; calls that are replayed are none."""
    steering: Steering | None = None
    """Messages that join the turn while it runs."""
    steps: StepLog | None = None
    """Where the turn's steps are kept, and what an earlier try left there."""
    answers: Mapping[str, PersonsAnswer] = field(default_factory=dict[str, PersonsAnswer])
    """What people said to the turn's questions, by ``Question.key``."""
    allowed: frozenset[str] = frozenset()
    """What people of this chat always allow: each a ``Question.scope``."""
    holds: Holds | None = None
    """Asks a person for a call that stays open meanwhile; None where there is no person to ask."""
    asks: bool = False
    """Whether there is a person to ask; otherwise nothing parks the turn."""
    tried: TurnTry | None = None
    """Is told when the turn has to wait for a lane, and when it has one."""


@dataclass(frozen=True, slots=True)
class TurnResult:
    """The result of a turn that was answered."""

    text: str
    """The answer, Markdown."""
    history: bytes
    """The session's history with this turn in it, compressed and versioned, ready to store."""
    usage: Usage = field(default_factory=Usage)
    cut: bool = False
    """The model stopped at its length limit."""
    notices: tuple[str, ...] = ()
    """Plain sentences that the user must be told, for example about a file that is damaged."""
    standing: frozenset[str] = frozenset()
    """Those among them that are true of further messages, too: a kind of file that the model does not read, a role."""
    files: tuple[OutFile, ...] = ()
    """Files for the chat, from its tools and from the model."""
    spoken: bool = False
    """What it answers was spoken, by a voice message or a video note."""
    dropped: tuple[str, ...] = ()
    """Choices of the session (``agent``, ``model``) that are no longer possible."""


class TurnFailed(CohortError):  # noqa: N818 - reads as the event
    """The turn gave no answer."""

    def __init__(
        self,
        action: Literal["retry", "tell", "operator"],
        words: str,
        detail: str,
        *,
        backoff: float = 0.0,
        cause: str = "model",
    ) -> None:
        """Say who has to act.

        Args:
            action: ``retry`` (passing), ``tell`` (permanent: the user reads ``words``), ``operator`` (an alert, too).
            words: One or two plain sentences for the user; of ``retry`` what is shown until the next try, in few words.
            detail: For logs and operators; it holds no message text and no secrets.
            backoff: Seconds to wait at least before the next try.
            cause: The kind of alert; each is raised once an hour.
        """
        super().__init__(f"{action}: {detail}")
        self.action: Literal["retry", "tell", "operator"] = action
        self.words = words
        self.detail = detail
        self.backoff = backoff
        self.cause = cause


class Sink(Protocol):
    """Where a running turn shows its progress. Called in the loop thread; never blocks and never raises."""

    def text(self, so_far: str) -> None:
        """The whole answer so far, Markdown; an empty string takes back what was shown."""
        ...

    def more(self, text: str) -> None:
        """Append to the answer, at a cost that does not depend on how long the answer is."""
        ...

    def thought(self, text: str) -> None:
        """The model thinks on, which is no part of its answer."""
        ...

    def heard(self, words: str) -> None:
        """What the recordings of the turn's messages say."""
        ...

    def step(self, step: Step) -> None:
        """A tool call begins, goes on, or has ended."""
        ...

    def phase(self, words: str) -> None:
        """The turn does something else than calling a model or a tool ("" when that ends)."""
        ...


class SessionHistories(Protocol):
    """What sessions remember, as only the runtime can read it."""

    async def stopped(self, request: TurnRequest, shown: str) -> bytes:
        """The session's history with a turn that its user stopped, as far as that came, and marked so.

        The ``steps`` of the request hold what is kept of it; ``shown`` is the whole text that it had shown.
        """
        ...

    async def without_last(self, stored: bytes | None) -> bytes | None:
        """The history without its last exchange, empty when that was all; None when there is none.

        Raises:
            TurnFailed: a newer release wrote it.
        """
        ...

    async def unreadable(self, stored: bytes) -> str:
        """Why an earlier conversation cannot be gone on with here, as a sentence for its people; empty where it can."""
        ...


class AgentRuntime(Protocol):
    """fast-agent as a worker sees it: one per process, entered and left in one task."""

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        """Run one turn on a lane of its own. It waits for a free lane in a fair queue of chats and senders.

        The runtime alone keeps the time that a turn may take, because only it knows when the turn has its lane.

        Raises:
            TurnFailed: no answer; the session's history is as before.
            TurnParked: it waits for a person.
            ClaimLost: another worker runs the turn.
            asyncio.CancelledError: the caller cancelled; the history is as before. (fast-agent swallows it, we do not.)
        """
        ...

    async def compact(self, request: TurnRequest) -> TurnResult:
        """Summarise the older part of the history; ``text`` says what was done. Raises as ``run`` does."""
        ...

    @property
    def histories(self) -> SessionHistories:
        """What sessions remember, changed without a turn."""
        ...

    @property
    def agents(self) -> tuple[str, ...]:
        """The names that a session may choose, the default first."""
        ...


class MediaSource(Protocol):
    """Telegram's files for the runtime."""

    async def fetch(self, media: Media) -> Path:
        """Get a local copy, which is kept at least for the turn.

        Raises:
            MediaUnavailable: too large or gone; the message is for the user.
            Retryable: Telegram did not answer.
        """
        ...


class MediaUnavailable(Terminal):
    """This file cannot be read; please send it again, or a smaller one."""


class LiveAnswer(Sink, Protocol):
    """An answer that grows on the screen. A message's id is known, and stored, once its first text was shown."""

    @property
    def message_ids(self) -> tuple[int, ...]:
        """The messages that the final text must edit, in order; empty when nothing was shown."""
        ...

    @property
    def stands(self) -> str | None:
        """The words of a dead worker's try that still stand there, "" where they are not known; None: none do."""
        ...

    def begin_again(self) -> None:
        """The turn is tried again; what was shown stays until as much is said."""
        ...

    def settled(self, reply: Reply) -> bool:
        """Whether the message that a reply edits surely shows it already, so that it need not be delivered."""
        ...


class Delivery(Protocol):
    """Telegram as a worker sees it."""

    def live(
        self,
        session: SessionKey,
        showing: Showing,
        *,
        created: Callable[[int], Awaitable[None]],
        still_ours: Callable[[], Awaitable[None]],
    ) -> AbstractAsyncContextManager[LiveAnswer]:
        """Show a turn while it runs: typing, text, steps. Best effort; leaving waits for the frame in flight.

        Args:
            session: Where.
            showing: How.
            created: Called with the id of a created message before any further frame; its failure ends the frames.
            still_ours: Called before each frame; raises ``ClaimLost``, or ``StoreUnavailable`` when that is not known.
        """
        ...

    async def deliver(
        self, session: SessionKey, reply: Reply, *, still_ours: Callable[[], Awaitable[None]] | None = None
    ) -> tuple[int, ...]:
        """Deliver one committed reply, waiting out floods and outages for as long as it takes.

        Args:
            session: Where.
            reply: What.
            still_ours: Called before each call to Telegram; raises ``ClaimLost`` when another worker owns the session.

        Returns:
            The ids of the messages that show it.

        Raises:
            Undeliverable: Telegram will never take it in this chat.
            ChatMigrated: the session has to move.
        """
        ...

    async def standing(
        self, session: SessionKey, ids: Sequence[int], thinking: str, *, still_ours: Callable[[], Awaitable[None]]
    ) -> str:
        """What a dead worker's turn says in messages, as far as Telegram tells it; ``thinking``: as in ``Showing``."""
        ...

    def delivered(self, session: SessionKey, reply: Reply) -> None:
        """Redis knows that a reply is delivered: what is kept of its files may go."""
        ...

    def render(  # noqa: PLR0913 - each but the first has a default
        self,
        markdown: str,
        *,
        edits: Sequence[int] = (),
        reply_to: int | None = None,
        notes: Sequence[str] = (),
        trace: Trace = NO_TRACE,
        alone: bool = False,
    ) -> tuple[Reply, ...]:
        """Markdown as Telegram messages, the first being the edits of ``edits`` (pure).

        ``notes`` are plain sentences of the bot's own. They stand below the answer, whatever in it was not ended;
        below them stand the steps of ``trace``. ``alone``: it is one message for good, an inline one.
        """
        ...
