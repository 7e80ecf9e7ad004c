"""What each reply of a turn answers, in words, for where it cannot point at the message (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tasks.envelope import Inbound, Reply
from tasks.pointing import elsewhere, line_about
from tasks.session import SessionKey
from workers.sessions.turns.outcome import Outcome


def pointed(outcome: Outcome, session: SessionKey, messages: Sequence[Inbound]) -> Outcome:
    """A turn's outcome whose replies know what they answer.

    In a group, and in a topic, a reply may have to go where its message does not stand.

    Args:
        outcome: As the turn gave it.
        session: Whose turn it is.
        messages: What it answers.
    """
    if session.chat > 0 and session.topic is None:
        return outcome
    said = {message.message_id: message for message in messages if message.message_id is not None}

    def told(replies: Sequence[Reply]) -> tuple[Reply, ...]:
        return tuple(_told(reply, said, messages[-1] if place == 0 else None) for place, reply in enumerate(replies))

    if outcome.parks is not None:
        return replace(outcome, parks=replace(outcome.parks, replies=told(outcome.parks.replies)))
    return replace(outcome, replies=told(outcome.replies))


def _told(reply: Reply, said: Mapping[int, Inbound], last: Inbound | None) -> Reply:
    answered = said.get(reply.reply_to) if reply.reply_to is not None else last
    about = line_about(answered) if answered is not None else ""
    if answered is None or not about:
        return reply
    one = reply.model_copy(update={"about": about})
    if reply.reply_to is None and answered.chat_type != "private":
        # It was said in the group that this supergroup was: there its number meant it.
        return elsewhere(one).model_copy(update={"edit": reply.edit})
    return one
