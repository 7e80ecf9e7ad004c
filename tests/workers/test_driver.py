"""What Redis shows of our connections, and what they ask when they open."""

import pytest
import redis
from kombu import Connection
from redis.asyncio import Redis

from tasks.config.settings import Settings
from tasks.store import connect
from tests.support.redis_of import redis_of
from workers.process.broker import Transport


async def test_connections_say_what_they_are_and_do_not_look_for_it_among_what_is_installed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def searched() -> str:
        raise AssertionError("by each connection")

    monkeypatch.setattr("redis.utils.get_lib_version", searched)
    async with connect(settings) as store:
        with Connection(settings.redis_url, transport=Transport) as celery:
            assert celery.default_channel.client.ping()
            shown = await redis_of(store).client_list()
    assert len(shown) >= 3
    assert {(one["lib-name"], one["lib-ver"]) for one in shown} == {("redis-py", redis.__version__)}


async def test_a_new_connection_asks_nothing_that_is_refused(settings: Settings) -> None:
    async with connect(settings) as store:
        redis = redis_of(store)
        connected, refused = await _connections_and_refusals(redis)
        with Connection(settings.redis_url, transport=Transport) as celery:
            assert celery.default_channel.client.ping()
        async with connect(settings) as another:
            assert await redis_of(another).ping()
        then_connected, then_refused = await _connections_and_refusals(redis)
    assert then_connected >= connected + 2
    assert then_refused == refused


async def _connections_and_refusals(client: Redis) -> tuple[int, int]:
    told = await client.info("stats")
    return told["total_connections_received"], told["total_error_replies"]
