"""Which messages of groups a bot in privacy mode is shown (https://core.telegram.org/bots/features#privacy-mode)."""

import re

from playground import Json, by_bot
from playground.state.chats import Chat
from playground.state.world import Bot


def hidden(bot: Bot, chat: Chat, message: Json) -> bool:
    """Whether the bot is not shown what a person wrote."""
    if not bot.privacy or chat.kind == "private" or chat.bot_status == "administrator":
        return False
    answered = message.get("reply_to_message", {})
    # A topic's messages answer the one that opened it.
    replies = bool(answered) and "forum_topic_created" not in answered
    return not (_names(bot, message) or (replies and (by_bot(answered) or _names(bot, answered))))


def _names(bot: Bot, message: Json) -> bool:
    """Whether it mentions the bot, has a command that is for no other bot, or came by an inline query of this one."""
    if message.get("via_bot", {}).get("id") == bot.id:
        return True
    text = str(message.get("text", message.get("caption", ""))).encode("utf-16-le", "surrogatepass")
    called = f"@{bot.user['username']}".lower()
    for entity in message.get("entities", message.get("caption_entities", [])):
        start, end = 2 * entity["offset"], 2 * (entity["offset"] + entity["length"])
        words = text[start:end].decode("utf-16-le", "replace").lower()
        match entity["type"]:
            case "bot_command" if re.fullmatch(rf"/\w+({called})?", words):
                return True
            case "mention" if words == called:
                return True
            case "text_mention" if entity["user"]["id"] == bot.id:
                return True
            case _:
                continue
    return False
