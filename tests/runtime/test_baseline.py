"""A baseline puts everything back that can be changed: attributes, slots, lists, mappings, sets, however deep."""

from collections import Counter, deque
from collections.abc import Callable

import pytest
from fast_agent.agents.agent_types import AgentConfig
from fast_agent.llm.memory import SimpleMemory
from fast_agent.llm.usage_tracking import UsageAccumulator
from fast_agent.types import RequestParams
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.reachable import picture
from workers.runtime.lanes.baseline import Baseline


def _holding(value: object) -> SimpleMemory:
    """An object of fast-agent with an attribute."""
    memory = SimpleMemory()
    memory.__dict__["held"] = value
    return memory


LEAVES = st.one_of(st.integers(), st.text(max_size=3), st.none(), st.booleans())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=4),
        st.sets(st.integers(), max_size=4),
        st.builds(Counter, st.dictionaries(st.text(max_size=2), st.integers(1, 9), max_size=3)),
        st.builds(deque, st.lists(inner, max_size=3)),
        st.tuples(inner, inner),
        inner.map(_holding),
    ),
    max_leaves=20,
)


def _spoil(thing: object) -> None:
    """Change everything that is reached, in place, the deepest first."""
    match thing:
        case dict():
            for value in list(thing.values()):
                _spoil(value)
            for name in list(thing):
                thing[name] = 41
            thing["new"] = 42
        case list() | deque():
            for value in list(thing):
                _spoil(value)
            thing.append("new")
            thing.reverse()
        case set():
            thing.clear()
            thing.add("new")
        case tuple():
            for value in thing:
                _spoil(value)
        case SimpleMemory():
            _spoil(thing.__dict__)
        case _:
            pass


@given(TREES)
def test_whatever_is_changed_is_put_back(tree: object) -> None:
    root = [tree]
    before = picture(root)
    kept = Baseline(root)
    for _ in range(2):
        _spoil(root)
        kept.restore()
        assert picture(root) == before


def test_a_thing_that_was_exchanged_for_an_equal_one_is_the_old_one_again() -> None:
    config = AgentConfig("a", default_request_params=RequestParams(model="m"))
    own, servers = config.default_request_params, config.servers
    kept = Baseline([config])
    config.default_request_params = RequestParams(model="m")
    config.servers = []
    kept.restore()
    assert config.default_request_params is own
    assert config.servers is servers


def test_a_pydantic_object_forgets_what_was_set() -> None:
    params = RequestParams(model="m")
    usage = UsageAccumulator()
    before = picture([params, usage])
    kept = Baseline([params, usage])
    params.temperature = 0.5
    params.max_iterations = 3
    del params.model
    kept.restore()
    assert picture([params, usage]) == before
    assert params.model_fields_set == {"model"}


@pytest.mark.parametrize("shared", [True, False])
def test_what_others_share_is_left_alone(*, shared: bool) -> None:
    config = AgentConfig("a")
    kept = Baseline([config], outside=[config] if shared else ())
    config.model = "other"
    kept.restore()
    assert config.model == ("other" if shared else None)


def _counter() -> tuple[Callable[[], int], set[int]]:
    count, seen = 0, set[int]()

    def step() -> int:
        nonlocal count
        count += 1
        seen.add(count)
        return count

    return step, seen


@pytest.mark.parametrize("maker", ["fast_agent.agents.subagent_tool", "agent_cards.tools"])
def test_what_fast_agents_functions_share_with_their_maker_is_put_back_and_an_operators_is_not(
    maker: str,
) -> None:
    step, seen = _counter()
    step.__module__ = maker
    kept = Baseline([step])
    assert step() == 1
    kept.restore()
    ours = maker.startswith("fast_agent.")
    assert (step(), seen) == (1 if ours else 2, {1} if ours else {1, 2})
