"""What the bot itself says, where it is more than one phrase: lists, lengths of time, who is who."""

from collections.abc import Sequence

from tasks.chats.access import AccessStanding
from tasks.chats.choices import CHAT_CHOICES, listed
from tasks.phrases import grouped, labelled, phrase
from tasks.text import on_one_line

COMMANDS = (
    "new",
    "stop",
    "sessions",
    "title",
    "status",
    "retry",
    "undo",
    "compact",
    "model",
    "agent",
    *CHAT_CHOICES,
    "usage",
    "reminders",
    "timezone",
    "memory",
    "login",
    "logout",
    "whoami",
    "help",
)
"""Telegram's command menu, in this order; ``menu-NAME`` describes each."""
NOT_IN_GROUPS = frozenset({"memory", "whoami"})
"""Left out of the menu of groups, where they work all the same."""
ADMIN_COMMANDS = ("people", "allow", "deny")
"""Added to the menu of admins."""


def help_text(names: Sequence[str], *, group: bool, context: int = 0, hears: bool | None = None) -> str:
    """What /help answers.

    Args:
        names: The commands that its person may use; those of agents are not described here.
        group: In a group.
        context: How many of a group's messages to others are read.
        hears: Whether the bot is shown them; None where that is not known.
    """
    shown = [name for name in names if name in (*COMMANDS, *ADMIN_COMMANDS) and name != "help"]
    lines = [phrase("help"), "", *(f"/{name} - {phrase(f'menu-{name}')}" for name in shown)]
    if group:
        lines += ["", phrase("help-group"), *_heard(context, hears=hears)]
    return "\n".join(lines)


def greeting(*, context: int, hears: bool | None) -> str:
    """To a group that the bot was added to; ``context`` and ``hears`` as for ``help_text``."""
    return "\n".join([phrase("greeting"), *_heard(context, hears=hears)])


def _heard(context: int, *, hears: bool | None) -> list[str]:
    """What a group has to know of its messages to others."""
    if not context:
        return []
    match hears:
        case True:
            return [phrase("context-shown", count=context)]
        case False:
            return [phrase("context-not-shown")]
        case None:
            return [phrase("context-unknown", count=context)]


def stranger(user: int, chat: int) -> str:
    """To a person who may not talk; a private chat has its user's id."""
    return phrase("stranger", id=str(user)) if user == chat else phrase("stranger-group", id=str(chat))


def whoami(user: int, chat: int, topic: int | None) -> str:
    """What /whoami answers."""
    lines = [phrase("whoami", id=str(user))]
    if chat != user:
        lines.append(phrase("whoami-chat", id=str(chat)))
    if topic is not None:
        lines.append(phrase("whoami-topic", id=str(topic)))
    return "\n".join(lines)


def status(*, waiting: int, oldest_s: float | None, working: bool | None, agent: str | None, model: str | None) -> str:
    """What /status answers.

    Args:
        waiting: How many messages wait.
        oldest_s: How long the oldest of them has waited, in seconds.
        working: Whether a turn runs; None where it asks a person.
        agent: The chosen agent; None: the default.
        model: The chosen model; None: the default.
    """
    lines = [] if working is None else [phrase("ready")]
    if waiting and oldest_s is not None and round(oldest_s):
        lines = [phrase("waiting-for", count=waiting, time=span(oldest_s))]
    elif waiting:
        lines = [phrase("waiting", count=waiting)]
    if waiting and working is not None:
        lines.append(phrase("working") if working else phrase("not-working"))
    default = phrase("the-default")
    return "\n".join([*lines, phrase("uses-agent-model", agent=agent or default, model=model or default)])


def asked(question: str) -> str:
    """What /status answers first while a turn waits for a person."""
    return phrase("asked", question=question)


def usage(
    tokens_in: int, tokens_out: int, limits: Sequence[tuple[bool, int, int]], *, heard_s: int = 0, spoken: int = 0
) -> str:
    """What /usage answers.

    Args:
        tokens_in: What models read.
        tokens_out: What they wrote.
        limits: The person's own, else the chat's; tokens used today, tokens allowed a day.
        heard_s: Seconds of recordings.
        spoken: Characters.
    """
    total, sent, received = grouped(tokens_in + tokens_out), grouped(tokens_in), grouped(tokens_out)
    lines = [phrase("usage", total=total, sent=sent, received=received)]
    if heard_s:
        lines.append(phrase("usage-heard", time=span(heard_s)))
    if spoken:
        lines.append(phrase("usage-spoken", count=spoken))
    for own, used, allowed in limits:
        today = {"used": grouped(used), "allowed": grouped(allowed)}
        lines.append(phrase("usage-you", **today) if own else phrase("usage-chat", **today))
    return "\n".join(lines)


