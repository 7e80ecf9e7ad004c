"""All sessions, a page at a time, for operators: what is kept of each, without a word of what was said."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched
from typing import Any

from redis.asyncio import Redis

from tasks import keys
from tasks.chats.conversations import read_index
from tasks.session import SessionKey
from tasks.store.connection.redis import guard, text
from tasks.store.earlier import INDEX
from tasks.store.state import StateField

_AT_ONCE = 200
"""Sessions read in one round trip."""
_FIELDS = (
    StateField.owner,
    StateField.epoch,
    StateField.agent,
    StateField.model,
    StateField.turns,
    StateField.input_tokens,
    StateField.output_tokens,
    StateField.touched,
    StateField.migrated_to,
    StateField.tries,
)


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is kept of a session."""

    session: SessionKey
    waiting: int
    """Unanswered messages."""
    undelivered: int
    """Replies that Telegram has not taken."""
    owner: str | None
    """The worker that has it now, or had it when it died."""
    epoch: int
    agent: str | None
    model: str | None
    turns: int
    input_tokens: int
    output_tokens: int
    touched: float | None
    """When its last turn was committed, seconds since the epoch; None: an older release wrote it."""
    moved: str | None
    """The session that this one goes on as."""
    history_bytes: int
    """As stored."""
    notes: int
    earlier: int
    """Conversations that were set aside."""
    earlier_bytes: int
    steps: int
    """Of the turn that runs."""
    begun: int
    """How often that turn was begun: above 1, a worker ended in it."""


@dataclass(frozen=True, slots=True)
class SessionContent:
    """What was said in a session, and what was chosen there."""

    state: Mapping[str, bytes]
    """All fields; ``history`` as the runtime wrote it."""
    inbox: tuple[bytes, ...]
    outbox: tuple[bytes, ...]
    journal: tuple[bytes, ...]
    """Steps of the turn that runs."""

    @property
    def history(self) -> bytes | None:
        """The conversation that goes on."""
        return self.state.get(StateField.history)


type Wanted = Callable[[SessionFacts], bool]


class SessionListing:
    """Verbs that only look."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def page(
        self, limit: int, *, bot: int | None = None, after: str = "", wanted: Wanted = lambda _: True
    ) -> list[SessionFacts]:
        """The first ``limit`` wanted sessions behind ``after``, by name; it reads all names, and no more than it needs.

        With ``bot`` those of this one.

        Raises:
            StoreUnavailable: Redis is away.
        """
        kept: list[SessionFacts] = []
        names = await self._sessions("*" if bot is None else f"{bot}:*", after)
        for some in batched(sorted(names), _AT_ONCE):
            kept += [facts for facts in await self.read([SessionKey.parse(name) for name in some]) if wanted(facts)]
            if len(kept) >= limit:
                break
        return kept[:limit]

    async def read(self, sessions: Sequence[SessionKey]) -> list[SessionFacts]:
        """What is kept of these sessions, in one round trip."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for session in sessions:
                    pipe.llen(keys.inbox(session))
                    pipe.llen(keys.outbox(session))
                    pipe.hmget(keys.state(session), *_FIELDS)
                    pipe.hstrlen(keys.state(session), StateField.history)
                    pipe.hlen(keys.notes(session))
                    pipe.llen(keys.journal(session))
                    pipe.hget(keys.earlier(session), INDEX)
                answers: list[Any] = await pipe.execute(raise_on_error=False) if sessions else []
        # A key of a wrong type holds nothing of ours.
        told = [None if isinstance(answer, Exception) else answer for answer in answers]
        return [_facts(session, told[7 * n : 7 * n + 7]) for n, session in enumerate(sessions)]

    async def content(self, session: SessionKey) -> SessionContent:
        """Everything that was said and is kept, as it is at one moment."""
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hgetall(keys.state(session))
                for part in (keys.inbox, keys.outbox, keys.journal):
                    pipe.lrange(part(session), 0, -1)
                state, *lists = await pipe.execute()
        inbox, outbox, journal = map(tuple, lists)
        return SessionContent({text(name): value for name, value in state.items()}, inbox, outbox, journal)

    async def _sessions(self, pattern: str, after: str) -> set[str]:
        """The names of those behind ``after``: a million of them take 110 MB for a moment."""
        found = set[str]()
        with guard():
            async for raw in self._redis.scan_iter(match=f"cohort:s:{pattern}", count=1000):
                name, _, part = text(raw).removeprefix(f"{keys.PREFIX}s:").rpartition(":")
                if part in ("state", "inbox") and name > after:
                    with suppress(ValueError):
                        SessionKey.parse(name)
                        found.add(name)
        return found


def _facts(session: SessionKey, told: Sequence[Any]) -> SessionFacts:
    waiting, undelivered, state, history, notes, steps, index = told
    earlier = read_index(index)
    said = dict(zip(_FIELDS, state or [None] * len(_FIELDS), strict=True))
    name = {field: text(value) if value else None for field, value in said.items()}
    return SessionFacts(
        session,
        waiting=waiting or 0,
        undelivered=undelivered or 0,
        owner=name[StateField.owner],
        epoch=_count(said[StateField.epoch]),
        agent=name[StateField.agent],
        model=name[StateField.model],
        turns=_count(said[StateField.turns]),
        input_tokens=_count(said[StateField.input_tokens]),
        output_tokens=_count(said[StateField.output_tokens]),
        touched=float(_count(said[StateField.touched])) or None,
        moved=name[StateField.migrated_to],
        history_bytes=history or 0,
        notes=notes or 0,
        earlier=len(earlier),
        earlier_bytes=sum(one.size_bytes for one in earlier),
        steps=steps or 0,
        begun=_count(said[StateField.tries]),
    )


_DIGITS = 17
"""A counter of more digits is damaged."""


def _count(value: bytes | None) -> int:
    return int(value) if value and value.isdigit() and len(value) < _DIGITS else 0
