"""The console's page of feedback: thumbs by day, by agent and model, and the newest with the way to their turns."""

from datetime import UTC, datetime

import pytest

from tasks import keys
from tasks.chats.feedback import Opinion, Thumb
from tasks.clock import SystemClock
from tasks.session import SessionKey
from tasks.store import Store
from tasks.turn_record import CallStep, TurnRecord, reference
from tests.ops.test_web import SECRET, Open, console, lived_in
from tests.support.redis_of import redis_of

__all__ = ["console"]

ADA, TOPIC = SessionKey(4242, 5), SessionKey(4242, -100, 7)
DAY_S = 86400


def thumb(session: SessionKey, update: int, thumb: Thumb, person: int = 700) -> str:
    return Opinion(session, update + 100, update, person, thumb).written()


async def put(store: Store, thumbs: dict[str, float]) -> None:
    await redis_of(store).zadd(keys.feedback(4242), thumbs)
    await redis_of(store).expire(keys.feedback(4242), 60)


def ended(session: SessionKey, update: int, *calls: tuple[str, str]) -> TurnRecord:
    steps = tuple(CallStep(agent=agent, model=model, begun=1.0, ended=2.0) for agent, model in calls)
    return TurnRecord(session=str(session), updates=(update, update + 1), outcome="answered", calls=steps)


@pytest.mark.promise("feedback")
@pytest.mark.promise("console-silent")
async def test_thumbs_are_counted_by_day_and_by_who_wrote_the_answer(store: Store, console: Open) -> None:
    await lived_in(store)
    now = SystemClock().now()
    poet = (("helper", "small"), ("poet", "haiku"))
    await store.trail.append([ended(TOPIC, 20, *poet), ended(ADA, 30, *poet), ended(ADA, 40, ("clerk", "opus"))])
    of_topic = {thumb(TOPIC, 20, "up"): now - 3, thumb(TOPIC, 20, "down", 701): now - 2}
    of_ada = {thumb(ADA, 31, "up"): now - DAY_S, thumb(ADA, 40, "down"): now - 1, thumb(ADA, 50, "up"): now - 9 * DAY_S}
    await put(store, {**of_topic, **of_ada, thumb(ADA, 60, "up"): now - 31 * DAY_S})
    async with console() as http:
        answer = await http.get("/api/feedback")
    told = answer.json()
    assert SECRET not in answer.text
    assert (told["up"], told["down"], told["unknown"]) == (3, 2, 1)
    assert told["answerers"] == [
        {"agent": "poet", "model": "haiku", "up": 2, "down": 1},
        {"agent": "clerk", "model": "opus", "up": 0, "down": 1},
    ]
    days = {one["day"]: (one["up"], one["down"]) for one in told["days"]}
    assert sum(up for up, _ in days.values()) == 3
    assert days[datetime.fromtimestamp(now - 9 * DAY_S, UTC).strftime("%Y-%m-%d")] == (1, 0)
    assert list(days) == sorted(days, reverse=True)
    newest = [(one["session"], one["thumb"], one["agent"], one["reference"]) for one in told["newest"]]
    assert newest[0] == (str(ADA), "down", "clerk", reference(4242, 40))
    assert newest[-1] == (str(ADA), "up", None, reference(4242, 50))
    assert len(newest) == 5


@pytest.mark.promise("console-stands")
async def test_thumbs_beside_a_damaged_key_and_rubbish_are_shown(store: Store, console: Open) -> None:
    now = SystemClock().now()
    await put(store, {thumb(ADA, 40, "down"): now, "no thumb \xff": now})
    await redis_of(store).set(keys.feedback(4243), b"\xff", ex=60)
    async with console() as http:
        told = (await http.get("/api/feedback")).json()
    assert (told["up"], told["down"], len(told["newest"])) == (0, 1, 1)
    await redis_of(store).delete(keys.feedback(4243))
