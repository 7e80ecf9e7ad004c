"""The bot was added to a group, or its rights have changed (pure)."""

from bot.updates.commands import GREETING
from bot.updates.meaning import Incoming, Meaning, UpdateReading
from bot.updates.models import MembershipChange
from bot.updates.origin import person_of
from tasks.envelope import Inbound
from tasks.session import SessionKey

_OUTSIDE, _INSIDE = ("left", "kicked"), ("member", "administrator", "restricted")
"""Statuses of a member of a chat."""


def membership(at: UpdateReading, change: MembershipChange) -> Meaning:
    """The bot was added to a group, which it greets; or another change of its rights."""
    before, now = (
        member.status if member is not None else None for member in (change.old_chat_member, change.new_chat_member)
    )
    chat = change.chat
    added = before in _OUTSIDE and now in _INSIDE and chat is not None and chat.type in ("group", "supergroup")
    if not added or chat is None or change.from_user is None:
        return at.nothing(f"the bot is now: {now}")
    inbound = Inbound(
        session=str(SessionKey(at.me.id, chat.id)),
        update_id=at.update_id,
        at=at.now,
        sender=person_of(change.from_user),
        chat_type=chat.type,
    )
    return Incoming(at.update_id, inbound, ask=GREETING, sent=at.now)
