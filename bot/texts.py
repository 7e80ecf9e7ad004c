"""The catalogue of the bot's own texts: plain, short, kind."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tasks.chat_choices import CHAT_CHOICES, listed

START = (
    "Hello! Write to me, and I will answer. You can send pictures, files and voice messages too.\n\n"
    "I remember our conversation; /new begins another. /help tells what else there is."
)

_CHOICES = tuple((choice.name, choice.menu) for choice in CHAT_CHOICES.values())
_HELP = f"""\
Write to me, and I will answer.

/new - begin a new conversation; what you write behind it is its first message
/stop - stop the answer I am working on
/retry - answer the last message again
/undo - forget the last message and its answer
/compact - shorten what I remember
/model - see or choose the model
/agent - see or choose the agent
{"\n".join(f"/{name} - {menu[0].lower()}{menu[1:]}" for name, menu in _CHOICES)}
/status - see what I am doing
/usage - see what this conversation has used
/reminders - see or cancel the reminders of this conversation
/whoami - see your id"""

_HELP_GROUP = """

In groups I answer when you mention me, reply to me, or use a command."""

COMMANDS = (
    ("new", "Begin a new conversation"),
    ("stop", "Stop the answer I am working on"),
    ("status", "See what I am doing"),
    ("retry", "Answer the last message again"),
    ("undo", "Forget the last message and its answer"),
    ("compact", "Shorten what I remember"),
    ("model", "See or choose the model"),
    ("agent", "See or choose the agent"),
    *_CHOICES,
    ("usage", "See what this conversation has used"),
    ("reminders", "See or cancel reminders"),
    ("whoami", "See your id"),
    ("help", "See what I can do"),
)
"""For Telegram's command menu: (command, description)."""

CANCEL_REMINDERS = "Cancel the reminders"
UNREADABLE = "Sorry, I cannot read this kind of message. Please send it as text or as a file."
TOO_MANY = "That is more than I can keep up with. Please wait until I have answered; this message was not taken."
BUTTON_TOO_OLD = "This button is too old. Please write to me instead."
QUESTION_ENDED = "This question has ended."
QUESTION_ANSWERED = "This question is answered already."
QUESTION_NOT_YOURS = "Only the person who asked me, or an operator, can answer this."
TAKEN = "Thank you."
DENIED = "I leave it."
NOT_FOR_YOU = "Sorry, you cannot use this bot."


def help_text(*, group: bool) -> str:
    """What /help answers."""
    return _HELP + _HELP_GROUP if group else _HELP


def stranger(user: int, chat: int) -> str:
    """To a person who is not on the allowlist; a private chat has its user's id."""
    ids = f"Your id is {user}" if user == chat else f"Your id is {user}, this chat's id is {chat}"
    return f"Sorry, this bot talks only to people it knows. {ids}; its operator can let you in with it."


def whoami(user: int, chat: int, topic: int | None) -> str:
    """What /whoami answers."""
    lines = [f"Your id is {user}."]
    if chat != user:
        lines.append(f"This chat's id is {chat}.")
    if topic is not None:
        lines.append(f"This topic's id is {topic}.")
    return "\n".join(lines)


def status(*, waiting: int, oldest_s: float | None, working: bool, agent: str | None, model: str | None) -> str:
    """What /status answers; ``oldest_s``: how long the oldest message has waited."""
    if waiting == 0:
        lines = ["Nothing is waiting. I am ready."]
    else:
        messages = "1 message is" if waiting == 1 else f"{waiting} messages are"
        since = f", for {span(oldest_s)}" if oldest_s is not None else ""
        lines = [f"{messages} waiting{since}.", "I am working on it." if working else "It is not being worked on yet."]
    lines.append(f"Agent: {agent or 'the default'}. Model: {model or 'the default'}.")
    return "\n".join(lines)


def asked(question: str) -> str:
    """What /status answers first while a turn waits for a person."""
    return f"I have asked you something, and wait for the answer: {question}"


def usage(tokens_in: int, tokens_out: int, limits: Sequence[tuple[str, int, int]]) -> str:
    """What /usage answers; ``limits``: (whose, tokens used today, tokens allowed a day)."""
    total = tokens_in + tokens_out
    lines = [f"This conversation has used {total:,} tokens: {tokens_in:,} in, {tokens_out:,} out."]
    lines += [f"Today {whose} used {used:,} of {allowed:,}." for whose, used, allowed in limits]
    return "\n".join(lines)


_SHOWN, _SHOWN_CHARACTERS = 20, 80
"""Reminders that are listed, and how much of each: the answer stays one message."""


def reminders(waiting: Sequence[tuple[float, str]]) -> str:
    """What /reminders answers; ``waiting``: (due, seconds since the epoch; text), the next one first."""
    if not waiting:
        return "No reminder is set in this conversation."
    lines = [
        f"{datetime.fromtimestamp(due, UTC):%Y-%m-%d %H:%M} UTC: {' '.join(text.split())[:_SHOWN_CHARACTERS]}"
        for due, text in waiting[:_SHOWN]
    ]
    if len(waiting) > _SHOWN:
        lines.append(f"and {len(waiting) - _SHOWN} more.")
    return "\n".join([*lines, "", "/reminders cancel takes them all back."])


def reminders_cancelled(count: int) -> str:
    """After /reminders cancel."""
    return "No reminder was set." if count == 0 else f"Cancelled: {count} reminder{'' if count == 1 else 's'}."


def no_such(what: str, name: str, names: Sequence[str]) -> str:
    """What /model and /agent answer to a name that does not exist."""
    return f"There is no {what} {name[:64]!r} here. You can choose: {listed(names)}."


def span(seconds: float) -> str:
    """A length of time as people say it."""
    whole = max(0, round(seconds))
    if whole < 120:  # noqa: PLR2004 - up to two minutes, seconds say more
        return "1 second" if whole == 1 else f"{whole} seconds"
    minutes = whole // 60
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"  # noqa: PLR2004 - up to two hours, minutes say more
