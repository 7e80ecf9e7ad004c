"""The catalogue of the bot's own texts: plain, short, kind."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tasks.chat_choices import CHAT_CHOICES, listed
from tasks.text import utf16

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
/sessions - see your earlier conversations here, and go on with one
/title - name this conversation
/compact - shorten what I remember
/model - see or choose the model
/agent - see or choose the agent
{"\n".join(f"/{name} - {menu[0].lower()}{menu[1:]}" for name, menu in _CHOICES)}
/status - see what I am doing
/usage - see what this conversation has used
/reminders - see or cancel the reminders of this conversation
/memory - see or delete what I keep in mind
/login - see the logins that I wait for
/logout - end your logins at servers that I use for you
/whoami - see your id"""

_HELP_GROUP = """

In groups I answer when you mention me, reply to me, or use a command."""
_HELP_CONTEXT = """
If I can see the other messages here, I read up to {} of them before yours, so that I know what it's about."""

COMMANDS = (
    ("new", "Begin a new conversation"),
    ("stop", "Stop the answer I am working on"),
    ("sessions", "Go on with an earlier conversation"),
    ("title", "Name this conversation"),
    ("status", "See what I am doing"),
    ("retry", "Answer the last message again"),
    ("undo", "Forget the last message and its answer"),
    ("compact", "Shorten what I remember"),
    ("model", "See or choose the model"),
    ("agent", "See or choose the agent"),
    *_CHOICES,
    ("usage", "See what this conversation has used"),
    ("reminders", "See or cancel reminders"),
    ("memory", "See or delete what I keep in mind"),
    ("login", "See the logins that I wait for"),
    ("logout", "End your logins at servers"),
    ("whoami", "See your id"),
    ("help", "See what I can do"),
)
"""For Telegram's command menu: (command, description)."""

NOT_IN_GROUPS = frozenset({"memory", "whoami"})
"""Left out of the menu of groups, where they work all the same."""
ADMIN_COMMANDS = (
    ("people", "See who can use this bot"),
    ("allow", "Let a person or a group in"),
    ("deny", "Keep a person or a group out"),
)
"""Added to the menu of admins."""
AGENTS_COMMAND = "Ask the assistant for this"
DESCRIPTION = (
    "Hi! Write to me, and I'll answer. You can send pictures, files and voice messages too. I remember what we talked "
    "about; /new starts over."
)
SHORT_DESCRIPTION = "An assistant. Write to it, and it answers."

CANCEL_REMINDERS = "Cancel the reminders"
UNREADABLE = "Sorry, I cannot read this kind of message. Please send it as text or as a file."
TOO_MANY = "That is more than I can keep up with. Please wait until I have answered; this message was not taken."
BUTTON_TOO_OLD = "This button is too old. Please write to me instead."
QUESTION_ENDED = "This question has ended."
QUESTION_ANSWERED = "This question is answered already."
QUESTION_NOT_YOURS = "Only the person who asked me, or an operator, can answer this."
TAKEN = "Thank you."
DENIED = "I leave it."
NOT_FOR_YOU = "This bot is private."
CODE_USELESS = "That code doesn't work any more, but you already have access. Just write to me."
CODE_IN_GROUP = "Codes only work in a private chat with me. This one can be seen by everyone here, so get a new one."
ADMINS_ONLY = "Only admins can do that."
OWNER_ONLY = "You can't do that. Only the owner changes admins, and you can't change your own role."
GROUP_ADMINS_ONLY = "Only this group's admins can do that."
ASKER_ONLY = "That button is for the person who asked."
GUESTS = "Guests can't choose that. Ask an admin if you need it."
ALLOW = "Allow"
DENY = "Deny"
ALLOW_HOW = (
    "Write /allow and an ID, or reply to someone's message with /allow. In a group, /allow alone lets the whole group "
    "in.\nAdd guest to give less, or admin to share the job: /allow 12345 guest"
)
DENY_HOW = "Write /deny and an ID, or reply to someone's message with /deny. In a group, /deny alone shuts it out."
RATE = "That's a lot of messages at once, so I skipped some. Please wait a minute and resend what's missing."


def help_text(*, group: bool, context: int = 0) -> str:
    """What /help answers; ``context``: how many of a group's messages to others are read."""
    if not group:
        return _HELP
    return _HELP + _HELP_GROUP + (_HELP_CONTEXT.format(context) if context else "")


