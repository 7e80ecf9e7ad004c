"""A turn that gives no answer takes no word away: what it had shown stays, and the apology stands below."""

from dataclasses import dataclass

import pytest

from tasks.phrases import phrase
from tests.workers.asking import Asking
from tests.workers.fakes import without_reference
from tests.workers.mishaps import heir_of_a_message
from tests.workers.pool import Pool, Worker, session
from workers.interfaces import Sink, TurnFailed, TurnRequest, TurnResult
from workers.sessions.ownership.seen_text import SeenText
from workers.usage import Usage

ONE = session(1)


async def heir_of(pool: Pool, dying: Worker, name: str) -> Worker:
    """The next worker, whose turn has begun."""
    begun = len(pool.model.calls)
    dying.doorbell(ONE)
    await pool.model.changes.until(lambda: len(pool.model.calls) > begun)
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    await dying.kill()
    return await pool.worker(name)


@pytest.mark.promise("poison-message")
async def test_the_words_of_a_message_that_is_given_up_stay(pool: Pool) -> None:
    pool.model.hold("poison")
    pool.model.partial["poison"] = "Once upon"
    worker = await pool.worker("w-0")
    await pool.say(1, "poison")
    for number in range(1, 4):
        worker = await heir_of(pool, worker, f"w-{number}")
    await worker.answer(ONE)
    first, second = pool.telegram.chat(ONE).shown.values()
    assert (first, without_reference(second)) == ("Once upon", phrase("poison"))
    assert pool.telegram.delivered[-1][1].disarms == tuple(pool.telegram.noted)


@pytest.mark.promise("retry-undo")
@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (TurnFailed("tell", "The model declined.", "content filter"), "The model declined."),
        (TurnFailed("retry", "busy", "503"), f"{phrase('outage')} {phrase('press-retry')}"),
        (ValueError("a defect"), phrase("defect")),
    ],
)
async def test_words_of_a_turn_that_fails_stay_above_its_apology(pool: Pool, problem: Exception, words: str) -> None:
    worker = await pool.worker("w-one")
    pool.model.partial["bad"] = "Once upon"
    pool.model.fail("bad", *[problem] * 5)
    await pool.say(1, "bad")
    await worker.answer(ONE)
    (shown,) = pool.telegram.chat(ONE).shown.values()
    assert without_reference(shown) == f"Once upon\n\n{words}"
    assert pool.telegram.delivered[-1][1].buttons[0][0].text == phrase("button-retry")


@pytest.mark.promise("parked")
@pytest.mark.parametrize("words", ["Once upon", ""])
async def test_a_question_of_a_turn_whose_worker_died_stands_below_its_words_or_in_the_place_of_its_steps(
    pool: Pool, words: str
) -> None:
    await heir_of_a_message(pool)
    (message,) = pool.telegram.noted
    pool.telegram.edit(ONE, message, words)
    asks = await pool.worker("w-three", real=Asking())
    await pool.workers["w-two"].kill()
    await asks.answer(ONE)
    *above, question = pool.telegram.chat(ONE).shown.values()
    assert above == ([words] if words else [])
    assert "book" in question
    assert pool.telegram.delivered[-1][1].disarms == ((message,) if words else ())


@dataclass
class Breaking:
    """A runtime whose calls break after some words, which it takes back, as it does where a stream ends early."""

    broken: int

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        del request
        sink.more("Once upon")
        if not self.broken:
            return TurnResult("Once upon a time", b"history", Usage())
        self.broken -= 1
        sink.text("")
        raise TurnFailed("retry", "busy", "503")

    async def compact(self, request: TurnRequest) -> TurnResult:
        raise AssertionError


@pytest.mark.promise("retry-undo")
@pytest.mark.parametrize("broken", [1, 5])
async def test_words_that_a_broken_call_took_back_stay_until_there_is_an_answer(pool: Pool, broken: int) -> None:
    worker = await pool.worker("w-one", real=Breaking(broken))
    await pool.say(1, "please")
    await worker.answer(ONE)
    (shown,) = pool.telegram.chat(ONE).shown.values()
    apology = f"Once upon\n\n{phrase('outage')} {phrase('press-retry')}"
    assert without_reference(shown) == ("Once upon a time" if broken == 1 else apology)


def test_words_of_the_try_that_said_most_count_until_the_turn_ends() -> None:
    seen = SeenText(ONE, {})
    seen.show("Once upon")
    seen.begin_again()
    seen.show("On")
    assert (seen.shown, seen.kept, seen.seen) == ("On", "Once upon", "Once upon")
    seen.begin_again()
    seen.take_back("")
    assert seen.seen == "Once upon"
    seen.show("Once again")
    seen.take_back("Once")
    assert (seen.shown, seen.seen, seen.said_most) == ("Once", "Once upon", "Once again")
    seen.goes_on()
    assert seen.said_most == "Once upon", "what was taken back was wrong"
    seen.show("Once again")
    assert seen.seen == "Once again"
    seen.shows_nothing()
    assert seen.seen == ""
