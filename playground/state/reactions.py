"""Reactions on messages: the allowed emoji, and who left which."""

from playground import Json
from playground.errors import bad_request
from playground.state.chats import Chat
from playground.state.world import State

# https://core.telegram.org/bots/api#reactiontypeemoji
_LISTED = """
❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u200d🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆
💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u200d💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄
😘 💊 🙊 😎 👾 🤷\u200d♂ 🤷 🤷\u200d♀ 😡
"""
EMOJI = frozenset(_LISTED.split())


def checked(raw: object) -> list[Json]:
    """The reactions of a request.

    Raises:
        ApiError: one of them is not a reaction.
    """
    if raw in (None, ""):
        return []
    if not isinstance(raw, list):
        raise bad_request("can't parse reaction types JSON object")
    for reaction in raw:
        if not isinstance(reaction, dict) or reaction.get("type") not in ("emoji", "custom_emoji"):
            raise bad_request("invalid reaction type specified")
        # Apps add an emoji presentation mark to some of them; the list has them without it.
        if reaction["type"] == "emoji" and str(reaction.get("emoji")).removesuffix("\ufe0f") not in EMOJI:
            raise bad_request("REACTION_INVALID")
    return raw


def react(state: State, chat: Chat, message_id: int, who: int, reactions: list[Json]) -> list[Json]:
    """Set the reactions of one user on a message.

    Returns:
        The user's reactions before.
    """
    there = chat.reactions.setdefault(message_id, {})
    before = there.pop(who, [])
    if reactions:
        there[who] = reactions
    if not there:
        del chat.reactions[message_id]
    chat.changed()
    state.events.tell("reaction", chat=chat.id, message_id=message_id, reactions=shown(chat).get(message_id, []))
    return before


def shown(chat: Chat) -> dict[int, list[str]]:
    """Emoji by message, as a page shows them."""
    return {
        number: [str(reaction.get("emoji", "⭐")) for given in there.values() for reaction in given]
        for number, there in chat.reactions.items()
    }
