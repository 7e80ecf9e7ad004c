"""What a message answers reaches the agent: the words, who wrote them and from where, and the files."""

from typing import Any

import pytest
from aiogram import types as tg

from tasks.envelope import Quoted, Sender
from tests.bot.meanings import inbound, sticker
from tests.bot.updates import ANN, BEN, BOT, CHANNEL, FORUM, GROUP, PRIVATE, SOME_DAY, message, said, size

FROM_BEN = Sender(id=701, name="Ben")
FROM_NEWS = Sender(id=-1009, name="News")
BY_BEN = tg.MessageOriginUser(date=SOME_DAY, sender_user=BEN)
HIDDEN = tg.MessageOriginHiddenUser(date=SOME_DAY, sender_user_name="Cy")
POSTED = tg.MessageOriginChannel(date=SOME_DAY, chat=CHANNEL, message_id=3)
PHOTO = {"photo": [size("p", 9, 9)]}


def elsewhere(origin: tg.MessageOriginUnion, **fields: Any) -> dict[str, Any]:
    return {
        "external_reply": tg.ExternalReplyInfo(origin=origin, **fields),
        "quote": tg.TextQuote(text="so", position=0),
    }


ANSWERS: list[tuple[str, dict[str, Any], tuple[str | None, Quoted | None]]] = [
    ("nothing", {}, (None, None)),
    ("the bot", {"reply_to_message": message("so", sender=BOT)}, ("so", Quoted(ours=True))),
    ("a person", {"reply_to_message": message("so", sender=BEN)}, ("so", Quoted(sender=FROM_BEN))),
    (
        "a chat",
        {"reply_to_message": message("so", sender_chat=CHANNEL)},
        ("so", Quoted(sender=FROM_NEWS)),
    ),
    (
        "what a person forwarded",
        {"reply_to_message": message("so", sender=BEN, forward_origin=HIDDEN)},
        ("so", Quoted(sender=FROM_BEN, forwarded_from="Cy")),
    ),
    (
        "a part",
        {"reply_to_message": message("so it is", sender=BEN), "quote": tg.TextQuote(text="it is", position=3)},
        ("it is", Quoted(sender=FROM_BEN)),
    ),
    ("a person elsewhere", elsewhere(BY_BEN, chat=FORUM), ("so", Quoted(sender=FROM_BEN, chat="Forum"))),
    ("a hidden person elsewhere", elsewhere(HIDDEN), ("so", Quoted(name="Cy"))),
    ("a channel elsewhere", elsewhere(POSTED, chat=CHANNEL), ("so", Quoted(sender=FROM_NEWS, chat="News"))),
    (
        "the bot elsewhere",
        elsewhere(tg.MessageOriginUser(date=SOME_DAY, sender_user=BOT), chat=GROUP),
        ("so", Quoted(ours=True, chat="Friends")),
    ),
    (
        "a place elsewhere",
        {"external_reply": tg.ExternalReplyInfo(origin=BY_BEN, location=tg.Location(latitude=1, longitude=2))},
        ("[location: 1.0, 2.0]", Quoted(sender=FROM_BEN)),
    ),
    ("a photo", {"reply_to_message": message(sender=BEN, **PHOTO)}, ("[photo]", Quoted(sender=FROM_BEN))),
    (
        "a file",
        {
            "reply_to_message": message(
                sender=BEN, document=tg.Document(file_id="d", file_unique_id="u", file_name="plan.pdf")
            )
        },
        ("[document: plan.pdf]", Quoted(sender=FROM_BEN)),
    ),
    ("a story", {"reply_to_story": tg.Story(chat=CHANNEL, id=1)}, ("[a story of News]", None)),
    (
        "the service message of a topic",
        {"reply_to_message": message(forum_topic_created=tg.ForumTopicCreated(name="t", icon_color=1))},
        (None, None),
    ),
]


@pytest.mark.parametrize(("fields", "told"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_the_agent_is_told_what_a_message_answers_and_whose_it_is(
    fields: dict[str, Any], told: tuple[Any, Any]
) -> None:
    found = inbound(said("yes", **fields))
    assert (found.quote, found.quoted) == told
    assert found.text == "yes"


PICTURE = message(sender=ANN, caption="look", **PHOTO)
OWN = {"document": tg.Document(file_id="d", file_unique_id="u")}
SPOKEN = tg.Voice(file_id="v", file_unique_id="u", duration=3)
LONG = tg.Document(file_id="l", file_unique_id="u", file_name="answer.md")
FILES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("of a person", {"reply_to_message": PICTURE}, ["p"]),
    ("of the bot", {"reply_to_message": message(sender=BOT, **PHOTO)}, ["p"]),
    ("a spoken answer", {"reply_to_message": message(sender=BOT, voice=SPOKEN)}, []),
    ("a long answer", {"reply_to_message": message(sender=BOT, document=LONG)}, []),
    ("of another chat", {"external_reply": tg.ExternalReplyInfo(origin=BY_BEN, **PHOTO)}, ["p"]),
    ("beside files of its own", {"reply_to_message": PICTURE, "caption": "@cohort_bot so?", **OWN}, ["d"]),
    ("a moving sticker", {"reply_to_message": message(sender=BEN, sticker=sticker(is_animated=True))}, []),
]


@pytest.mark.parametrize("chat", [PRIVATE, GROUP], ids=["private", "group"])
@pytest.mark.parametrize(("fields", "files"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_the_files_of_the_answered_message_come_along(chat: tg.Chat, fields: dict[str, Any], files: list[str]) -> None:
    text = None if "caption" in fields else "@cohort_bot what is this?"
    assert [media.file_id for media in inbound(said(text, chat=chat, **fields)).media] == files


def test_a_file_that_the_bot_sent_is_marked_as_its_own() -> None:
    marked = {
        sender.id: inbound(said("bluer!", reply_to_message=message(sender=sender, **PHOTO))).media[0].ours
        for sender in (ANN, BOT)
    }
    assert marked == {ANN.id: False, BOT.id: True}


PREVIEW = {"link_preview_options": {"url": "https://n.example/a"}}
UNTOLD = "[a message whose words are not told]"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (PREVIEW, "https://n.example/a"),
        ({}, UNTOLD),
        ({"link_preview_options": {"is_disabled": True}}, UNTOLD),
        (PREVIEW | {"dice": {"emoji": "🎲", "value": 4}}, "[🎲 shows 4]"),
    ],
)
def test_that_a_text_of_another_chat_is_answered_is_told_though_its_words_are_not(
    fields: dict[str, Any], told: str
) -> None:
    update = said("what of this?", external_reply=tg.ExternalReplyInfo(origin=BY_BEN))
    update["message"]["external_reply"] |= fields
    asked = inbound(update)
    assert (asked.quote, asked.quoted) == (told, Quoted(sender=FROM_BEN))
