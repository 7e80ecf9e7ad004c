"""Each person is told in their own language, also beside neighbours of other languages, and also later."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.envelope import Reply
from tasks.phrases import LANGUAGES, phrase, speaking
from tasks.session import SessionKey
from tests.workers.pool import Pool, session
from workers.interfaces import Sink, TurnFailed, TurnRequest, TurnResult

ONE, GROUP = session(1), session(-5)


def who(language: str | None, number: int = 7) -> dict[str, object]:
    return {"id": number, "name": "Ann", "language": language}


def told(language: str, ident: str, **about: object) -> str:
    with speaking(language):
        return phrase(ident, **about)


@pytest.mark.promise("own-language")
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoken=st.lists(st.sampled_from([*LANGUAGES]), min_size=6, max_size=12))
async def test_many_chats_at_once_are_each_told_in_their_own_language(pool: Pool, spoken: list[str]) -> None:
    first = 1 + max((where.chat for where in pool.telegram.chats), default=0)
    chats = dict(enumerate(spoken, first))
    worker = await pool.worker(f"w-{first}", lanes=len(spoken))
    everyone, begun = asyncio.Event(), list[str]()

    async def run(request: TurnRequest, sink: Sink) -> TurnResult:
        # All of them wait for one another, so each apology is made after every neighbour has spoken.
        begun.append(str(request.session))
        if len(begun) == len(chats):
            everyone.set()
        await everyone.wait()
        raise TurnFailed("tell", phrase("fault-refused"), "refused")

    worker.runtime.run = run  # type: ignore[method-assign]
    for chat, language in chats.items():
        await pool.say(chat, "hello", sender=who(language, chat))
    await asyncio.gather(*(worker.answer(session(chat)) for chat in chats))  # noqa: TID251 - the tasks of a test
    for chat, language in chats.items():
        (said,) = pool.telegram.texts(session(chat))
        assert said.startswith(told(language, "fault-refused"))
    await worker.stop()


async def test_in_a_group_each_person_is_answered_in_their_own_language(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    for number, language in enumerate(("de", "ru", None, "zh-hant", "pt-PT", "xx", "\N{FIRE}" * 100_000), 1):
        await pool.say(-5, kind="stop", sender=who(language, number))
        await worker.answer(GROUP)
    expected = ["de", "ru", "en", "zh", "pt", "en", "en"]
    assert pool.telegram.texts(GROUP) == [told(language, "nothing-to-stop") for language in expected]
    assert "tongue" not in await pool.state(GROUP)


async def test_a_chat_that_chose_a_language_is_told_in_it_at_once_until_it_goes_back(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    for value, said in (
        ("de", told("de", "speaks")),
        ("auto", told("ru", "speaks-auto")),
        ("", told("ru", "speaks-auto")),
    ):
        await pool.say(1, kind="choose", choice={"language": value}, sender=who("ru"))
        await worker.answer(ONE)
        await pool.say(1, kind="stop", sender=who("ru"))
        await worker.answer(ONE)
        language = value if value in LANGUAGES else "ru"
        assert pool.telegram.texts(ONE)[-2:] == [said, told(language, "nothing-to-stop")]
    await pool.say_all(1, {"kind": "choose", "choice": {"language": "es"}, "sender": who("ru")}, {"kind": "new"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == f"{told('es', 'new-conversation')} {told('es', 'speaks')}"


async def test_a_picker_whose_button_is_pressed_turns_into_the_language_chosen(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, kind="choose", choice={"language": "zh"}, pressed=True, message_id=55, sender=who("de"))
    await worker.answer(ONE)
    _, reply = pool.telegram.delivered[-1]
    assert reply.text.startswith(told("zh", "choice-language"))
    assert [button.text for row in reply.buttons for button in row if button.text.startswith("✓")] == ["✓ 中文"]


async def test_what_cannot_be_delivered_is_told_in_the_language_of_its_answer_by_the_heir(pool: Pool) -> None:
    first = await pool.worker("w-one")
    first.at_step = lambda step: step == "committed"
    await pool.say(1, "hello", sender=who("de"))
    await first.visited(ONE)
    await first.has_ended()
    heir = await pool.worker("w-two")

    async def refuse(_: SessionKey, reply: Reply) -> None:
        if reply.text.startswith("answer"):
            raise RuntimeError("a defect")

    heir.delivery.before = refuse
    await heir.answer(ONE)
    (said,) = pool.telegram.texts(ONE)
    assert said.startswith(told("de", "unsent"))


async def test_a_reminder_is_answered_in_the_language_of_the_person_who_set_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    with speaking("ru"):
        await worker.store.reminders.add(GROUP, "tea", 120, by=7)
    await pool.say(-5, kind="stop", sender=who("de", 8))
    await worker.answer(GROUP)

    async def run(request: TurnRequest, sink: Sink) -> TurnResult:
        raise TurnFailed("tell", phrase("fault-refused"), "refused")

    worker.runtime.run = run  # type: ignore[method-assign]
    pool.clock.advance(timedelta(minutes=3).total_seconds())

    async def admits(_: object) -> bool:
        return True

    assert await worker.store.reminders.fire(admits) == 1
    await worker.answer(GROUP)
    assert pool.telegram.texts(GROUP)[-1].startswith(told("ru", "fault-refused"))


async def test_the_person_of_a_private_chat_is_known_by_the_language_they_were_answered_in(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    assert await pool.store.sessions.languages(ONE) == (None, None)
    for language, noted in (("de", "de"), (None, "de"), ("en", "en")):
        await pool.say(1, "hello", sender=who(language))
        await worker.answer(ONE)
        assert await pool.store.sessions.languages(ONE) == (None, noted)
