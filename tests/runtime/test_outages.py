"""What counts as an outage of a model, and what one chat's text brought about."""

import asyncio
from pathlib import Path

import pytest
from llmock.pytest_plugin import LLMock

from tasks.envelope import Media, Sender
from tasks.errors import Retryable
from tasks.phrases import phrase
from tests.runtime.support import PROVIDERS, Configure, Open, Screen, StillClock, ask, card, inbound
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.engine import Engine
from workers.runtime.models.breaker import CHATS_TO_OPEN, FIRST_PAUSE_S

QUICK = "---\nmodel: generic.mock\nrequest_params: {streaming_timeout: 0.2}\n---\nYou.\n"

PROVOKED = {
    "a blank answer": {"mode": "empty"},
    "a filtered answer": {"finish": "content_filter"},
    "a refused request": {"status": 400},
    "a filtered request": {"status": 400, "code": "content_filter"},
    "a request too large": {"status": 413},
    "a context too long": {"status": 400, "code": "context_length_exceeded"},
    "a rate limit that this request alone exceeds": {
        "status": 429,
        "retry_after": 0.01,
        "message": "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000.",
    },
    "a stream that cannot be read": {"mode": "malformed"},
    "a stream without an end": {"mode": "truncate"},
}


async def fail(engine: Engine, chat: int, text: str = "hello", **choice: bytes | None) -> TurnFailed:
    try:
        await engine.run(ask(chat, text, **choice), Screen())
    except TurnFailed as failure:
        return failure
    raise AssertionError("it was answered")


@pytest.mark.promise("model-faults")
async def test_an_outage_is_noticed_and_further_turns_wait_without_calling(
    runtime: Open, model: Model, clock: StillClock
) -> None:
    model.fault(mode="drop", times=None)
    async with runtime() as engine:
        for chat in range(CHATS_TO_OPEN):
            assert (await fail(engine, chat)).action == "retry"
        calls = len(model.journal)
        failure = await fail(engine, 99)
        assert (failure.action, failure.backoff, len(model.journal)) == ("retry", FIRST_PAUSE_S, calls)
        model.clear()
        clock.seconds += FIRST_PAUSE_S
        assert (await engine.run(ask(99, "back"), Screen())).text == "echo: back [n=1]"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 401, "message": "Incorrect API key provided: sk-secret"}, "key refused"),
        ({"status": 403}, "HTTP 403"),
        ({"status": 404}, "HTTP 404"),
        ({"status": 429, "code": "insufficient_quota", "message": "You exceeded your current quota"}, "quota used up"),
    ],
)
@pytest.mark.promise("status-true")
async def test_a_model_that_refuses_until_its_operator_acts_is_told_as_failing_until_it_works(
    runtime: Open, model: Model, clock: StillClock, fault: dict[str, object], reason: str
) -> None:
    async with runtime() as engine:
        model.fault(**fault, times=None)
        for chat in (1, 2):
            assert (await fail(engine, chat)).action == "operator"
            clock.seconds += 3600
        (trouble,) = engine.breaker.failing.values()
        assert reason in trouble.reason
        assert ("sk-secret" in trouble.reason, trouble.open, engine.breaker.open) == (False, False, ())
        assert trouble.since == pytest.approx(clock.now() - 7200, abs=1)
        model.clear()
        assert (await engine.run(ask(3, "hi"), Screen())).text == "echo: hi [n=1]"
        assert engine.breaker.failing == {}


async def test_while_a_model_is_down_the_fallback_answers(runtime: Open, model: Model) -> None:
    model.fault(mode="drop", times=CHATS_TO_OPEN)
    async with runtime(COHORT_FALLBACK_MODEL="generic.spare") as engine:
        for chat in range(CHATS_TO_OPEN):
            await fail(engine, chat)
        result = await engine.run(ask(1, "hi"), Screen())
        assert (result.text, result.usage.model) == ("echo: hi [n=1]", "spare")
        # Its success is the fallback's: the model itself is still left alone.
        model.fault(mode="drop", match="again", times=None)
        assert (await fail(engine, 2, "again")).action == "retry"
        assert [call.model for call in model.journal][-1] == "spare"


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("fault", PROVOKED)
async def test_a_fault_that_a_text_can_provoke_is_no_outage_however_many_chats_provoke_it(
    runtime: Open, model: Model, fault: str
) -> None:
    async with runtime() as engine:
        await engine.run(ask(99, "hi"), Screen())
        model.fault(match="provoke", times=None, **PROVOKED[fault])
        for chat in range(2 * CHATS_TO_OPEN):
            await fail(engine, chat, "provoke")
        assert (await engine.run(ask(99, "hi"), Screen())).text == "echo: hi [n=1]"


@pytest.mark.promise("model-faults")
async def test_one_chat_whose_every_try_breaks_the_connection_keeps_no_other_chat_waiting(
    runtime: Open, model: Model
) -> None:
    async with runtime() as engine:
        model.fault(match="provoke", mode="drop", times=None)
        for _ in range(4 * CHATS_TO_OPEN):
            await fail(engine, 1, "provoke")
        assert (await engine.run(ask(99, "hi"), Screen())).text == "echo: hi [n=1]"


