"""What a call costs, as providers count it: told as each call ends, and counted where they contradict themselves."""

from dataclasses import replace
from typing import Any

import pytest

from tests.runtime.streams import DONE, Plays, chunk, said, sse
from tests.runtime.support import Configure, Open, Screen, ask
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.usage import MOST_TOKENS, CallSeen, Usage


async def told(engine: Any, text: str, **more: Any) -> list[tuple[int, int]]:
    """What a turn was said to cost, call by call."""
    heard: list[Usage] = []
    request = replace(ask(1, text, **more), spent=heard.append)
    try:
        await engine.run(request, Screen())
    except TurnFailed:
        heard.append(Usage(-1, -1))
    return [(usage.input_tokens, usage.output_tokens) for usage in heard]


@pytest.mark.promise("budgets")
@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}, (5, 7)),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 99}, (5, 7)),
        ({"prompt_tokens": -5, "completion_tokens": 7, "total_tokens": 2}, (0, 7)),
        ({"prompt_tokens": 5.5, "completion_tokens": 7, "total_tokens": 12.5}, (5, 7)),
        ({"prompt_tokens": "5", "completion_tokens": "7", "total_tokens": "12"}, (5, 7)),
        ({"prompt_tokens": 2**63 - 1, "completion_tokens": 2**70, "total_tokens": 1}, (MOST_TOKENS, MOST_TOKENS)),
        ({"prompt_tokens": "many", "completion_tokens": [], "total_tokens": {}}, (0, 0)),
        ({"prompt_tokens": 5, "completion_tokens": 7}, (5, 7)),
    ],
)
async def test_a_count_that_contradicts_itself_is_counted_as_far_as_it_can_be_read(
    runtime: Open, model: Model, usage: dict[str, Any], counted: tuple[int, int]
) -> None:
    async with runtime() as engine:
        model.fault(match="hello", usage=usage)
        assert await told(engine, "hello") == [counted]


@pytest.mark.promise("budgets")
async def test_each_call_of_a_turn_is_told_as_it_ends_also_when_the_turn_fails(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        model.fault(match="hello", finish="content_filter", times=None)
        heard = await told(engine, "hello")
    assert heard[-1] == (-1, -1)
    assert [count for count in heard[:-1] if count[0] > 0] == heard[:-1] != []


async def test_each_model_call_is_told_with_its_model_its_length_and_whether_it_failed(
    runtime: Open, model: Model
) -> None:
    seen: list[CallSeen] = []
    async with runtime() as engine:
        usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
        model.fault(match="hello", usage=usage)
        await engine.run(replace(ask(1, "hello"), called=seen.append), Screen())
        (call,) = seen
        assert (call.input_tokens, call.output_tokens, call.failed) == (5, 7, False)
        assert call.agent
        assert call.model
        assert call.seconds > 0
        seen.clear()
        model.fault(match="again", status=400, times=None)
        with pytest.raises(TurnFailed):
            await engine.run(replace(ask(1, "again"), called=seen.append), Screen())
    assert {call.failed for call in seen} == {True}


@pytest.mark.promise("budgets")
async def test_a_call_whose_server_counts_nothing_costs_what_was_read_of_it(
    runtime: Open, configure: Configure
) -> None:
    async with Plays(sse(*said("well " * 100), chunk({}, "stop")) + DONE) as server:
        configure({"generic": {"api_key": "secret-key", "base_url": f"{server.url}/v1"}})
        async with runtime() as engine:
            (counted,) = await told(engine, "hello")
    assert counted == (0, 125), "four characters a token"


async def test_an_echo_and_an_error_cost_nothing(runtime: Open, model: Model) -> None:
    async with runtime(COHORT_MODEL="passthrough") as engine:
        assert sum(map(sum, await told(engine, "hello " * 50))) == 0
    model.fault(status=401, message="wrong key " * 50)
    async with runtime() as engine:
        assert await told(engine, "hello") == [(-1, -1)]
