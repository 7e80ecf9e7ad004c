"""What Redis shows of our connections."""

import pytest
import redis
from kombu import Connection

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