def greeting(*, context: int) -> str:
    """To a group that the bot was added to; ``context`` as for ``help_text``."""
    said = "Hi everyone! Mention me or reply to me, and I'll answer. /help shows what I can do."
    return said + (_HELP_CONTEXT.format(context) if context else "")


def stranger(user: int, chat: int) -> str:
    """To a person who may not talk; a private chat has its user's id."""
    if user == chat:
        return f"This bot is private. To get access, send your ID ({user}) to its owner."
    return f"This bot is private. To use it here, send this group's ID ({chat}) to its owner."


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


_NAME = 64
"""Characters of a person's name that are shown: it is their own text."""
_PEOPLE = 40
_LIST_UNITS = 3000
"""People that /people lists, and UTF-16 units of a list: the answer stays one message."""


def one_line(name: str) -> str:
    """A person's name as one short line without characters that hide or reorder others."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(shown.split())[:_NAME]


def who(name: str, user: int) -> str:
    """A person as admins read it."""
    return f"{name} ({user})" if name else str(user)


def paired(role: str) -> str:
    """After a pairing code."""
    match role:
        case "owner":
            return "You're in, and this bot is yours. Write to me, and I'll answer. /people shows who else has access."
        case "admin":
            return "You're in, as an admin. Write to me, and I'll answer. /people shows who else has access."
        case _:
            return "You're in. Write to me, and I'll answer. /help shows what I can do."


def joined(name: str, user: int, role: str) -> str:
    """To admins, after a pairing code was used."""
    return f"{who(name, user)} joined with a pairing code ({role})."


def request(name: str, user: int) -> str:
    """To admins, when a stranger has written."""
    return f"{who(name, user)} would like to use this bot."


def group_request(name: str, user: int, chat: int) -> str:
    """To admins, when a stranger has written in a group."""
    return f"{who(name, user)} would like to use this bot in a group ({chat}). Allow it for the whole group?"


def decided(name: str, user: int, standing: str) -> str:
    """After /allow, /deny and their buttons."""
    if standing == "denied":
        return f"Done. {who(name, user)} can't use this bot."
    return f"Done. {who(name, user)} can use this bot now ({standing})."


def by_settings(user: int) -> str:
    """To an admin who changes what only the operator's settings can."""
    return f"{user} is in the operator's settings, so only the operator can change that."


def _fitting(lines: Sequence[str], *, most: int) -> list[str]:
    """As many as one message takes, and how many more there are."""
    shown: list[str] = []
    left = _LIST_UNITS
    for line in lines[:most]:
        left -= utf16(line)
        if left < 0:
            break
        shown.append(line)
    return [*shown, f"and {len(lines) - len(shown)} more."] if len(shown) < len(lines) else shown


def people(listed: Sequence[tuple[str, str, int]]) -> str:
    """What /people answers; ``listed``: (role, name, id)."""
    if not listed:
        return "Everyone can use this bot, so there's no list."
    lines = [f"{who(name, user)}: {'no access' if role == 'denied' else role}" for role, name, user in listed]
    lines = _fitting(lines, most=_PEOPLE)
    return "\n".join(["Who can use this bot:", *lines, "", "/allow ID and /deny ID change it."])


FORGET_ALL = "Forget all"


def did_you_mean(name: str, near: str) -> str:
    """After a command that does not exist."""
    return f"I don't know /{name}. Did you mean /{near}?"


def memory(notes: Sequence[tuple[str, str]]) -> str:
    """What /memory answers; ``notes``: (topic, note)."""
    if not notes:
        return "I don't keep anything in mind here yet. Tell me what to remember."
    lines = [f"{' '.join(topic.split())[:_SHOWN_CHARACTERS]}: {' '.join(note.split())[:300]}" for topic, note in notes]
    lines = _fitting(lines, most=len(lines))
    return "\n".join(["What I keep in mind here:", *lines, "", "/forget and a topic deletes one of them."])


def forgotten(count: int) -> str:
    """After /forget."""
    match count:
        case 0:
            return "I don't keep that in mind. /memory shows what I do."
        case 1:
            return "Forgotten."
        case _:
            return f"Forgotten, all {count}."
