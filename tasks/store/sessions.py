"""A session's state behind its claim: who owns it may read its inbox, commit turns and empty its outbox."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.errors import ClaimLost
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.connection.redis import DEAD_KEPT, Script, guard, text
from tasks.store.owners import Owners
from tasks.store.records.recorded import RecordedBots
from tasks.store.state import OF_THE_HEAD, StateField
from tasks.store.views import SessionViews

READ_AHEAD = 64
"""Inbox entries read at once; a turn answers no more than this together."""

USAGE_KEPT = timedelta(days=40)

_REMEMBERED = 10_000
"""Sessions whose epoch is remembered at most, about 2 MiB."""


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do in a claimed session."""

    tries: int
    """How often the head of the inbox has been begun, this time included; a later time counts when it runs."""
    inbox: tuple[bytes, ...]
    """Raw envelopes, oldest first. One may be of a newer release, so the caller reads them."""
    outbox: tuple[bytes, ...]
    """Raw replies, oldest first."""
    migrating_from: str = ""
    """The session of the group that became this supergroup, while its work is not fetched (``tasks.store.moves``)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """This incarnation owns the session; ``epoch`` is the fence: it grows with each change of owner."""

    session: SessionKey
    owner: str
    epoch: int
    state: Mapping[str, bytes]
    work: Work


@dataclass(frozen=True, slots=True)
class Held:
    """The session is not ours: another incarnation owns it (``owner``), or ours is taken for dead (None)."""

    owner: str | None


@dataclass(frozen=True, slots=True)
class Rest:
    """A parked turn lets its session go: ``seen`` entries of the inbox gave it nothing to do, until ``ends`` (s)."""

    seen: int
    ends: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What one usage hash gets: counters to ``add`` and fields to ``set``."""

    add: Mapping[str, int]
    set: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Hold:
    """Tokens to hold of the allowance under ``name``; ``limit`` 0 is none."""

    name: str
    limit: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Commit:
    """All that a turn changes, written at once or not at all."""

    drop: int
    """How many entries at the head of the inbox are answered."""
    replies: Sequence[Reply] = ()
    history: bytes | None = None
    """The new one; None leaves it."""
    set: Mapping[str, str] = field(default_factory=dict[str, str])
    """Fields of the state."""
    unset: Sequence[str] = ()
    """Fields of the state that go."""
    add: Mapping[str, int] = field(default_factory=dict[str, int])
    """Counters of the state."""
    usage: Mapping[str, "Counts"] = field(default_factory=dict[str, "Counts"])
    """Counters and fields of a day, under ``keys.usage`` names."""
    dead: Sequence[DeadLetter] = ()
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    """The same commit, given again because its answer was lost, is done once."""
    after: str | None = None
    """The id of the commit before it ("" when there was none), so that one that comes late, behind its successor, is
    refused; None does not look."""
    then: Sequence[Inbound] = ()
    """They come to the head of the inbox in place of what it drops."""


