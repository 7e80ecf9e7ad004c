"""How sessions stand, read from outside: nothing is claimed, and one that is damaged hides no other."""

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tasks import keys
from tasks.chats.asking import ParkedTurn, parked_in
from tasks.chats.choices import CHAT_CHOICES, LANGUAGE
from tasks.envelope import Envelope, Inbound, Reply
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.session import SessionKey
from tasks.stopping import still_waiting, waiting_since
from tasks.store.connection.erasure_scope import inbounds, listed
from tasks.store.connection.redis import guard, text
from tasks.store.glance import Glance
from tasks.store.state import StateField
from tasks.store.sweeps import SlotSweeps
from tasks.text import is_digits

_OLDEST_LOOKED_AT = 4
"""Of a slot's sessions: the oldest may be at work, and then the next one is what waits."""

_DIGITS = 17
"""A counter of more digits is damaged."""
_LAST_ENTRIES = 64
"""Entries of an inbox in which an answer is looked for that no worker has seen yet."""

log = logging.getLogger("cohort.store")


@dataclass(frozen=True, slots=True)
class SlotDepth:
    """A slot with unanswered messages."""

    slot: int
    sessions: int
    """How many of its sessions have some."""
    oldest: tuple[tuple[str, float], ...]
    """The four sessions whose work was accepted first, and when (seconds since the epoch)."""

    @property
    def since(self) -> float:
        """When the oldest work in it was accepted."""
        return self.oldest[0][1]


@dataclass(frozen=True, slots=True)
class Backlog:
    """A slot with unanswered messages."""

    slot: int
    sessions: int
    """How many of its sessions have some."""
    since: float
    """When the oldest work in it was accepted, seconds since the epoch."""
    untaken_since: float | None
    """The same of the oldest session that no worker has taken, among the four oldest; None when all are taken."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session with work: what waits in it, as far as it can be read."""

    session: str
    owner: str | None
    """The incarnation that has taken it."""
    inbox: tuple[Inbound, ...]
    outbox: tuple[Reply, ...]

    @property
    def bot(self) -> int | None:
        """None: the name is no session's."""
        number = self.session.partition(":")[0]
        return int(number) if is_digits(number) else None


def _whole(told: Sequence[Any], *blank: Any) -> list[Any]:
    """What a pipeline answered; of a key that something else overwrote, what an empty one gives: a worker mends it.

    Raises:
        ResponseError: Redis refuses.
    """
    for one in told:
        if isinstance(one, Exception) and "WRONGTYPE" not in str(one):
            raise one
    return [empty if isinstance(one, Exception) else one for one, empty in zip(told, blank, strict=True)]


