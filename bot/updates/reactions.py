"""A changed reaction to a message (pure)."""

from collections.abc import Sequence

from bot.updates.meaning import Meaning, Reacted, UpdateReading
from bot.updates.models import Reaction, ReactionChange
from tasks.chats.feedback import THUMBS, Thumb


def reacted(at: UpdateReading, change: ReactionChange) -> Meaning:
    """Whose thumb is at which message now. Other reactions say nothing that could be counted."""
    before, now = _thumbs(change.old_reaction), _thumbs(change.new_reaction)
    if before == now:
        return at.nothing("a reaction that is no thumb")
    person = change.user or change.actor_chat
    if person is None or change.chat.type == "channel":
        return at.nothing("a reaction of no person")
    # A person may leave several: the newest counts, or the one that stays when the other goes.
    left: list[Thumb] = [thumb for thumb in now if thumb not in before] or now
    thumb = left[-1] if left else None
    return Reacted(at.update_id, change.chat.id, change.message_id, person.id, thumb)


def _thumbs(reactions: Sequence[Reaction]) -> list[Thumb]:
    return [THUMBS[one.emoji] for one in reactions if one.emoji in THUMBS]
