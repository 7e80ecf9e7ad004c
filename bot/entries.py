"""What the intake stores that no person wrote: a group's move, and an update that could not be stored (pure)."""

from bot.updates.meaning import Moved
from tasks.envelope import DeadLetter, Inbound
from tasks.store.intake import Accept


def moved_entry(moved: Moved, now: float) -> Inbound:
    """A control word behind the messages that wait in the old group."""
    return Inbound(
        v=2,
        session=str(moved.old),
        update_id=moved.update_id,
        at=now,
        kind="moved",
        chat_type="group",
        moved_to=moved.new.chat,
    )


def buried(item: Accept, problem: Exception, now: float) -> Accept:
    """The item as a dead letter, in ASCII: the store may be unable to take the item's own content."""
    reason = f"could not be stored: {type(problem).__name__}"
    raw = ascii(item.inbound or item.reply or item.dead)
    return Accept(item.update_id, dead=DeadLetter(reason=reason, at=now, update_id=item.update_id, raw=raw))
