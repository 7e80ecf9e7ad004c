"""A group became a supergroup, which has another id: its session goes on under the new one.

Two steps, each its session's owner's: the old one is let go and the new one told of it (``leave``); the new one takes
over what is left there (``fetch``). So neither has to wait for the other, and what runs in either is not disturbed.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from tasks import keys
from tasks.chats.choices import CHAT_CHOICES
from tasks.clock import Clock
from tasks.envelope import Reply
from tasks.errors import ClaimLost, EnvelopeInvalid, EnvelopeTooNew
from tasks.pointing import elsewhere
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.connection.redis import Script, guard, text
from tasks.store.sessions import Claim
from tasks.store.state import StateField

_COUNTERS = (
    StateField.input_tokens,
    StateField.output_tokens,
    StateField.heard_seconds,
    StateField.spoken_characters,
    StateField.turns,
)
_WITHOUT_OURS = (StateField.agent, StateField.model, *CHAT_CHOICES, StateField.unanswered, StateField.start)
"""Choices, and what else comes along where the supergroup has not got it."""
_LISTS = (StateField.retry_batch, StateField.allowed)
_DIGITS = 17
"""A counter of more digits is damaged."""
_HEAD = (StateField.tries, StateField.batch_size, StateField.isolate_next)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The new session's state with what came, and whether the head of its inbox is another one now."""

    state: Mapping[str, bytes]
    replaced: bool


class Moves:
    """Verbs on a session and the one it goes on as; each may be said twice."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int) -> None:
        self._redis = redis
        self._clock = clock
        self._slots = slots
        self._move = Script(redis, "move")
        self._fetch = Script(redis, "fetch")

    async def leave(self, claim: Claim, new: SessionKey, entries: Sequence[bytes] = ()) -> None:
        """Release the session; it goes on as ``new``, whose owner fetches it.

        Args:
            claim: The old session's.
            new: Its new name. Its own name changes nothing but the ``entries``.
            entries: Of its inbox, as read: those that said so. They are dropped.

        Raises:
            ClaimLost: nothing was done.
        """
        old = claim.session
        names = [keys.state(old), keys.inbox(old), self._pending(old), keys.state(new), self._pending(new)]
        names.append(keys.parked(slot_of(old, self._slots)))
        args = [claim.owner, claim.epoch, str(old), str(new), self._clock.now(), *entries]
        if not await self._move(names, args):
            raise ClaimLost

    async def fetch(self, claim: Claim, old: SessionKey) -> Fetched | None:
        """Take over what is left in ``old``: its messages come before our own, its history replaces ours.

        What came late, after a first time, comes behind our own.

        Returns:
            None while a living incarnation owns the old one.

        Raises:
            ClaimLost: nothing was taken.
        """
        new = claim.session
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hgetall(keys.state(old))
                pipe.lrange(keys.outbox(old), 0, -1)
                pipe.hgetall(keys.state(new))
                theirs, replies, ours = await pipe.execute()
        plan = _plan(_named(theirs), _named(ours), replies)
        owner, history = theirs.get(b"owner", b""), theirs.get(b"history", b"")
        names = [keys.state(new), keys.inbox(new), keys.outbox(new), self._pending(new), keys.notes(new)]
        names += [keys.state(old), keys.inbox(old), keys.outbox(old), self._pending(old), keys.notes(old)]
        further = [keys.journal(old), keys.earlier(new), keys.earlier(old)]
        args = [claim.owner, claim.epoch, str(new), str(old), owner, theirs.get(b"epoch", b"0")]
        args += [self._clock.now(), json.dumps(plan), history, theirs.get(b"commit", b"")]
        answer = await self._fetch([*names, keys.worker("").encode() + owner, *further], args)
        match answer:
            case [b"fetched", replaced, state]:
                return Fetched(_named(dict(zip(state[::2], state[1::2], strict=True))), bool(replaced))
            case [b"held"]:
                return None
            case _:
                raise ClaimLost

    def _pending(self, session: SessionKey) -> str:
        return keys.pending(slot_of(session, self._slots))


def _named(state: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {text(name): value for name, value in state.items()}


def _plan(theirs: Mapping[str, bytes], ours: Mapping[str, bytes], replies: Sequence[bytes]) -> dict[str, Any]:
    """What becomes of the old session's state and replies (fetch.lua); the history travels beside it."""
    put = [part for name in _WITHOUT_OURS if name in theirs and name not in ours for part in (name, text(theirs[name]))]
    for name in _COUNTERS:
        # Only their owners count, and neither has one now but us.
        if total := _count(theirs.get(name)) + _count(ours.get(name)):
            put += [name, str(total)]
    for name in _LISTS:
        if name in theirs:
            both = [*_list(theirs[name]), *_list(ours.get(name, b"[]"))]
            put += [name, json.dumps(list(dict.fromkeys(both)))]
    if StateField.history in theirs:
        # It goes where the history goes.
        put += [StateField.conversation, text(theirs.get(StateField.conversation, b""))]
    return {
        "set": put,
        "head": [part for name in _HEAD if name in theirs for part in (name, text(theirs[name]))],
        "replies": [_elsewhere(reply) for reply in replies],
    }


def _list(failed: bytes) -> list[str]:
    with suppress(ValueError, RecursionError):
        found: Any = json.loads(failed)
        return [entry for entry in found if isinstance(entry, str)] if isinstance(found, list) else []
    return []


def _count(value: bytes | None) -> int:
    return int(value) if value and value.isdigit() and len(value) < _DIGITS else 0


def _elsewhere(raw: bytes) -> str:
    with suppress(EnvelopeTooNew, EnvelopeInvalid):
        return elsewhere(Reply.from_json(raw)).to_json()
    return raw.decode(errors="replace")
