"""A session is a conversation: bot + chat + topic (+ business connection, or one inline message). One history each."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

# A business connection id is Telegram's opaque string; the separator and blanks cannot stand in a key.
_FORM = re.compile(
    r"(?P<bot>\d+):(?P<chat>-?\d+)(?::t(?P<topic>\d+))?(?::b(?:~(?P<inline>[\w-]{1,128})|(?P<business>[^:\s]+)))?",
    re.ASCII,
)

INLINE_MESSAGE = 1
"""What counts as the number of an inline message: Telegram gives it none, and its session has no other."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Written ``{bot}:{chat}[:t{topic}][:b{business}]``, and of an inline message ``{bot}:{chat}:b~{inline}``.

    ``topic`` is Telegram's ``message_thread_id``, only when ``is_topic_message`` is set: reply threads of plain groups
    carry one too and are no topics. ``inline`` is the id of a message in a chat that is not the bot's: ``chat`` is the
    person who asked there, and the session is that one message; it is erased after its answer. An older release reads
    its key as one of a business connection, finds entries of a newer release there, and leaves them.
    """

    bot: int
    chat: int
    topic: int | None = None
    business: str | None = None
    inline: str | None = None

    @property
    def takes_drafts(self) -> bool:
        """Whether an answer may grow there as a draft (Bot API, sendMessageDraft): in private chats."""
        return self.chat > 0 and self.business is None and self.inline is None

    @property
    def takes_controls(self) -> bool:
        """Whether people steer turns there, by commands and by buttons below answers.

        What a customer writes to a business account is for the agent, and the bot's answer is its owner's.
        """
        return self.business is None

    def __str__(self) -> str:
        topic = f":t{self.topic}" if self.topic is not None else ""
        business = f":b{self.business}" if self.business is not None else ""
        inline = f":b~{self.inline}" if self.inline is not None else ""
        return f"{self.bot}:{self.chat}{topic}{business}{inline}"

    @staticmethod
    def is_one(text: str) -> bool:
        """Whether it is written as a session is."""
        return _FORM.fullmatch(text) is not None

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: str) -> Self:
        """Read what ``str`` wrote. An update's session is read a dozen times on its way, so it is remembered.

        Raises:
            ValueError: ``text`` is not a session.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"not a session: {text[:80]!r} (expected bot:chat, bot:chat:tTOPIC or bot:chat:bBUSINESS)")
        topic = found["topic"]
        return cls(
            int(found["bot"]), int(found["chat"]), int(topic) if topic else None, found["business"], found["inline"]
        )