def no_such(what: str, name: str, names: Sequence[str]) -> str:
    """What a picker's command answers to a name that does not exist."""
    named, known = one_line(name), listed(names)
    match what:
        case "model":
            return phrase("no-such-model", name=named, names=known)
        case "agent":
            return phrase("no-such-agent", name=named, names=known)
        case _:
            return phrase("no-such-value", command=what, name=named, names=known)


def span(seconds: float) -> str:
    """A length of time as people say it."""
    whole = max(0, round(seconds))
    if whole < 120:  # noqa: PLR2004 - up to two minutes, seconds say more
        return phrase("seconds", count=whole)
    minutes = whole // 60
    if minutes < 120:  # noqa: PLR2004 - up to two hours, minutes say more
        return phrase("minutes", count=minutes)
    return phrase("hours", count=minutes // 60)


_NAME = 64
"""Characters of a person's name that are shown: it is their own text."""


def one_line(name: str, most: int = _NAME) -> str:
    """A person's words as one short line without characters that hide or reorder others."""
    return on_one_line(name)[:most]


def shortened(text: str, most: int) -> str:
    """Words of a list as one short line, which shows where it is cut."""
    line = on_one_line(text)
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def who(name: str, user: int) -> str:
    """A person as admins read it."""
    return f"{name} ({user})" if name else str(user)


def paired(role: str) -> str:
    """After a pairing code."""
    match role:
        case "owner":
            return phrase("paired-owner")
        case "admin":
            return phrase("paired-admin")
        case _:
            return phrase("paired")


def role_name(role: AccessStanding) -> str:
    """A role as people read it."""
    match role:
        case "owner":
            return phrase("role-owner")
        case "admin":
            return phrase("role-admin")
        case "member":
            return phrase("role-member")
        case "guest":
            return phrase("role-guest")
        case "denied":
            return phrase("role-denied")


def joined(name: str, user: int, role: AccessStanding) -> str:
    """To admins, after a pairing code was used."""
    return phrase("joined", who=who(name, user), role=role_name(role))


def request(name: str, user: int) -> str:
    """To admins, when a stranger has written."""
    return phrase("request", who=who(name, user))


def group_request(name: str, user: int, chat: int, title: str = "") -> str:
    """To admins, when a stranger has written in a group."""
    return phrase("group-request", who=who(name, user), chat=f"{title}, {chat}" if title else str(chat))


def decided(name: str, user: int, standing: AccessStanding) -> str:
    """After /allow, /deny and their buttons."""
    if standing == "denied":
        return phrase("decided-denied", who=who(name, user))
    return phrase("decided", who=who(name, user), role=role_name(standing))


def decided_before(name: str, user: int, standing: AccessStanding) -> str:
    """After a button of a request that was decided meanwhile."""
    if standing == "denied":
        return phrase("decided-before-denied", who=who(name, user))
    return phrase("decided-before", who=who(name, user), role=role_name(standing))


def by_settings(user: int) -> str:
    """To an admin who changes what only the operator's settings can."""
    return phrase("by-settings", user=str(user))


def people_lines(listed: Sequence[tuple[AccessStanding, str, int]]) -> list[str]:
    """A line for each person of /people; ``listed``: (role, name, id)."""
    return [labelled(who(name, user), role_name(role)) for role, name, user in listed]


def people(pages: Sequence[Sequence[str]], page: int = 0, wanted: str = "") -> str:
    """What /people answers.

    Args:
        pages: Its lines.
        page: The one that is shown.
        wanted: Words by which people were looked for.
    """
    if not pages:
        return phrase("people-unknown", name=wanted) if wanted else phrase("people-all")
    return page_text(phrase("people"), pages, page, phrase("people-how"))


def page_text(head: str, pages: Sequence[Sequence[str]], page: int, how: str) -> str:
    """A page of a list between its heading and what can be done with it; how many lines come behind it."""
    further = sum(map(len, pages[page + 1 :]))
    more = [phrase("and-more", count=further)] if further else []
    return "\n".join([head, "", *pages[page], *more, *(("", how) if how else ())])


def did_you_mean(name: str, near: str) -> str:
    """After a command that does not exist."""
    return phrase("did-you-mean", name=name, near=near)
