"""Each command in each place where it can be written: what it asks, what it stores, and where it is only text."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.updates.commands import UNKNOWN
from bot.updates.meaning import BotIdentity, Ignored, Incoming
from bot.updates.understand import understand
from tasks.chats.command_names import ASKS, CHOICES, CONTROL, CONVERSATIONS
from tests.bot.updates import BOT, CHANNEL, FORUM, GROUP, PRIVATE, message, said, size

ME = BotIdentity.of(4242, "cohort_bot", channels=True)
PLACES: dict[str, dict[str, Any]] = {
    "private": {"chat": PRIVATE},
    "group": {"chat": GROUP},
    "topic": {"chat": FORUM, "message_thread_id": 8, "is_topic_message": True},
    "channel": {"chat": CHANNEL, "sender": None, "sender_chat": CHANNEL, "kind": "channel_post"},
}
NAMES = (*sorted({*CONTROL, *ASKS}), "hlep", "weather")
"""All of ours, one that is mistyped, and one that an agent may know."""
JUNK = "\u202e<b>\x00 '\"; DROP 99999999999999999999 \U0001f4a5"
FORMS: dict[str, Callable[[str], dict[str, Any]]] = {
    "bare": lambda name: {"text": f"/{name}"},
    "junk": lambda name: {"text": f"/{name} {JUNK}"},
    "long": lambda name: {"text": f"/{name} ".ljust(4096, "x")},
    "named": lambda name: {"text": f"/{name}@cohort_bot"},
    "named, junk": lambda name: {"text": f"/{name}@cohort_bot {JUNK}"},
    "called": lambda name: {"text": f"@cohort_bot /{name}"},
    "in reply": lambda name: {"text": f"/{name}", "reply_to_message": message("q", sender=BOT, message_id=3)},
    "to another bot": lambda name: {"text": f"/{name}@other_bot"},
    "in a caption": lambda name: {"caption": f"/{name}", "photo": [size("a", 1, 1)]},
    "in a caption, named": lambda name: {"caption": f"/{name}@cohort_bot", "photo": [size("a", 1, 1)]},
    "edited": lambda name: {"text": f"/{name}"},
    "edited, named": lambda name: {"text": f"/{name}@cohort_bot"},
}
TO_US = ("named", "named, junk", "called", "in reply", "in a caption, named", "edited, named")
WITH_ARGUMENT = ("junk", "long", "named, junk")


def outcome(form: str, place: str, name: str) -> str:
    """What comes of it: ``nothing``, ``overheard``, ``text`` for the agent, ``asks`` the bot, ``stored`` in order."""
    given = {**PLACES[place], **FORMS[form](name)}
    if form.startswith("edited"):
        given["kind"] = "edited_channel_post" if place == "channel" else "edited_message"
    found = understand(said(**given), ME, 0.0)
    if isinstance(found, Ignored):
        return "nothing"
    assert isinstance(found, Incoming)
    if found.ask is not None:
        assert found.ask.name in (name, UNKNOWN)
    if found.inbound.kind != "message":
        return "stored"
    return "asks" if found.ask is not None else "text" if found.addressed else "overheard"


def expected(form: str, place: str, name: str) -> str:
    """The rules, in the order in which they hold."""
    private, ours = place == "private", name in CONTROL or name in ASKS
    if place == "channel" and form not in TO_US:
        return "nothing"
    if form == "to another bot":
        return "text" if private else "nothing"
    if form.startswith("edited") and ours:
        return "nothing"
    if form == "in a caption" or (form == "in a caption, named" and private and name not in CONTROL):
        return "text" if private else "overheard"
    if name in CONTROL:
        return "stored"
    if form in WITH_ARGUMENT and name in CHOICES | CONVERSATIONS - {"sessions"}:
        return "stored"
    if (name == "start" and form in WITH_ARGUMENT) or name == "weather" or (name == "hlep" and not private):
        # A link's payload is the agent's; so is a command that is like no other, where the bot is meant.
        told = name == "hlep" and form in TO_US
        return "asks" if told else "text" if private or form in TO_US or name == "start" else "overheard"
    return "asks"


@pytest.mark.promise("commands")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", FORMS)
def test_each_command_in_each_place(form: str, place: str) -> None:
    wrong = {
        name: (got, wanted)
        for name in NAMES
        if (got := outcome(form, place, name)) != (wanted := expected(form, place, name))
    }
    assert wrong == {}
