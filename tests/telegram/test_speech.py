"""Answers that are spoken, too: behind their text, without code and tables, and never instead of it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from botapi.errors import Undeliverable
from tasks.config.settings import Settings, load
from tasks.envelope import OutFile, Reply
from tasks.phrases import phrase
from tests.support.audio import SPOKEN
from tests.support.model import Model
from tests.telegram.conftest import World
from workers.speech import LONGEST, speakable, speaker, with_voice
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.render import render

SAID = (Reply(text="Hi there", answers=(7,)),)


@pytest.fixture
async def model() -> AsyncGenerator[Model]:
    async with Model() as served:
        yield served


class Shower:
    def render(self, markdown: str) -> tuple[Reply, ...]:
        return render(markdown)


@dataclass
class Parts:
    """What a turn has."""

    settings: Settings
    delivery: Shower = field(default_factory=Shower)


def chosen(mode: str, *, spoken: bool = False, text: str = "Hi there", model: str | None = "tts") -> list[str]:
    """What is spoken of an answer in a chat that chose ``mode``."""
    parts = Parts(load({"COHORT_VOICE": model} if model else {}))
    replies = with_voice(SAID, text, spoken=spoken, effective=lambda _name, _settings: mode, parts=parts)
    assert replies[0] == SAID[0]
    assert all(reply.answers == (7,) and reply.v == 3 for reply in replies[1:])
    return [file.speak for reply in replies[1:] for file in reply.files]


@pytest.mark.promise("answers-are-spoken")
def test_an_answer_is_spoken_where_the_chat_wants_it_or_spoke_itself() -> None:
    assert chosen("on") == chosen("auto", spoken=True) == ["Hi there"]
    assert chosen("auto") == chosen("off", spoken=True) == chosen("on", spoken=True, model=None) == []
    assert chosen("on", text="```py\ncode()\n```") == [], "there is nothing to say"


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("# Plan\n\nGo **now**, *please*: `ls`.\n\n- one\n- two", "Plan\nGo now, please: ls.\none\ntwo"),
        ("Look:\n\n```sh\nrm -rf /\n```\nDone.", "Look:\nDone."),
        ("Sums\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd.", "Sums\nEnd."),
        ("See [the page](https://example.com/x) or https://example.com/y now ![a cat](https://e.com/c.png)", None),
        ("<b>bold</b> words", "bold words"),
        ("Now ~~$20~~ **$15**, ==really==: ||Ann did it||", "Now $15, really:"),
        ("So $E=mc^2$ and\n\n$$\\frac{1}{2}$$", "So E=mc² and\n1/2"),
        ("Steps:\n\n1. Open it.\n2. Close it.\n\n   Well.\n- a\n", "Steps:\n1. Open it.\n2. Close it.\nWell.\na"),
        ("## 1. One\n\n\\* two *three*\nfour", "1. One\n* two three four"),
        ("a \U0001f642 ~~b\U0001f642~~ ||\U0001f642|| \U0001f642c", "a \U0001f642 \U0001f642c"),
        ("", ""),
        ("***", ""),
        ("\U0001f389 \U0001f389", ""),
        ("> " * 5000 + "deep", ""),
        ("`" * 10_000, ""),
    ],
)
def test_what_is_said_has_no_code_no_tables_and_no_addresses(markdown: str, words: str | None) -> None:
    assert speakable(markdown, render) == (words if words is not None else "See the page or now")


def test_a_long_answer_is_spoken_up_to_a_sentences_end_and_says_where_the_rest_is() -> None:
    said = speakable("This is a sentence. " * 100_000, render)
    assert said.endswith(f"sentence. {phrase('voice-goes-on')}")
    assert len(said) < LONGEST + 200
    assert len(speakable("x" * 1_000_000, render)) < LONGEST + 200


def voiced(world: World, model: Model, **more: object) -> Settings:
    given = {"voice": "tts-1", "voice_url": f"{model.url}/v1", **more}
    return world.settings.model_copy(update=given)


SPEAKS = Reply(v=3, files=(OutFile(kind="voice", name="answer.ogg", speak="Hi there"),), answers=(7,))


@pytest.mark.promise("answers-are-spoken")
async def test_a_spoken_answer_is_a_voice_message(world: World, model: Model) -> None:
    session, settings = await world.session(), voiced(world, model)
    async with speaker(settings) as voice:
        delivery = TelegramDelivery(world.bot, settings, world.clock, speaker=voice, sleep=world.clock.sleep)
        (sent,) = await delivery.deliver(session, Reply.from_json(SPEAKS.to_json()))
    (message,) = await world.pg.bot_messages(session.chat)
    assert (message["message_id"], message["voice"]["file_size"]) == (sent, len(SPOKEN))
    asked = {"model": "tts-1", "voice": "alloy", "input": "Hi there", "response_format": "opus", "key": ""}
    assert model.audio.spoken == [asked]


@pytest.mark.promise("answers-are-spoken")
@pytest.mark.parametrize("fault", ["refused", "busy", "rubbish", "off"])
async def test_an_answer_that_cannot_be_spoken_is_left_out_and_nothing_waits_for_it(
    world: World, model: Model, fault: str
) -> None:
    session, settings = await world.session(), voiced(world, model)
    model.audio.status = {"refused": 400, "busy": 503}.get(fault, 200)
    model.audio.body = b"<html>" if fault == "rubbish" else None
    async with speaker(settings) as voice:
        speaks = None if fault == "off" else voice
        delivery = TelegramDelivery(world.bot, settings, world.clock, speaker=speaks, sleep=world.clock.sleep)
        assert await delivery.deliver(session, SPEAKS) == ()
        await delivery.deliver(session, Reply(text="next"))
    assert [message["text"] for message in await world.pg.bot_messages(session.chat)] == ["next"]


@pytest.mark.promise("answers-are-spoken")
@pytest.mark.parametrize("words", ["VOICE_MESSAGES_FORBIDDEN", "not enough rights to send voice notes to the chat"])
async def test_a_voice_that_telegram_refuses_is_told_as_refused(world: World, model: Model, words: str) -> None:
    session, settings = await world.session(), voiced(world, model)
    await world.pg.fault("error", "sendVoice", description=f"Bad Request: {words}")
    async with speaker(settings) as voice:
        delivery = TelegramDelivery(world.bot, settings, world.clock, speaker=voice, sleep=world.clock.sleep)
        with pytest.raises(Undeliverable, match=r"(?i)voice"):
            await delivery.deliver(session, SPEAKS)
    assert await world.pg.bot_messages(session.chat) == []


async def test_a_server_that_does_not_answer_is_asked_once_and_given_up(world: World, model: Model) -> None:
    session, settings = await world.session(), voiced(world, model, tool_timeout=timedelta(seconds=0.3))
    model.audio.silent = asyncio.Event()
    async with speaker(settings) as voice:
        delivery = TelegramDelivery(world.bot, settings, world.clock, speaker=voice, sleep=world.clock.sleep)
        assert await delivery.deliver(session, SPEAKS) == ()
    model.audio.silent.set()
    assert len(model.audio.spoken) <= 1


async def test_without_the_setting_there_is_no_speaker(world: World) -> None:
    async with speaker(world.settings) as voice:
        assert voice is None
