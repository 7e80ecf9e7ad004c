"""What the end of a turn says of the model: a table over the kinds of faults."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.runtime.support import StillClock, ask
from workers.interfaces import TurnFailed
from workers.runtime.faults.classify import ModelSilent, ProviderFault, SetupFault, TurnTimedOut
from workers.runtime.models.breaker import CHATS_TO_OPEN, Breaker, Caller
from workers.runtime.models.choice import ModelChoice
from workers.runtime.models.outcome import reported

SHORT, LONG = "hi", "word " * 2000


async def meaning(end: Callable[[], BaseException] | None, said: str = SHORT, *, several: bool = False) -> str:
    """What a turn's end is taken for, beside the faults of one chat less than open the circuit."""
    breaker = Breaker(StillClock())
    for number in range(CHATS_TO_OPEN - 1):
        breaker.failed("m", Caller(number, number))
    problem = end() if end is not None else None
    with suppress(TurnFailed, asyncio.CancelledError):
        async with reported(breaker, ask(99, said), ModelChoice("assistant", "m"), several=several):
            if problem is not None:
                raise problem
    trouble = breaker.failing.get("m")
    if trouble is None:
        return "works"
    return "fault" if trouble.open else trouble.reason or "nothing"


def failed(kind: type[TurnFailed], action: str = "retry") -> Callable[[], TurnFailed]:
    return lambda: kind(action, "words", "m: HTTP 401")  # pyright: ignore[reportArgumentType]


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize(
    ("end", "one", "several"),
    [
        # What ended the turn; what it says of a model that answers alone, and of one among others.
        (None, "works", "works"),
        (failed(ProviderFault), "fault", "nothing"),
        (failed(ModelSilent), "fault", "nothing"),
        (failed(TurnFailed), "nothing", "nothing"),
        (failed(TurnFailed, "tell"), "works", "works"),
        (failed(TurnFailed, "operator"), "HTTP 401", "nothing"),
        (failed(SetupFault, "operator"), "nothing", "nothing"),
        (failed(TurnTimedOut, "tell"), "nothing", "nothing"),
        (asyncio.CancelledError, "nothing", "nothing"),
    ],
)
async def test_the_end_of_a_turn_says_of_the_model_no_more_than_it_shows(
    end: Callable[[], BaseException] | None, one: str, several: str
) -> None:
    assert (await meaning(end), await meaning(end, several=True)) == (one, several)


async def test_the_silence_after_a_long_request_says_nothing_and_any_other_fault_counts_as_after_a_short_one() -> None:
    assert await meaning(failed(ModelSilent), LONG) == "nothing"
    assert await meaning(failed(ProviderFault), LONG) == "fault"


@pytest.mark.parametrize(("chosen", "words"), [(True, "m"), (False, "words")])
async def test_a_model_that_the_session_chose_and_that_its_operator_must_mend_is_named_to_the_person(
    chosen: bool, words: str
) -> None:
    breaker, choice = Breaker(StillClock()), ModelChoice("assistant", "m", chosen=chosen)
    problem = TurnFailed("operator", "words", "m: HTTP 401")
    with pytest.raises(TurnFailed) as told:
        async with reported(breaker, ask(1, "hi"), choice, several=False):
            raise problem
    assert words in told.value.words
    assert (told.value.words == "words") is not chosen
