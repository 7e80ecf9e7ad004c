"""A group whose turns an operator has paused stays paused as the supergroup that it becomes."""

from collections.abc import Awaitable, Callable, Sequence

from bot.updates.meaning import BotIdentity, Moved
from bot.updates.understand import understand
from tasks.session import SessionKey
from tasks.store.pauses import PauseStore

type Take = Callable[[Sequence[object]], Awaitable[bool]]


def following(take: Take, me: BotIdentity, pauses: PauseStore) -> Take:
    """``take``, with the pause of a group that moves put on the supergroup before, and taken from the group after.

    The group's session has to work once more: it is what says where it went.
    """

    async def followed(updates: Sequence[object]) -> bool:
        moved = [move for update in updates if (move := _move_in(update, me)) is not None]
        paused = [move for move in moved if await pauses.extend(*move)]
        told = await take(updates)
        for old, _ in paused:
            await pauses.resume("turns", old)
        return told

    return followed


def _move_in(update: object, me: BotIdentity) -> tuple[SessionKey, SessionKey] | None:
    message = update.get("message") if isinstance(update, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    if not isinstance(message, dict) or not {"migrate_to_chat_id", "migrate_from_chat_id"} & message.keys():
        return None
    meaning = understand(update, me, 0.0)  # pyright: ignore[reportUnknownArgumentType]
    return (meaning.old, meaning.new) if isinstance(meaning, Moved) else None
