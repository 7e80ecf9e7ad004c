"""What can become of a call to the Bot API, by who must act."""

from tasks.errors import CohortError, Retryable, Terminal


class TelegramAway(Retryable):
    """Telegram cannot be reached, or does not serve this call right now."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds that Telegram asks the caller to wait; 0 where it names no time."""


class Flooded(TelegramAway):
    """Telegram takes no more messages for now, from the bot or in this chat (429)."""


class OtherPoller(TelegramAway):
    """Another process polls with this bot's token, or a webhook is set (409)."""


class NoSuchMethod(TelegramAway):
    """The token is malformed, or the server is no Bot API server (404)."""


class Refused(Terminal):
    """Telegram will never do this: the bot was blocked, the chat is gone, the message is too old."""


class Undeliverable(Refused):
    """Telegram will never take this message: the bot was blocked, or the chat is gone."""


class ChatMigrated(CohortError):  # noqa: N818 - an event
    """The group became a supergroup."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"the chat is now {chat}")
        self.chat = chat
        """The supergroup's id."""
