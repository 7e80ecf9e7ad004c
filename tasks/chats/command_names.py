"""The names of commands: Cohort's own, and those that cards of agents take (pure)."""

import re
from collections.abc import Mapping

from tasks.chats.choices import CHAT_CHOICES
from tasks.config.forms import COMMAND
from tasks.envelope import InboundKind

CONTROL: dict[str, InboundKind] = {
    "stop": "stop",
    "new": "new",
    "reset": "new",
    "clear": "new",
    "compact": "compact",
    "retry": "retry",
    "undo": "undo",
}
"""Commands that are stored in order with the session's messages."""

CHOICES = frozenset({"model", "agent", *CHAT_CHOICES})
"""Commands that choose something for the session; with an argument they are stored like its messages."""

ADMINS = frozenset({"allow", "deny", "people"})
"""Commands of those who let people in."""

CONVERSATIONS = frozenset({"sessions", "resume", "title"})
"""What is asked about earlier conversations; with an argument the last two are stored like messages."""

_OWN = frozenset(
    {"start", "help", "whoami", "status", "usage", "reminders", "timezone", "memory", "forget", "login", "logout"}
)
ASKS = _OWN | CHOICES | ADMINS | CONVERSATIONS
"""Commands that the bot answers itself."""

_OF_A_CARD = 20
_LONGEST = 256
"""Characters of what a menu says of a command."""


def why_not(name: str) -> str | None:
    """Why an agent cannot take a command of this name; None when it can."""
    if name in ASKS or name in CONTROL:
        return f"/{name} is a command of Cohort's own"
    if COMMAND.fullmatch(name):
        return None
    bare = re.sub(r"[-\s]+", "_", name.strip().lstrip("/").lower())
    meant = f": write {bare}" if COMMAND.fullmatch(bare) else ""
    return f"{name[:40]!r} is not 1 to 32 of a-z, 0-9 and _{meant}"


def taken_by_card(said: object) -> dict[str, str]:
    """What a card's ``commands`` say: name -> words for the menu, empty where it has none.

    Raises:
        ValueError: they cannot be used, and why.
    """
    given = {said: None} if isinstance(said, str) else said
    if isinstance(given, list):
        given = {name if isinstance(name, str) else _no_name(name): None for name in given}
    if not isinstance(given, Mapping):
        raise ValueError("must be a list of names, or names with what the menu says of each")  # noqa: TRY004 - as told
    if len(given) > _OF_A_CARD:
        raise ValueError(f"has {len(given)}, and a card takes at most {_OF_A_CARD}")
    found = dict[str, str]()
    for name, words in given.items():
        if not isinstance(name, str):
            _no_name(name)
        if (why := why_not(name)) is not None:
            raise ValueError(why)
        if not isinstance(words, str | None):
            raise ValueError(f"what the menu says of {name} must be a text")  # noqa: TRY004 - as told
        line = " ".join((words or "").split())
        if len(line) > _LONGEST:
            raise ValueError(f"what the menu says of {name} is longer than {_LONGEST} characters")
        found[name] = line
    return found


def _no_name(name: object) -> str:
    """Say why something else than a text is no name; YAML reads on, off, yes, no and numbers as such."""
    known = {True: "on, yes or true", False: "off, no or false"}
    what = f"a name is read as {known[name]}" if isinstance(name, bool) else f"{str(name)[:40]!r} is no text"
    raise ValueError(f"{what}: put it in quotes")
