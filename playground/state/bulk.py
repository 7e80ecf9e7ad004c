"""Thousands of messages at once, for tests under load, as if many people wrote in turn."""

from playground import Json
from playground.errors import ControlError
from playground.state.people import say, texts
from playground.state.world import State


def bulk(state: State, messages: int, chats: int, text: str, into: list[int]) -> Json:
    """People write ``messages`` messages, one chat after the other and round again.

    Args:
        state: where.
        messages: how many in all.
        chats: how many private chats are made for it.
        text: may hold ``{n}`` (1, 2, 3 ... over all) and ``{chat}`` (the chat's id).
        into: write into these chats and make none.

    Returns:
        ``chats`` (ids), ``first_update_id``, ``last_update_id``.
    """
    book = state.book
    places = [book.chat(number) for number in into] or [book.add_chat("private") for _ in range(chats)]
    first = state.bot.queue.next_id
    for n in range(1, messages + 1):
        chat = places[(n - 1) % len(places)]
        said = text.replace("{n}", str(n)).replace("{chat}", str(chat.id))
        say(state, chat, texts(said, caption=False))
    last = state.bot.queue.next_id - 1
    if last < first:
        raise ControlError("the bot wants no messages, or takes no part in these chats")
    for place in places if not into else ():
        state.events.tell("chat", chat=place.id)
    return {"chats": [place.id for place in places], "first_update_id": first, "last_update_id": last}
