"""An answer whose topic was closed or deleted stands in the chat, and says what it answers."""

import pytest
from telegram.error import BadRequest

from botapi.lost_places import LOST_S
from botapi.split import Part
from tasks.envelope import Inbound, OutFile, Reply, Sender
from tasks.pointing import elsewhere, line_about
from tasks.session import SessionKey
from tests.bot.stand_ins import HandClock
from tests.telegram.conftest import World
from workers.sessions.turns.outcome import Outcome
from workers.sessions.turns.pointing import pointed
from workers.telegram.delivery import TelegramDelivery

BEN = Sender(id=701, name="Ben")
LINE = "Ben: where do we meet?"
BOLD = {"type": "bold", "offset": 0, "length": 2}


async def asked(world: World) -> tuple[SessionKey, Reply]:
    """A question in a topic, and the answer that is on its way."""
    chat = (await world.pg.chat("supergroup", topics=["work"]))["id"]
    topic = await world.pg.topic(chat, "play")
    said = await world.pg.say(chat, "where do we meet?", thread=topic)
    reply = Reply(text="at the bridge", entities=(BOLD,), reply_to=said.message_id, about=LINE)
    return SessionKey(world.settings.bot_id, chat, topic), reply


@pytest.mark.promise("topic-gone")
async def test_from_a_closed_topic_the_answer_is_a_reply_to_its_question_there(world: World) -> None:
    session, reply = await asked(world)
    await world.pg.set_topic(session.chat, session.topic or 0, "close")
    await world.delivery.deliver(session, reply)
    (message,) = await world.pg.bot_messages(session.chat)
    assert (message["text"], message.get("message_thread_id")) == ("at the bridge", None)
    assert message["external_reply"]["message_id"] == reply.reply_to


@pytest.mark.promise("topic-gone")
@pytest.mark.parametrize("gone", ["deleted", "closed, and no reply leaves it", "closed, and refused in other words"])
async def test_where_no_reply_can_point_the_question_is_quoted_above_the_answer(world: World, gone: str) -> None:
    session, reply = await asked(world)
    if gone == "deleted":
        await world.pg.set_topic(session.chat, session.topic or 0, "delete")
    else:
        said = "TOPIC_CLOSED" if gone.endswith("leaves it") else "REPLY_MOON_INVALID"
        await world.pg.set_topic(session.chat, session.topic or 0, "close")
        await world.pg.fault("error", "sendMessage", code=400, description=f"Bad Request: {said}", skip=1)
    await world.delivery.deliver(session, reply)
    (message,) = await world.pg.bot_messages(session.chat)
    assert message["text"] == f"{LINE}\nat the bridge"
    quote = {"type": "blockquote", "offset": 0, "length": len(LINE)}
    assert message["entities"] == [quote, {"type": "bold", "offset": len(LINE) + 1, "length": 2}]


async def sends(world: World, session: SessionKey) -> list[str]:
    """The calls so far that a group's budget counts."""
    calls = await world.pg.journal(chat=session.chat)
    return [
        call["method"]
        for call in calls
        if call["method"].startswith(("send", "edit")) and "Action" not in call["method"]
    ]


@pytest.mark.promise("topic-gone")
@pytest.mark.parametrize("known", [False, True], ids=["the edit tells", "a frame has told"])
async def test_what_grew_in_a_deleted_topic_is_sent_with_few_calls_that_fail(world: World, *, known: bool) -> None:
    """In a busy group each call waits for its turn among 20 a minute."""
    session, reply = await asked(world)
    (begun,) = await world.delivery.deliver(session, Reply(text="at"))
    await world.pg.set_topic(session.chat, session.topic or 0, "delete")
    if known:
        with pytest.raises(BadRequest):
            await world.delivery._calls.frame(session, begun, Part("at the"))
    before = len(await sends(world, session))
    long = reply.model_copy(update={"edit": begun, "text": "at the bridge " * 700})
    shown = await world.delivery.deliver(session, long)
    assert len(shown) > 1
    refused = ["sendMessage"] if known else ["editMessageText", "sendMessage"]
    assert (await sends(world, session))[before:] == [*refused, *["sendMessage"] * len(shown)]
    assert (await world.pg.bot_messages(session.chat))[0]["text"].startswith(f"{LINE}\nat the bridge")


@pytest.mark.promise("topic-gone")
async def test_once_a_topic_is_known_to_be_deleted_no_call_is_spent_on_it(world: World) -> None:
    session, reply = await asked(world)
    await world.pg.set_topic(session.chat, session.topic or 0, "delete")
    await world.delivery.deliver(session, reply)
    # In the topic, and outside with its question above.
    assert await sends(world, session) == ["sendMessage"] * 2
    await world.delivery.deliver(session, reply)
    assert len(await sends(world, session)) == 3
    assert [message["text"] for message in await world.pg.bot_messages(session.chat)] == [f"{LINE}\nat the bridge"] * 2