class SessionViews(SlotSweeps):
    """Verbs that only look."""

    async def parked(self, session: SessionKey) -> tuple[ParkedTurn | None, tuple[Inbound, ...]]:
        """What a session asks and the last entries of its inbox, read without claiming it.

        The questions of its parked turn, or that of the running turn whose call stays open.
        """
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hmget(keys.state(session), StateField.parked, StateField.held)
                pipe.lrange(keys.inbox(session), -_LAST_ENTRIES, -1)
                (parked, held), entries = _whole(await pipe.execute(raise_on_error=False), (None, None), [])
        behind: list[Inbound] = []
        for entry in entries:
            with suppress(EnvelopeInvalid, EnvelopeTooNew):
                behind.append(Inbound.from_json(entry))
        return parked_in(parked) or parked_in(held), tuple(behind)

    async def askers(self, session: SessionKey) -> frozenset[int]:
        """Who wrote the messages that are answered now, or wait, or were given up on and may be answered again."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.lrange(keys.inbox(session), 0, _LAST_ENTRIES - 1)
                pipe.hget(keys.state(session), StateField.retry_batch)
                entries, failed = _whole(await pipe.execute(raise_on_error=False), [], None)
        said = inbounds([*entries, *listed(failed)])
        return frozenset(one.person for one in said if one.kind == "message" and one.person is not None)

    async def languages(self, session: SessionKey) -> tuple[str | None, ...]:
        """The language that a session chose, and the one in which its person was answered last; None: not known.

        A choice that waits behind a turn counts: its person has been told that it is made.
        """
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hmget(keys.state(session), [StateField.language, StateField.tongue])
                pipe.lrange(keys.inbox(session), -_LAST_ENTRIES, -1)
                (chosen, tongue), entries = _whole(await pipe.execute(raise_on_error=False), (None, None), [])
        waits = inbounds(raw for raw in entries if b'"choose"' in raw)
        coming = [one.choice[LANGUAGE] for one in waits if one.kind == "choose" and LANGUAGE in one.choice]
        chosen, tongue = (text(value) if value else None for value in (chosen, tongue))
        return coming[-1] or None if coming else chosen, tongue

    async def glance(self, session: SessionKey) -> Glance:
        """How a session stands, read without claiming it."""
        fields = (
            StateField.owner,
            StateField.agent,
            StateField.model,
            StateField.input_tokens,
            StateField.output_tokens,
            StateField.heard_seconds,
            StateField.spoken_characters,
            StateField.parked,
            StateField.held,
        )
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.llen(keys.inbox(session))
                pipe.lrange(keys.inbox(session), 0, _LAST_ENTRIES - 1)
                pipe.hmget(keys.state(session), *fields)
                pipe.hmget(keys.state(session), *CHAT_CHOICES)
                none = [None] * len(fields)
                told = _whole(await pipe.execute(raise_on_error=False), 0, [], none, [None] * len(CHAT_CHOICES))
        waiting, raws, (owner, agent, model, *used, parked, held), chosen = told
        # What cannot be read is the worker's to bury.
        entries = [_read(Inbound, raw) for raw in raws]
        waits = [entry for entry in entries if entry is not None]
        oldest = waiting_since(waits)
        chosen_later = [entry.choice for entry in waits if entry.kind in ("choose", "conversation")]
        coming = {what: value for choice in chosen_later for what, value in choice.items()}
        messages = waiting - len(entries) + still_waiting(waits)
        owner, agent, model = (text(value) if value else None for value in (owner, agent, model))
        choices = {name: text(value) for name, value in zip(CHAT_CHOICES, chosen, strict=True) if value}
        turn = parked_in(parked) or parked_in(held)
        question = turn.open[0].about if turn is not None and turn.open else None
        used_in, used_out, heard_s, spoken = map(_count, used)
        used_up = (used_in, used_out, heard_s, spoken)
        asking = still_waiting(waits[: turn.taken]) if turn is not None and question is not None else 0
        return Glance(waiting, oldest, owner, agent, model, *used_up, choices, question, messages, coming, asking)

    async def depths(self, slots: Collection[int]) -> list[SlotDepth]:
        """Those of the slots that have work, in one round trip. A slot whose key is damaged hides no other."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in slots:
                    pipe.zcard(keys.pending(slot))
                    pipe.zrange(keys.pending(slot), 0, _OLDEST_LOOKED_AT - 1, withscores=True)
                told: list[Any] = await pipe.execute(raise_on_error=False) if slots else []
        return [
            SlotDepth(slot, count, tuple((text(name), float(at)) for name, at in oldest))
            for slot, count, oldest in zip(slots, told[::2], told[1::2], strict=True)
            if isinstance(count, int) and count and isinstance(oldest, list) and oldest
        ]

    async def backlogs(self, slots: Collection[int]) -> list[Backlog]:
        """Those of the slots that have work, in two round trips."""
        found = await self.depths(slots)
        taken = await self._taken([name for depth in found for name, _ in depth.oldest])
        return [
            Backlog(
                depth.slot,
                depth.sessions,
                depth.since,
                min((at for name, at in depth.oldest if name not in taken), default=None),
            )
            for depth in found
        ]

    async def waiting(self, slots: int, most: int) -> list[Waiting]:
        """What waits in ``most`` sessions with work."""
        names: list[bytes] = []
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in range(slots):
                    pipe.zrange(keys.pending(slot), 0, max(1, most // slots) - 1)
                for some in await pipe.execute():
                    names += some
        return await self.contents([text(name) for name in names])

    async def contents(self, names: Sequence[str]) -> list[Waiting]:
        """What waits in these sessions; what is no list of ours holds nothing."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hget(keys.state(name), StateField.owner)
                    pipe.lrange(keys.inbox(name), 0, -1)
                    pipe.lrange(keys.outbox(name), 0, -1)
                answers: list[Any] = await pipe.execute(raise_on_error=False) if names else []
        told = [None if isinstance(answer, Exception) else answer for answer in answers]
        return [
            Waiting(
                name,
                text(owner) if owner else None,
                tuple(one for raw in inbox or () if (one := _read(Inbound, raw))),
                tuple(one for raw in outbox or () if (one := _read(Reply, raw))),
            )
            for name, owner, inbox, outbox in zip(names, told[::3], told[1::3], told[2::3], strict=True)
        ]

    async def _taken(self, names: Sequence[str]) -> set[str]:
        """Those of these sessions that a worker owns."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hexists(keys.state(name), StateField.owner)
                owned: list[Any] = await pipe.execute(raise_on_error=False) if names else []
        return {name for name, yes in zip(names, owned, strict=True) if yes and not isinstance(yes, Exception)}

    async def parked_turns(self, slots: int) -> int:
        """How many turns wait for a person, in one round trip."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for slot in range(slots):
                    pipe.zcard(keys.parked(slot))
                counts = await pipe.execute(raise_on_error=False)
        return sum(count for count in counts if isinstance(count, int))

    async def usage(self, names: Sequence[str]) -> list[int]:
        """Tokens (in + out) counted under each of ``keys.usage`` names."""
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hmget(name, "input_tokens", "output_tokens")
                rows = await pipe.execute() if names else []
        return [_count(used_in) + _count(used_out) for used_in, used_out in rows]


def _read[E: Envelope](kind: type[E], raw: bytes) -> E | None:
    try:
        return kind.from_json(raw)
    except (EnvelopeInvalid, EnvelopeTooNew):
        return None


def _count(value: bytes | None) -> int:
    """A counter; 0 for a damaged one."""
    return int(value) if value and value.isdigit() and len(value) < _DIGITS else 0
