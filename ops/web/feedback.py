"""What people think of answers, for the console's page: thumbs by day, by agent and model, and the newest of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ops.commands.feedback import told
from tasks.chats.feedback import Opinion
from tasks.clock import Clock
from tasks.store import Store

type Json = dict[str, Any]
type Answerer = tuple[str, str]
"""An agent and its model."""

DAYS = 30
"""How far back the page looks."""
_NEWEST = 50
_ANSWERERS = 50
"""Rows of agents and models, those with the most thumbs."""
_LOOKED_THROUGH = 10_000
"""Turns that are looked through for who answered."""


async def feedback(store: Store, clock: Clock, *, bot: int | None = None) -> Json:
    """All of the page, or what is one ``bot``'s.

    A turn is known for about a week, a thumb for longer: whose answer that was, is then unknown.
    """
    opinions = await store.feedback.since(clock.now() - DAYS * 86400, bot)
    answerers = await _answerers(store, opinions)
    known = [(answerers[_turn(one)], one) for one in opinions if _turn(one) in answerers]
    counted = _counted((answerer, one) for answerer, one in known)
    most = sorted(counted.items(), key=lambda row: (-row[1].total(), row[0]))
    return {
        "days_back": DAYS,
        **_thumbs(Counter(one.thumb for one in opinions)),
        "days": [
            {"day": day, **_thumbs(thumbs)}
            for day, thumbs in sorted(_counted((_day(one.at), one) for one in opinions).items(), reverse=True)
        ],
        "answerers": [
            {"agent": agent, "model": model, **_thumbs(thumbs)} for (agent, model), thumbs in most[:_ANSWERERS]
        ],
        "unknown": len(opinions) - len(known),
        "newest": [_row(one, answerers.get(_turn(one))) for one in opinions[:_NEWEST]],
    }


def _row(one: Opinion, answerer: Answerer | None) -> Json:
    agent, model = answerer or (None, None)
    return {**told(one), "agent": agent, "model": model}


def _counted[T](pairs: Iterable[tuple[T, Opinion]]) -> dict[T, Counter[str]]:
    counted: dict[T, Counter[str]] = {}
    for key, one in pairs:
        counted.setdefault(key, Counter())[one.thumb] += 1
    return counted


def _thumbs(counted: Mapping[str, int]) -> Json:
    return {"up": counted.get("up", 0), "down": counted.get("down", 0)}


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _turn(one: Opinion) -> tuple[str, int]:
    return str(one.session), one.update


async def _answerers(store: Store, opinions: Sequence[Opinion]) -> dict[tuple[str, int], Answerer]:
    """Who made the answers, by turn: the last model call of a turn is the one that wrote its answer."""
    wanted = {_turn(one) for one in opinions}
    found: dict[tuple[str, int], Answerer] = {}
    looked = 0
    async for record in store.trail.newest():
        looked += 1
        if record.calls:
            last = record.calls[-1]
            for turn in wanted.intersection((record.session, update) for update in record.updates):
                found.setdefault(turn, (last.agent, last.model))
        if looked >= _LOOKED_THROUGH or len(found) == len(wanted):
            break
    return found