@pytest.mark.promise("topic-gone")
async def test_topics_that_are_switched_on_again_have_their_answers_again(world: World) -> None:
    session, reply = await asked(world)
    clock = HandClock()
    delivery = TelegramDelivery(world.bot, world.settings, clock)
    await world.pg.forum(session.chat, on=False)
    for _ in range(2):
        await delivery.deliver(session, reply)
    assert len(await sends(world, session)) == 3, "the second one goes out at once"
    await world.pg.forum(session.chat, on=True)
    clock.time += LOST_S
    await delivery.deliver(session, reply)
    *outside, inside = await world.pg.bot_messages(session.chat)
    assert [one["text"] for one in outside] == [f"{LINE}\nat the bridge"] * 2
    assert inside["message_thread_id"] == session.topic


async def test_a_message_that_was_deleted_is_not_edited_again(world: World) -> None:
    session, reply = await asked(world)
    (begun,) = await world.delivery.deliver(session, Reply(text="at"))
    await world.pg.delete(session.chat, begun)
    for _ in range(2):
        await world.delivery.deliver(session, reply.model_copy(update={"edit": begun}))
    assert await sends(world, session) == ["sendMessage", "editMessageText", "sendMessage", "sendMessage"]


async def test_an_answer_that_points_at_none_and_one_of_a_file_say_what_they_answer_too(world: World) -> None:
    session, reply = await asked(world)
    await world.pg.set_topic(session.chat, session.topic or 0, "delete")
    file = OutFile(name="a.txt", data="aGk=")
    await world.delivery.deliver(session, reply.model_copy(update={"reply_to": None}))
    await world.delivery.deliver(session, reply.model_copy(update={"files": (file,)}))
    plain, document = await world.pg.bot_messages(session.chat)
    assert plain["text"] == document["caption"] == f"{LINE}\nat the bridge"


async def test_a_full_message_with_its_question_above_is_two_and_loses_nothing(world: World) -> None:
    session, reply = await asked(world)
    await world.pg.set_topic(session.chat, session.topic or 0, "delete")
    words = " ".join(f"word{number}" for number in range(600))[:4096]
    await world.delivery.deliver(session, reply.model_copy(update={"text": words, "entities": ()}))
    first, second = await world.texts(session)
    assert f"{first} {second}".split() == [*LINE.split(), *words.split()]


@pytest.mark.parametrize(
    ("inbound", "line"),
    [
        ({"sender": BEN, "text": "where do we\n\nmeet?"}, LINE),
        ({"sender": BEN, "text": ""}, "Ben"),
        ({"sender": None, "text": "stretch", "kind": "reminder"}, "stretch"),
        ({"sender": Sender(id=1, name="\u202eneB\n"), "text": "a" * 200}, f"neB: {'a' * 79}…"),
        ({"sender": BEN, "text": "hi", "chat_type": "private"}, "hi"),
    ],
)
def test_a_message_in_one_line(inbound: dict[str, object], line: str) -> None:
    given = {"session": "7:-1001:t5", "update_id": 1, "at": 0.0, "chat_type": "supergroup", **inbound}
    assert line_about(Inbound.model_validate(given)) == line


def test_a_reply_that_goes_to_another_chat_names_its_question_and_no_message() -> None:
    rich = ({"type": "paragraph", "text": "at the bridge"},)
    reply = elsewhere(Reply(text="at the bridge", reply_to=3, edit=4, about=LINE, rich=rich))
    assert (reply.text, reply.reply_to, reply.edit, reply.rich) == (f"{LINE}\nat the bridge", None, None, ())
    assert elsewhere(Reply(text="hi")).text == "hi"


@pytest.mark.parametrize(("session", "told"), [("7:5", ""), ("7:5:t9", "hi"), ("7:-1001", "Ben: hi")])
def test_a_turns_replies_know_what_they_answer_where_they_may_have_to_leave_it(session: str, told: str) -> None:
    kind = "private" if session.startswith("7:5") else "supergroup"
    hi = Inbound(session=session, update_id=1, at=0.0, message_id=3, text="hi", sender=BEN, chat_type=kind)
    replies = (Reply(text="a", reply_to=3 if kind != "private" else None), Reply(text="b"))
    found = pointed(Outcome(replies), SessionKey.parse(session), [hi]).replies
    assert [reply.about for reply in found] == [told, ""]


def test_an_answer_to_what_was_said_in_the_group_before_it_moved_names_it() -> None:
    hi = Inbound(session="7:-5", update_id=1, at=0.0, message_id=3, text="hi", sender=BEN, chat_type="group")
    (found,) = pointed(Outcome((Reply(text="a", edit=8),)), SessionKey.parse("7:-1001"), [hi]).replies
    assert (found.text, found.edit) == ("Ben: hi\na", 8)
