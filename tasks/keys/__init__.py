"""Every Redis key is born here; ``kinds`` says of which type it is and how long it lives (pure)."""

from tasks.keys.kinds import ALBUM, BROUGHT, KINDS, LETTERS, LOGINS, OVERHEARD, PREFIX, ZONES, KeyKind, kind_of
from tasks.session import SessionKey
from tasks.text import is_digits

__all__ = ["ALBUM", "BROUGHT", "KINDS", "LETTERS", "LOGINS", "OVERHEARD", "PREFIX", "ZONES", "KeyKind", "kind_of"]

LAYOUT_VERSION = 1
"""Of the keys below. A process refuses to start on a layout newer than it knows."""


def bot_in(name: str) -> int | None:
    """The bot that a key of a bot names; None where no bot has such a name."""
    number = name.removeprefix(f"{PREFIX}bot:").partition(":")[0]
    return int(number) if is_digits(number) else None


def inbox(session: SessionKey | str) -> str:
    return f"{PREFIX}s:{session}:inbox"


def outbox(session: SessionKey | str) -> str:
    return f"{PREFIX}s:{session}:outbox"


def state(session: SessionKey | str) -> str:
    return f"{PREFIX}s:{session}:state"


def journal(session: SessionKey | str) -> str:
    return f"{PREFIX}s:{session}:journal"


def notes(session: SessionKey | str) -> str:
    return f"{PREFIX}s:{session}:notes"


def earlier(session: SessionKey | str) -> str:
    return f"{PREFIX}s:{session}:earlier"


def dead(bot: int | str) -> str:
    return f"{PREFIX}bot:{bot}:dead"


def trail(bot: int | str) -> str:
    return f"{PREFIX}bot:{bot}:trail"


def seen(bot: int) -> str:
    return f"{PREFIX}bot:{bot}:seen"


def poller(bot: int) -> str:
    return f"{PREFIX}bot:{bot}:poller"


def replies(bot: int) -> str:
    return f"{PREFIX}bot:{bot}:replies"


def strangers(bot: int) -> str:
    return f"{PREFIX}bot:{bot}:strangers"


def told(bot: int) -> str:
    return f"{PREFIX}bot:{bot}:told"


def asked(bot: int, who: int) -> str:
    return f"{PREFIX}bot:{bot}:asked:{who}"


def people(bot: int | str) -> str:
    return f"{PREFIX}bot:{bot}:people"


def zones(bot: int | str) -> str:
    return f"{PREFIX}bot:{bot}:zones"


def typed(bot: int | str, person: int) -> str:
    return f"{PREFIX}bot:{bot}:typed:{person}"


def overheard(session: SessionKey) -> str:
    return f"{PREFIX}bot:{session.bot}:overheard:{session}"


def brought(session: SessionKey, update: int | str) -> str:
    return f"{PREFIX}bot:{session.bot}:brought:{session}:{update}"


def album(session: SessionKey, name: str) -> str:
    return f"{PREFIX}bot:{session.bot}:album:{session}:{name}"


def named(session: SessionKey) -> str:
    return f"{PREFIX}bot:{session.bot}:named:{session}"


def pairing(bot: int) -> str:
    return f"{PREFIX}bot:{bot}:pairing"


def guesses(bot: int) -> str:
    return f"{PREFIX}bot:{bot}:guesses"


def answers(session: SessionKey) -> str:
    """Of the whole chat: a reaction does not name its topic."""
    return f"{PREFIX}bot:{session.bot}:answers:{session.chat}"


def closed_chats(bot: int | str) -> str:
    return f"{PREFIX}bot:{bot}:closed"


def business(bot: int | str) -> str:
    return f"{PREFIX}bot:{bot}:business"


def feedback(bot: int | str) -> str:
    return f"{PREFIX}bot:{bot}:feedback"


def logins(bot: int, person: int) -> str:
    return f"{PREFIX}bot:{bot}:logins:{person}"


def pending(slot: int) -> str:
    return f"{PREFIX}slot:{slot:02d}:pending"


def parked(slot: int) -> str:
    return f"{PREFIX}slot:{slot:02d}:parked"


def worker(incarnation: str) -> str:
    return f"{PREFIX}worker:{incarnation}"


def own(session: SessionKey | str) -> str:
    return f"{PREFIX}own:{session}"


def own_channel(session: SessionKey | str) -> str:
    """A pub/sub channel: what a session's own process is told."""
    return f"{PREFIX}own-channel:{session}"


def node(name: str) -> str:
    return f"{PREFIX}node:{name}"


def pace(scope: str) -> str:
    return f"{PREFIX}pace:{scope}"


def usage(scope: str, day: str) -> str:
    return f"{PREFIX}usage:{scope}:{day}"


def broadcast(ident: str) -> str:
    return f"{PREFIX}broadcast:{ident}"


def broadcast_left(ident: str) -> str:
    return f"{PREFIX}broadcast-left:{ident}"


def broadcast_lease(ident: str) -> str:
    return f"{PREFIX}broadcast-lease:{ident}"


def reminders(scope: str) -> str:
    return f"{PREFIX}reminders:{scope}"


def exposition(process: str) -> str:
    return f"{PREFIX}metrics:{process}"


def rollup(span: str, start: int) -> str:
    return f"{PREFIX}rollup:{span}:{start}"


def alert(name: str) -> str:
    return f"{PREFIX}alert:{name}"


BOTS = f"{PREFIX}bots"
OWN_HOSTS = f"{PREFIX}own-hosts"
OWN_WANTED = f"{PREFIX}own-wanted"
OWN_NEWS = f"{PREFIX}own-news"
"""A pub/sub channel: a session needs a process of its own."""
MEMBERS = f"{PREFIX}members"
DRAINING = f"{PREFIX}draining"
ASSIGNMENT = f"{PREFIX}assignment"
PAUSED = f"{PREFIX}paused"
MOVED_GROUPS = f"{PREFIX}moved-groups"
LAYOUT = f"{PREFIX}layout"
DEAD = f"{PREFIX}dead"
TRAIL = f"{PREFIX}trail"
RECORDED = f"{PREFIX}recorded"
REMINDERS = f"{PREFIX}reminders"
REMINDER_NUMBER = f"{PREFIX}reminder-number"
NEWS = f"{PREFIX}news"
"""A pub/sub channel, not a key: "the assignment or the members changed, look now"."""