async def test_one_person_who_breaks_it_from_many_chats_keeps_no_other_chat_waiting(
    runtime: Open, model: Model
) -> None:
    async with runtime() as engine:
        model.fault(match="provoke", mode="drop", times=None)
        for chat in range(2 * CHATS_TO_OPEN):
            with pytest.raises(TurnFailed):
                await engine.run(ask(chat, inbound(chat, "provoke", sender=Sender(id=7))), Screen())
        assert (await engine.run(ask(99, "hi"), Screen())).text == "echo: hi [n=1]"


@pytest.mark.promise("model-faults")
async def test_a_blank_answer_costs_two_calls_and_is_said_as_what_it_is(runtime: Open, model: Model) -> None:
    model.fault(mode="empty", times=None)
    async with runtime() as engine:
        failure = await fail(engine, 1)
    assert (failure.action, failure.words) == ("tell", phrase("fault-empty"))
    assert len(model.journal) == 2


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_blank_answer_is_tried_once_more_with_every_provider(
    runtime: Open, provider: str, llmock: LLMock, configure: Configure
) -> None:
    name, path, more = PROVIDERS[provider]
    configure({provider: {"api_key": "secret-key", "base_url": llmock.base_url(path), **more}})
    async with runtime(COHORT_MODEL=name) as engine:
        for blank in ("", " ", "\n\n"):
            llmock.reset().tool_mode("off").reply(blank, times=None)
            failure = await fail(engine, 1)
            assert (failure.action, failure.words) == ("tell", phrase("fault-empty"))
            assert len(llmock.requests) == 2, blank
            llmock.reset().tool_mode("off").reply(blank, times=1).reply("Here I am.", times=None)
            assert (await engine.run(ask(1, "hello"), Screen())).text == "Here I am."


async def test_silence_counts_after_a_short_request_and_not_after_a_long_one(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "assistant.md", QUICK)
    async with runtime() as engine:
        model.fault(match="slow", mode="hang", times=None)
        for chat in range(CHATS_TO_OPEN):
            await fail(engine, chat, "slow " + "word " * 2000)
        assert (await engine.run(ask(99, "hi"), Screen())).text == "echo: hi [n=1]"
        for chat in range(CHATS_TO_OPEN):
            await fail(engine, chat, "slow")
        assert "circuit breaker" in (await fail(engine, 99, "hi")).detail


class NoFiles:
    """Telegram does not hand out any file."""

    async def fetch(self, media: Media) -> Path:
        raise Retryable(media.file_id)


async def test_a_probe_that_never_reached_the_model_lets_another_probe(
    runtime: Open, model: Model, clock: StillClock
) -> None:
    model.fault(match="hello", mode="drop", times=None)
    photo = Media(kind="photo", file_id="f", mime="image/png")
    async with runtime(media=NoFiles(), COHORT_MODEL="generic.gpt-4.1-mini") as engine:
        for chat in range(CHATS_TO_OPEN):
            await fail(engine, chat)
        clock.seconds += FIRST_PAUSE_S
        with pytest.raises(TurnFailed, match="Retryable"):
            await engine.run(ask(98, inbound(98, "look", media=(photo,))), Screen())
        assert (await engine.run(ask(99, "hi"), Screen())).text == "echo: hi [n=1]"


async def test_a_probe_whose_user_stops_it_lets_another_probe(runtime: Open, model: Model, clock: StillClock) -> None:
    model.fault(match="hello", mode="drop", times=None)
    async with runtime() as engine:
        for chat in range(CHATS_TO_OPEN):
            await fail(engine, chat)
        clock.seconds += FIRST_PAUSE_S
        async with asyncio.TaskGroup() as group:
            probe = group.create_task(engine.run(ask(98, "HOLD:gate wait"), Screen()), name="probe")
            await model.held("gate")
            assert "circuit breaker" in (await fail(engine, 99, "hi")).detail
            probe.cancel()
        assert (await engine.run(ask(99, "hi"), Screen())).text == "echo: hi [n=1]"


CHAIN = {
    "chain.md": "---\ntype: chain\nname: chain\ndefault: true\nsequence: [one, two]\n---\nGo.\n",
    "one.md": "---\nname: one\nmodel: generic.one\n---\nOne.\n",
    "two.md": "---\nname: two\nmodel: generic.two\n---\nTwo.\n",
    "assistant.md": "---\nname: assistant\nmodel: generic.two\n---\nYou.\n",
}


async def test_a_workflow_whose_first_members_model_is_down_closes_no_other_model(
    runtime: Open, model: Model, cards: Path
) -> None:
    for name, text in CHAIN.items():
        card(cards, name, text)
    async with runtime() as engine:
        model.fault(match="provoke", mode="drop", times=None)
        for chat in range(CHATS_TO_OPEN):
            await fail(engine, chat, "provoke")
        assert (await engine.run(ask(98, "hi"), Screen())).text
        assert (await engine.run(ask(99, "hi", agent="assistant"), Screen())).text == "echo: hi [n=1]"
