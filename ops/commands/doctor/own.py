"""``cohort doctor``: whether chats that need a process of their own (``isolation: process``) can have one."""

from collections.abc import Sequence

from ops.commands.finding import Finding
from ops.context import Context
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.operator_files import chat_rules
from tasks.operator_files.agent_files import BadFile, card_files, read_card

_SHOWN = 3
"""Places of rules that are named; the others are counted."""


async def own(here: Context) -> list[Finding]:
    """Whether a host of such processes lives, where rules ask for them."""
    about, places = "own processes", _asked(here)
    if not places or not here.settings.redis_url:
        return []
    try:
        hosts, wanted = await here.read(lambda store: store.own.seen())
    except StoreUnavailable:
        return []  # the check of Redis reports this
    if not any(host.most for host in hosts):
        seen = f"{_named(places)}: chats ask for a process of their own, and no host of such processes lives"
        return [Finding(about, "warning", seen, "start `cohort up` or `cohort worker --own`, COHORT_OWN_MAX above 0")]
    most, busy = sum(host.most for host in hosts), sum(host.busy for host in hosts)
    if wanted and busy >= most:
        seen = f"all {most} work, and {wanted} chat{'s wait' if wanted > 1 else ' waits'} for one"
        return [Finding(about, "warning", seen, "raise COHORT_OWN_MAX, as far as the memory reaches")]
    return [Finding(about, "ok", f"{busy} of {most} at work; {_named(places)} asks for them")]


def _named(places: Sequence[str]) -> str:
    more = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _asked(here: Context) -> list[str]:
    """Where it is asked for: in the common files, and in those that bots have of their own."""
    every = (here.settings, *here.settings_of_bots())
    return list(dict.fromkeys(place for settings in every for place in _asking(settings)))


def _asking(settings: Settings) -> list[str]:
    """Where it is asked for. What cannot be read is reported by other checks."""
    found: list[str] = []
    try:
        rules = chat_rules.read(settings.chats).every()
        found += [f"{where} in {settings.chats}" for where, rule in rules if rule.isolation == "process"]
    except BadFile:
        pass
    try:
        files = card_files(settings.cards)
    except BadFile:
        return found
    for path in files:
        try:
            if read_card(path).head.get("isolation") == "process":
                found.append(str(path))
        except BadFile:
            continue
    return found
