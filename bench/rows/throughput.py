"""How many turns a second go through, with a model that answers at once: what is left is everybody's own work."""

from bench.columns import COLUMNS as PEERS
from bench.direct import DIRECT
from bench.rows import Goal, Size
from bench.stand import CLOCK, INSTANT, Broken, Running, stand

ABOUT = "turns/s, instant model, a first message from each chat, all waiting at once; CPU of the column for a turn"
COLUMNS = ("direct", "direct-plain", "cohort-1", "cohort-2", "monolith", "monolith-kept", "celery-usual")
BASE = "direct"
GOALS = (
    Goal("cohort-1", "turns/s", at_least=0.6, to="direct"),
    Goal("cohort-2", "turns/s", at_least=1.8, to="cohort-1", says="needs the model on other cores"),
)

AT_ONCE = 32
"""Cohort's lanes (COHORT_LANES)."""


async def measure(column: str, size: Size) -> dict[str, float]:
    chats = size.of(600, 60)
    async with stand() as place:
        await place.model.control(**INSTANT)
        if column in DIRECT:
            ran = await DIRECT[column].run(place, chats=chats, turns=1, text="message", at_once=AT_ONCE)
            return {"turns/s": chats / ran["elapsed"], "cpu ms/turn": ran["cpu"] / chats * 1000}
        async with PEERS[column].on(place) as running:
            # So that lanes, connections and the interpreter are warm, as the limit's are.
            await wave(running, size.of(100, 20))
            before = running.cost.cpu_s
            rate = await wave(running, chats)
            return {"turns/s": rate, "cpu ms/turn": (running.cost.cpu_s - before) / chats * 1000}


async def wave(running: Running, chats: int) -> float:
    """A message from each of so many new chats at once; answers a second until the last."""
    place = running.stand
    after = await place.position()
    began = CLOCK.now()
    made = await place.people.bulk(chats, chats)
    answered = await place.answers(dict.fromkeys(made.chats, "[n=1]"), after=after, patience=120)
    if len(answered) != chats:
        raise Broken("not all were answered")
    return chats / (max(answered.values()) - began)
