"""A conversation begun with one model goes on with any other: each server is as strict as the real one."""

from pathlib import Path

import pytest

from tests.runtime.support import MODELS, TOOL, Open, Screen, ask, card
from tests.support.model import Model
from tests.support.strict import CALLED, Strict
from workers.interfaces import TurnFailed
from workers.runtime.conversation import history
from workers.runtime.engine import Engine


async def talk(engine: Engine, remembered: bytes | None, model: str) -> bytes:
    """A turn with a tool and a plain one."""
    called = await engine.run(ask(1, "CALL it", history=remembered, model=model), Screen())
    assert called.text.startswith(CALLED)
    plain = await engine.run(ask(1, "and then?", history=called.history, model=model), Screen())
    assert plain.text == f"answer of {model.partition('.')[2]}"
    return plain.history


@pytest.mark.promise("history-fits")
@pytest.mark.parametrize("first", MODELS)
async def test_a_conversation_begun_with_one_model_goes_on_with_every_other_and_back(
    runtime: Open, strict: Strict, between: str, first: str
) -> None:
    async with runtime(COHORT_LANES="1", COHORT_MODELS=between) as engine:
        begun = await talk(engine, None, MODELS[first])
        for second in MODELS.values():
            gone_on = await talk(engine, begun, second)
            back = await engine.run(ask(1, "back", history=gone_on, model=MODELS[first]), Screen())
            said = [message.all_text() for message in history.decode(back.history).messages if message.role == "user"]
            assert [text for text in said if text] == [*["CALL it", "and then?"] * 2, "back"]
    assert strict.refused == []


@pytest.mark.promise("history-fits")
@pytest.mark.parametrize("first", ["anthropic", "mistral", "google"])
async def test_a_shortened_conversation_goes_on(runtime: Open, strict: Strict, between: str, first: str) -> None:
    async with runtime(COHORT_LANES="1", COHORT_MODELS=between) as engine:
        remembered = await talk(engine, None, MODELS[first])
        for _ in range(2):
            remembered = await talk(engine, remembered, MODELS[first])
        shorter = await engine.compact(ask(1, "", history=remembered, model=MODELS[first]))
        assert shorter.text.startswith("Done. ")
        for other in (first, "mistral", "anthropic"):
            await talk(engine, shorter.history, MODELS[other])
    assert strict.refused == []


@pytest.mark.promise("history-fits")
async def test_a_history_that_is_refused_for_a_reason_of_the_providers_own_goes_as_words_alone(
    runtime: Open, strict: Strict, between: str
) -> None:
    async with runtime(COHORT_LANES="1", COHORT_MODELS=between) as engine:
        remembered = await talk(engine, None, MODELS["openai"])
        strict.words_only = True
        for _ in range(2):
            answered = await engine.run(ask(1, "and now?", history=remembered, model=MODELS["openai"]), Screen())
            assert answered.text == "answer of gpt-4.1-mini"
            remembered = answered.history
        assert len(strict.refused) == 1, "what is remembered is what was taken"
        told = "\n".join(message.all_text() for message in history.decode(remembered).messages)
        assert "[called lookup with {'of': 'x'}]" in told
        assert "[result: found x]" in told


@pytest.mark.promise("history-fits")
async def test_a_request_that_is_refused_after_a_tool_ran_is_not_begun_again(
    runtime: Open, strict: Strict, between: str, cards: Path
) -> None:
    noted = "    from pathlib import Path\n    Path(__file__).with_name('ran').open('a').write('x')\n"
    card(cards, "tools.py", TOOL.replace("    return", f"{noted}    return"))
    async with runtime(COHORT_LANES="1", COHORT_MODELS=between) as engine:
        remembered = await talk(engine, None, MODELS["mistral"])
        strict.words_only = True
        plain = await engine.run(ask(1, "so?", history=remembered, model=MODELS["openai"]), Screen())
        (cards / "ran").unlink()
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "CALL it", history=plain.history, model=MODELS["openai"]), Screen())
    assert failure.value.action == "tell"
    assert (cards / "ran").read_text() == "x"


@pytest.mark.promise("choice-per-session")
async def test_a_summary_and_the_turn_behind_it_are_the_chosen_models(runtime: Open, model: Model) -> None:
    async with runtime(COHORT_LANES="1", COHORT_MODELS="generic.other", COHORT_HISTORY_MESSAGES="6") as engine:
        remembered = None
        for number in range(5):
            answered = await engine.run(ask(1, f"{number}", history=remembered, model="generic.other"), Screen())
            remembered = answered.history
        model.fault(status=400, code="context_length_exceeded")
        await engine.run(ask(1, "long", history=remembered, model="generic.other"), Screen())
    assert {call.model for call in model.journal} == {"other"}
