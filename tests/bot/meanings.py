"""Asking what an update means, and samples of what messages hold."""

from typing import Any

from aiogram import types as tg

from bot.updates.meaning import BotIdentity, Ignored, Incoming, Meaning
from bot.updates.understand import understand
from tasks.envelope import Inbound
from tests.bot.updates import GROUP

ME = BotIdentity.of(4242, "Cohort_Bot")
NOW = 1_700_000_000.0


def meaning_of(update: object) -> Meaning:
    return understand(update, ME, NOW)


def heard(update: object) -> Incoming:
    found = meaning_of(update)
    assert isinstance(found, Incoming), found
    return found


def inbound(update: object) -> Inbound:
    return heard(update).inbound


def ignored(update: object) -> str:
    found = meaning_of(update)
    assert isinstance(found, Ignored), found
    return found.why


FILES: list[tuple[str, dict[str, Any]]] = [
    ("document", {"file_name": "a.pdf", "mime_type": "application/pdf", "file_size": 5}),
    ("voice", {"duration": 3, "mime_type": "audio/ogg"}),
    ("audio", {"duration": 180}),
    ("video", {"duration": 9, "width": 1, "height": 1}),
    ("video_note", {"duration": 9, "length": 1}),
    ("animation", {"duration": 2, "width": 1, "height": 1}),
    ("sticker", {"type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False, "emoji": "👍"}),
]


DESCRIBED: list[tuple[dict[str, Any], str]] = [
    ({"location": tg.Location(latitude=52.5, longitude=13.4)}, "[location: 52.5, 13.4]"),
    (
        {
            "venue": tg.Venue(location=tg.Location(latitude=1, longitude=2), title="Zoo", address="Road 1"),
            "location": tg.Location(latitude=1, longitude=2),
        },
        "[place: Zoo, Road 1 (1.0, 2.0)]",
    ),
    ({"contact": tg.Contact(phone_number="+49", first_name="Cy", last_name="Do")}, "[contact: Cy Do, +49]"),
    ({"dice": tg.Dice(emoji="🎲", value=4)}, "[🎲 shows 4]"),
    (
        {
            "checklist": tg.Checklist(
                title="Trip", tasks=[tg.ChecklistTask(id=1, text="pack"), tg.ChecklistTask(id=2, text="go")]
            )
        },
        "[checklist: Trip\n- [ ] pack\n- [ ] go]",
    ),
    ({"story": tg.Story(chat=GROUP, id=4)}, "[a story]"),
]
