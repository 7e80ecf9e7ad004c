"""One chat writes 1,000 messages; what does another one notice that says hi?"""

from bench.columns import COLUMNS as PEERS
from bench.rows import Goal, Size
from bench.stand import CLOCK, PACED, Running, share, stand

ABOUT = "time to the answer of a chat (s) alone, and while another chat has just written 1,000 messages"
COLUMNS = ("cohort-1", "monolith", "celery-usual")
BASE = "cohort-1"
GOALS = (Goal("cohort-1", "loaded/alone", at_most=1.2),)


async def measure(column: str, size: Size) -> dict[str, float]:
    times = size.of(7, 3)
    async with stand() as place:
        await place.model.control(**PACED)
        async with PEERS[column].on(place) as running:
            alone = [await _hi(running) for _ in range(times)]
            (flooder,) = await place.chats(1)
            await place.people.bulk(1000, into=[flooder])
            loaded = [await _hi(running) for _ in range(times)]
    found = {"alone s": share(alone, 0.5), "loaded s": share(loaded, 0.5), "first loaded s": loaded[0]}
    return {**found, "loaded/alone": found["loaded s"] / found["alone s"]}


async def _hi(running: Running) -> float:
    """A new chat's answer; one that never comes is shown as the patience."""
    place = running.stand
    (chat,) = await place.chats(1)
    after = await place.position()
    began = CLOCK.now()
    await place.people.say(chat, "hi WORDS:20")
    answered = await place.answers({chat: "word19"}, after=after, patience=60, strict=False)
    return answered.get(chat, began + 60) - began
