"""A session is a conversation: bot + chat + topic (+ business connection). One session, one history."""

import re
from dataclasses import dataclass
from typing import Self

# A business connection id is Telegram's opaque string; the separator and blanks cannot stand in a key.
_FORM = re.compile(r"(?P<bot>\d+):(?P<chat>-?\d+)(?::t(?P<topic>\d+))?(?::b(?P<business>[^:\s]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Written ``{bot}:{chat}[:t{topic}][:b{business}]``.

    ``topic`` is Telegram's ``message_thread_id``, only when ``is_topic_message`` is set: reply threads of plain groups
    carry one too and are no topics.
    """

    bot: int
    chat: int
    topic: int | None = None
    business: str | None = None

    def __str__(self) -> str:
        topic = f":t{self.topic}" if self.topic is not None else ""
        business = f":b{self.business}" if self.business is not None else ""
        return f"{self.bot}:{self.chat}{topic}{business}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` wrote.

        Raises:
            ValueError: ``text`` is not a session.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"not a session: {text[:80]!r} (expected bot:chat, bot:chat:tTOPIC or bot:chat:bBUSINESS)")
        topic = found["topic"]
        return cls(int(found["bot"]), int(found["chat"]), int(topic) if topic else None, found["business"])
