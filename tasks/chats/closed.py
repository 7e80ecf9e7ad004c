"""Chats that take no messages of the bot, and why (pure)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

type Why = Literal["blocked", "removed", "muted", "gone", "migrated", "shut"]

REASONS: tuple[Why, ...] = get_args(Why.__value__)

# What a refusal of Telegram says (in part, lower case) -> why the chat is closed. The first row that fits counts.
_SAID: tuple[tuple[str, Why], ...] = (
    ("was blocked", "blocked"),
    ("user_is_blocked", "blocked"),
    ("you_blocked_user", "blocked"),
    ("kicked", "removed"),
    ("not a member", "removed"),
    ("channel_private", "removed"),
    ("chat not found", "gone"),
    ("deactivated", "gone"),
    ("chat was deleted", "gone"),
    ("user not found", "gone"),
    ("peer_id_invalid", "gone"),
    ("chat_id_invalid", "gone"),
    ("not enough rights", "muted"),
    ("have no rights to send", "muted"),
    ("no write access", "muted"),
    ("administrator rights", "muted"),
    ("chat_admin_required", "muted"),
    ("write_forbidden", "muted"),
    ("chat_restricted", "muted"),
    ("user_banned_in_channel", "muted"),
    ("send_plain_forbidden", "muted"),
    # Said of an answer that finds no way out of its topic, either.
    ("topic_closed", "shut"),
    ("topic_deleted", "shut"),
    ("message thread not found", "shut"),
)


def why(refusal: str) -> Why | None:
    """Why a chat is closed, by what Telegram said; None where the refusal is not about the chat."""
    said = refusal.lower()
    return next((reason for phrase, reason in _SAID if phrase in said), None)


@dataclass(frozen=True, slots=True)
class ClosedChat:
    """A chat that takes no messages of a bot."""

    bot: int
    chat: int
    why: Why
    at: float
    """When this was seen last, seconds since the epoch."""


def summary(closed: Iterable[ClosedChat]) -> dict[str, int]:
    """How many there are of each kind, those alone that there are."""
    counts = Counter(one.why for one in closed)
    return {reason: counts[reason] for reason in REASONS if counts[reason]}
