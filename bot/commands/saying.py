"""The bot's own reply to a message (pure)."""

from tasks.envelope import Button, Inbound, Reply
from tasks.pointing import line_about


def here(inbound: Inbound, reply: Reply) -> Reply:
    """The reply; after a pressed button it takes the place of the message under which that stands."""
    return reply.model_copy(update={"edit": inbound.message_id, "reply_to": None}) if inbound.pressed else reply


def say(inbound: Inbound, said: str, buttons: tuple[tuple[Button, ...], ...] = ()) -> Reply:
    """A reply to a message; in a group it quotes the message, so that people see which one it answers."""
    return Reply(
        session=inbound.session,
        text=said,
        buttons=buttons,
        reply_to=inbound.message_id if inbound.chat_type != "private" else None,
        about=line_about(inbound) if inbound.chat_type != "private" else "",
        answers=(inbound.update_id,),
    )
