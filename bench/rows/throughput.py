"""How many turns a second go through, with a model that answers at once: what is left is the columns' own work."""

from bench.columns import COLUMNS as PEERS
from bench.direct import DIRECT
from bench.rows import Goal, Size
from bench.stand import CLOCK, INSTANT, Broken, Running, stand

ABOUT = (
    "turns/s, instant model, a first message from each chat, all waiting at once; CPU of the column for a turn; how"
    " much of a core the busiest of playground, model and Valkey had"
)
COLUMNS = ("direct", "direct-plain", "cohort-1", "cohort-2", "monolith", "monolith-kept", "celery-usual")
BASE = "direct"
GOALS = (
    Goal("cohort-1", "turns/s", at_least=0.6, to="direct"),
    Goal("cohort-2", "cpu ms/turn", at_most=1.1, to="cohort-1", says="a second worker makes no turn dearer"),
)
TIMES = {"direct-plain": 3, "monolith": 3, "monolith-kept": 3, "celery-usual": 3}
WHY = (
    "direct and the -kept columns keep TLS contexts, clients and connections as Cohort does, the others make them for"
    " each call as fast-agent does by itself; what Cohort shortens inside fast-agent"
    " (workers/runtime/patches/shortcuts.py) is not in them. Columns that no goal is about have 3 runs. Nothing is"
    " pinned: on two cores all that a second"
    " worker can win is what bot, playground, model and Valkey leave over; `scale` shows what it wins when cores are"
    " not the limit."
)

AT_ONCE = 32
"""Cohort's lanes (COHORT_LANES)."""


async def measure(column: str, size: Size) -> dict[str, float]:
    chats = size.of(400, 60)
    async with stand() as place:
        await place.model.control(**INSTANT)
        if column in DIRECT:
            ran = await DIRECT[column].run(place, chats=chats, turns=1, text="message", at_once=AT_ONCE)
            return {"turns/s": chats / ran["elapsed"], "cpu ms/turn": ran["cpu"] / chats * 1000}
        async with PEERS[column].on(place) as running:
            # So that lanes, connections and the interpreter are warm, as the limit's are.
            await wave(running, size.of(100, 20))
            before, busy = running.cost.cpu_s, place.busy()
            rate = await wave(running, chats)
            spent, helpers = running.cost.cpu_s - before, place.busy()
            most = max(helpers[name] - busy[name] for name in busy) * rate / chats
            return {"turns/s": rate, "cpu ms/turn": spent / chats * 1000, "busiest helper %": most * 100}


async def wave(running: Running, chats: int, text: str = "message {n}") -> float:
    """A message from each of so many new chats at once; answers a second until the last."""
    place = running.stand
    after = await place.position()
    began = CLOCK.now()
    made = await place.people.bulk(chats, chats, text)
    answered = await place.answers(dict.fromkeys(made.chats, "[n=1]"), after=after, patience=120)
    if len(answered) != chats:
        raise Broken("not all were answered")
    return chats / (max(answered.values()) - began)
