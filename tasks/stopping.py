"""What a /stop or /new sets aside, and what is said of it: by a worker, or by the bot in its place."""

from collections.abc import Sequence
from hashlib import blake2s

from tasks.envelope import Button, Inbound, Sender
from tasks.phrases import phrase, sentences
from tasks.session import SessionKey


def stop_word(session: SessionKey, number: int, at: float) -> Inbound:
    """A /stop that no person has said.

    Args:
        session: Where.
        number: Below 0, as no update of Telegram's is numbered; reminders count the same way.
        at: Now, seconds since the epoch.
    """
    return Inbound(
        session=str(session),
        update_id=number,
        at=at,
        kind="stop",
        sender=Sender(id=session.chat),
        chat_type="private" if session.chat > 0 else "supergroup",
    )


def set_aside(entries: Sequence[Inbound]) -> int:
    """How many messages of a person end unanswered by it; ``entries``: those before it."""
    return len(
        {
            entry.album or entry.message_id or f"update {entry.update_id}"
            for entry in entries
            if entry.kind in ("message", "reminder", "retry", "compact") or (entry.kind == "new" and entry.text.strip())
        }
    )


def still_waiting(entries: Sequence[Inbound]) -> int:
    """How many messages of an inbox are to be answered: those that no /stop or /new behind them sets aside."""
    return set_aside(_behind_last_stop(entries))


def waiting_since(entries: Sequence[Inbound]) -> float | None:
    """When the first of the messages was accepted that are to be answered; choices wait behind a message, too."""
    return next((entry.at for entry in _behind_last_stop(entries) if set_aside([entry])), None)


def _behind_last_stop(entries: Sequence[Inbound]) -> Sequence[Inbound]:
    return entries[max((place for place, entry in enumerate(entries) if entry.kind in ("stop", "new")), default=0) :]


def stopped(count: int) -> str:
    """After /stop; so many messages were waiting or at work."""
    match count:
        case 0:
            return phrase("nothing-to-stop")
        case 1:
            return phrase("stopped")
        case _:
            return phrase("stopped-skipped", count=count)


def new_conversation(set_aside: int, *, own: bool = True) -> str:
    """After /new; ``set_aside`` messages were waiting or at work. ``own``: they are of the person who said it."""
    match set_aside:
        case 0:
            return phrase("new-conversation")
        case 1 if own:
            return sentences(phrase("new-conversation"), phrase("skipped-last"))
        case _:
            return sentences(phrase("new-conversation"), phrase("skipped", count=set_aside))


def new_said(word: Inbound, ahead: Sequence[Inbound]) -> str:
    """After the /new of ``word``; ``ahead`` was waiting or at work: in a group perhaps what another person asked."""
    own = all(entry.person == word.person for entry in ahead if set_aside([entry]))
    return new_conversation(set_aside(ahead), own=own)


def exchange_buttons(exchange: str) -> tuple[Button, ...]:
    """Below what is said of a stopped turn; ``exchange``: the name of it, which a worker knows again."""
    return (
        Button(text=phrase("button-retry"), data=f"retry:{exchange}"),
        Button(text=phrase("button-undo"), data=f"undo:{exchange}"),
    )


def exchange_of(word: Inbound) -> str:
    """What the exchange is called that a /stop ends, where the bot has to name it before a worker has seen it."""
    return blake2s(f"{word.session} {word.update_id}".encode(), digest_size=8).hexdigest()
