"""What the bot itself has to say and has not said yet, for tests to look at."""

from tasks.envelope import Reply
from tasks.store import Store


async def own_replies(store: Store, bot: int, limit: int = 1000) -> list[tuple[bytes, Reply]]:
    """The bot's own replies that wait, the oldest first, each with the bytes that ``replied`` wants."""
    return (await store.intake.lines(bot, limit))[0]
