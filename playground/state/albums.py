"""Albums: several files sent as one; the bot gets several messages with one group id."""

from typing import Any

from playground import Json
from playground.errors import ControlError
from playground.state.chats import Chat
from playground.state.people import say
from playground.state.uploads import attachment
from playground.state.world import State

_SIZES = range(2, 11)
"""Files of an album (Bot API, sendMediaGroup)."""


def album(state: State, chat: Chat, items: object, **how: Any) -> list[tuple[Json, int | None]]:
    """A person sends an album.

    Args:
        state: where.
        chat: into which chat.
        items: what ``attachment`` takes, 2 to 10 of them.
        how: ``user``, ``thread``, ``reply_to`` as ``say`` takes them.

    Returns:
        Each message with the id of its update.

    Raises:
        ControlError: it is not a list of 2 to 10 files.
    """
    if not isinstance(items, list) or len(items) not in _SIZES:
        raise ControlError("an album has 2 to 10 items")
    contents = [attachment(state, item) for item in items]
    if any("text" in content for content in contents):
        raise ControlError("an album holds files, with captions if you like, but no texts")
    group = str(state.random.randrange(10**16, 10**17))
    return [say(state, chat, {"media_group_id": group} | content, **how) for content in contents]
