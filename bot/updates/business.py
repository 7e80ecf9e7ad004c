"""What happens to a business account's connection, and what its chats delete (pure)."""

from bot.updates.meaning import AccountChanged, TakenBack, UpdateReading
from bot.updates.models import BusinessConnection, DeletedMessages
from tasks.session import SessionKey


def connected(at: UpdateReading, found: BusinessConnection) -> AccountChanged:
    """Whether an account takes answers: it is connected, and lets the bot write."""
    rights = found.rights
    may = found.can_reply if rights is None else rights.can_reply
    return AccountChanged(at.update_id, at.me.id, found.id, answers=bool(found.is_enabled and may))


def deleted(at: UpdateReading, found: DeletedMessages) -> TakenBack:
    """Which messages of a customer's chat are gone."""
    session = SessionKey(at.me.id, found.chat.id, None, found.business_connection_id)
    return TakenBack(at.update_id, session, frozenset(found.message_ids))
