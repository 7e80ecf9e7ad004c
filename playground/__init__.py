"""A local Bot API server with a chat page, for keyless use, tests and benchmarks. It stands alone."""

from typing import Any

type Json = dict[str, Any]
"""A JSON object."""

BOT = 1000000001
"""The user id of the playground's bot, which its token begins with."""
PLAYGROUND_TOKEN = f"{BOT}:for-the-playgrounds-of-tests"
"""The token of a playground inside a test. A playground that is started as a program makes a token of its own."""


def by_bot(message: Json) -> bool:
    """Whether the bot has sent a message, in its own name or in that of a business account."""
    return bool(message["from"]["is_bot"] or message.get("sender_business_bot"))


__all__ = ["BOT", "PLAYGROUND_TOKEN", "Json", "by_bot"]
