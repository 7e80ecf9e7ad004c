"""Commands that hiredis writes are those that redis-py writes."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import DataError
from redis.asyncio.connection import Connection

from tasks.store import Store
from tasks.store.connection.packing import _packing
from tasks.store.state import StateField

PLAIN, PACKING = Connection(), _packing(Connection)()
ARGUMENTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.binary(max_size=30),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(list(StateField)),
    st.binary(min_size=5990, max_size=6010),
)


@given(st.sampled_from(["EVALSHA", "CLIENT SETINFO", b"GET", b"CONFIG GET"]), st.lists(ARGUMENTS, max_size=8))
def test_what_goes_over_the_wire_is_the_same(name: str | bytes, args: list[str | bytes | int | float]) -> None:
    assert b"".join(PACKING.pack_command(name, *args)) == b"".join(map(bytes, PLAIN.pack_command(name, *args)))
    many = [(name, *args), ("PING",)]
    assert b"".join(PACKING.pack_commands(many)) == b"".join(map(bytes, PLAIN.pack_commands(many)))


@pytest.mark.parametrize("wrong", [None, [], {}, object()], ids=repr)
def test_what_is_no_argument_is_refused_the_same_way(wrong: object) -> None:
    for one in (PLAIN, PACKING):
        with pytest.raises(DataError):
            one.pack_command("SET", "key", wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", ["\ud800", "a\udfff"])
def test_half_a_character_is_refused_the_same_way(words: str) -> None:
    for one in (PLAIN, PACKING):
        with pytest.raises(UnicodeEncodeError):
            one.pack_command("SET", "key", words)


async def test_the_connections_of_a_store_pack_so(store: Store) -> None:
    await store.redis.ping()
    pool = store.redis.connection_pool
    opened = list(chain(pool._available_connections, pool._in_use_connections))
    assert opened
    assert {type(one).pack_command for one in opened} == {type(PACKING).pack_command}
