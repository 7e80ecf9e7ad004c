"""Commands that hiredis writes are those that redis-py writes."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import DataError, exceptions
from redis.asyncio.connection import Connection

from tasks.store import Store
from tasks.store.connection.packing import _packing
from tasks.store.state import StateField
from tests.support.redis_of import redis_of

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
    await redis_of(store).ping()
    pool = redis_of(store).connection_pool
    opened = list(chain(pool._available_connections, pool._in_use_connections))
    assert opened
    assert {type(one).pack_command for one in opened} == {type(PACKING).pack_command}


@asynccontextmanager
async def deaf() -> AsyncGenerator[Connection]:
    """A connection to a server that answers until it is asked to be silent, and reads no more from then on."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (said := await reader.read(2**10)) and b"SILENCE" not in said:
            writer.write(b"+OK\r\n" * said.count(b"*"))
        await over.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = _packing(Connection)(host="127.0.0.1", port=port, protocol=2, socket_timeout=0.2)
        await connection.connect()
        try:
            yield connection
        finally:
            over.set()
            await connection.disconnect(nowait=True)


async def test_a_server_that_reads_no_more_is_noticed_in_time() -> None:
    async with deaf() as connection:
        await connection.send_command("SILENCE")
        with pytest.raises(exceptions.TimeoutError):
            # The system's buffers take a part.
            await connection.send_command("SET", "key", b"x" * 2**26)
        assert not connection.is_connected


async def test_a_connection_that_was_closed_is_opened_again() -> None:
    async with deaf() as connection:
        await connection.disconnect()
        await connection.send_command("PING")
        assert await connection.read_response() in ("OK", b"OK")


async def test_a_command_that_goes_out_at_once_needs_no_timer() -> None:
    called: list[str] = []
    async with deaf() as connection:
        sys.setprofile(lambda frame, event, _: called.append(frame.f_code.co_qualname) if event == "call" else None)
        try:
            await connection.send_command("SET", "key", b"x" * 500)
        finally:
            sys.setprofile(None)
        assert await connection.read_response() in ("OK", b"OK")
    assert not [name for name in called if name.endswith(("wait_for", "call_at"))]


async def test_what_is_written_behind_a_large_command_comes_behind_it() -> None:
    got = bytearray()
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(2**16):
            got.extend(said)
            await asyncio.sleep(0)
            if got.endswith(b"LAST\r\n"):
                done.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        connection = _packing(Connection)(socket_timeout=60)
        connection._reader, connection._writer = reader, writer
        large = [connection.pack_command("SET", f"key{number}", b"x" * 2**22) for number in range(3)]
        async with asyncio.TaskGroup() as group:
            for command in (*large, connection.pack_command("LAST")):
                group.create_task(connection.send_packed_command(command, check_health=False), name="command")
        await done.wait()
        await connection.disconnect(nowait=True)
    assert bytes(got) == b"".join(piece for command in (*large, [b"*1\r\n$4\r\nLAST\r\n"]) for piece in command)