class SessionStore(SessionViews):
    """Verbs on one session; each is one atomic step."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int) -> None:
        super().__init__(redis, slots)
        self._clock = clock
        self._left_at: dict[SessionKey, int] = {}
        self.owners = Owners(redis)
        self._recorded = RecordedBots(redis)
        self._claim = Script(redis, "claim")
        self._advance = Script(redis, "advance")
        self._commit = Script(redis, "commit")
        self._delivered = Script(redis, "delivered")
        self._handoff = Script(redis, "handoff")
        self._note = Script(redis, "note")
        self._charge = Script(redis, "charge")
        self._reserve = Script(redis, "reserve")

    async def claim(self, session: SessionKey, incarnation: str) -> Claim | Held:
        """Own the session, unless a living incarnation does.

        Raises:
            StoreUnavailable: Redis is away; the claim may have been made.
        """
        # Optimistic guess (unowned, at the epoch we released): usually right, saves a round trip.
        # Bytes, as they were read: a damaged owner need not be text.
        expected, epoch = b"", str(self._left_at.get(session, 0)).encode()
        while True:
            names = [keys.state(session), keys.inbox(session), keys.outbox(session), keys.worker(incarnation)]
            previous = keys.worker("").encode() + expected
            answer = await self._claim([*names, previous], [incarnation, expected, READ_AHEAD, epoch])
            match answer:
                case [b"mine", won, tries, inbox, outbox, state]:
                    fields = {text(name): value for name, value in zip(state[::2], state[1::2], strict=True)}
                    work = Work(tries, tuple(inbox), tuple(outbox), text(fields.get(StateField.migrating_from, b"")))
                    return Claim(session, incarnation, won, fields, work)
                case [b"held", owner, current] if (owner, current) != (expected, epoch):
                    # Only now do we know whose heartbeat the script has to look at, and what it would change.
                    expected, epoch = owner, current
                case [b"held", owner, _]:
                    return Held(text(owner))
                case _:
                    return Held(None)

    async def advance(
        self, claim: Claim, *, again: bool = False, begun: int | None = None, rest: Rest | None = None
    ) -> Work | None:
        """What is next, or None: nothing was left and the session is released.

        Args:
            claim: The session, as it is held.
            again: The head of the inbox was only waited for, or set aside by its user; that was no try.
            begun: The caller has kept count: so often the head was begun, if there is one to begin now.
            rest: Its turn is parked; the session is also released while the inbox holds just what its owner has seen.

        Raises:
            ClaimLost: another incarnation owns it now.
        """
        session = claim.session
        slot = slot_of(session, self._slots)
        names = [keys.state(session), keys.inbox(session), keys.outbox(session), keys.pending(slot), keys.parked(slot)]
        args = [claim.owner, claim.epoch, str(session), READ_AHEAD, 0 if again else 1, "" if begun is None else begun]
        answer = await self._advance(names, [*args, rest.seen if rest else "", rest.ends if rest else 0])
        match answer:
            case [b"work", tries, inbox, outbox, migrating_from]:
                return Work(tries, tuple(inbox), tuple(outbox), text(migrating_from))
            case [b"released"]:
                if len(self._left_at) >= _REMEMBERED:
                    self._left_at.clear()
                self._left_at[session] = claim.epoch
                return None
            case _:
                raise ClaimLost

    async def commit(self, claim: Claim, commit: Commit) -> tuple[bytes, ...]:
        """Write a turn; giving the same ``commit`` again changes nothing more.

        Returns:
            The replies as they stand in the outbox now, behind whatever was there.

        Raises:
            ClaimLost: nothing was written; what was computed is void.
        """
        session = claim.session
        form = {"v": 4} if session.inline is not None else {}
        replies = [
            reply.model_copy(update={"id": f"{commit.id}.{part}", **form}).to_json()
            for part, reply in enumerate(commit.replies)
        ]
        plan: dict[str, Any] = {
            "drop": commit.drop,
            "set": flat(commit.set),
            "unset": [*commit.unset, *(OF_THE_HEAD if commit.drop else ())],
            "add": dict(commit.add),
            "usage": [{"add": dict(counts.add), "set": flat(counts.set)} for counts in commit.usage.values()],
            "replies": replies,
            "dead": [letter.to_json() for letter in commit.dead],
            "history": commit.history is not None,
            # Each goes in front of the one before it.
            "then": [inbound.to_json() for inbound in reversed(commit.then)],
        }
        if commit.after is not None:
            plan["after"] = commit.after
        names = [keys.state(session), keys.inbox(session), keys.outbox(session), self._pending(session)]
        names += [keys.dead(session.bot), keys.journal(session)]
        kept = await self._recorded.enter([session.bot], DEAD_KEPT) if commit.dead else DEAD_KEPT
        args = [claim.owner, claim.epoch, commit.id, str(session), json.dumps(plan), commit.history or b"", kept]
        done = await self._commit([*names, *commit.usage], [*args, int(USAGE_KEPT.total_seconds())])
        if not done:
            raise ClaimLost
        return tuple(reply.encode() for reply in replies)

    async def charge(self, session: SessionKey, ident: str, usage: Mapping[str, Counts]) -> None:
        """Count what model calls have cost, ahead of a commit or without one; the same ``ident`` counts once."""
        plan = [{"add": dict(counts.add), "set": flat(counts.set)} for counts in usage.values()]
        await self._charge([*usage], [str(session), ident, json.dumps(plan), int(USAGE_KEPT.total_seconds())])

    async def reserve(self, session: SessionKey, holds: Sequence[Hold], seconds: float) -> list[int]:
        """Hold tokens for the session's next turn: the chat's first, then each payer's.

        Returns:
            For each 0 (it may be spent), 1 (used up) or 2 (what is left is held by other turns). Nothing is held when
            the chat's or all payers' are refused.
        """
        now = self._clock.now()
        args: list[str | int | float] = [str(session), now, now + seconds, int(USAGE_KEPT.total_seconds())]
        for hold in holds:
            args += [hold.limit, hold.tokens]
        return [int(verdict) for verdict in await self._reserve([hold.name for hold in holds], args)]

    async def whole_inbox(self, claim: Claim) -> tuple[bytes, ...]:
        """Every waiting entry: a control word may stand behind more messages than are read ahead."""
        with guard():
            return tuple(await cast("Any", self._redis).lrange(keys.inbox(claim.session), 0, -1))

    async def delivered(self, claim: Claim, reply: bytes, mark: str = "") -> None:
        """Telegram has taken the oldest reply, given as read; ``mark``: where it shows (``tasks.chats.feedback``).

        Raises:
            ClaimLost: another incarnation delivers now.
        """
        names = [keys.state(claim.session), keys.outbox(claim.session), keys.answers(claim.session)]
        if not await self._delivered(names, [claim.owner, claim.epoch, reply, mark]):
            raise ClaimLost

    async def hand_off(self, claim: Claim, *, counts: bool = False) -> None:
        """Let go with the work left in place; a lost claim is as good. ``counts``: its head is to blame for the end."""
        await self._handoff([keys.state(claim.session)], [claim.owner, claim.epoch, int(counts)])

    async def verify_claim(self, claim: Claim) -> None:
        """See whether the session is still ours; a process that was paused cannot know.

        Raises:
            ClaimLost: it is not.
        """
        with guard():
            owner, epoch = await cast("Any", self._redis).hmget(
                keys.state(claim.session), StateField.owner, StateField.epoch
            )
        if (owner, epoch) != (claim.owner.encode(), str(claim.epoch).encode()):
            raise ClaimLost

    async def behind(self, session: SessionKey, taken: int) -> tuple[bytes, ...]:
        """The inbox entries behind the first ``taken``, ``READ_AHEAD`` at most, read without claiming the session."""
        with guard():
            return tuple(await cast("Any", self._redis).lrange(keys.inbox(session), taken, taken + READ_AHEAD - 1))

    async def note(self, claim: Claim, name: str, value: str) -> None:
        """Write one field of the state at once, not with the turn; an empty value removes it.

        Raises:
            ClaimLost: nothing was written.
        """
        if not await self._note([keys.state(claim.session)], [claim.owner, claim.epoch, name, value]):
            raise ClaimLost

    def _pending(self, session: SessionKey) -> str:
        return keys.pending(slot_of(session, self._slots))


def flat(fields: Mapping[str, str]) -> list[str]:
    """Names and values in turn, as HSET takes them."""
    return [part for pair in fields.items() for part in pair]
