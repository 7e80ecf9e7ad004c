"""What stands in a chat that is not the bot's own until its answer comes (values only)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """What a person may send by an inline query, or what a guest says first."""

    title: str
    about: str
    text: str
    """The message, until its answer takes its place."""
    button: str
    data: str
    """Without a button Telegram tells no id of the message."""
