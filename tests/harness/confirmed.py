"""Writes messages and answers while servers fail over, and looks afterwards for those whose write was confirmed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tasks.config.settings import load
from tasks.envelope import Inbound, Reply
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store, connect
from tasks.store.intake import Accept
from tasks.store.sessions import Claim, Commit
from tests.harness.failover import Failover

BOT = 4242
_LONG = timedelta(minutes=5)
_PATIENCE_S = 60.0
_LANES = 4


class Writer:
    """Accepts messages and answers them, and keeps what was confirmed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.accepted: set[int] = set()
        self.answered: set[int] = set()
        self.stopping = asyncio.Event()
        self._answer = asyncio.Event()

    async def run(self, start: int) -> None:
        update = start
        while not self.stopping.is_set():
            update += 1
            session = SessionKey(BOT, update)
            inbound = Inbound(session=str(session), update_id=update, at=1.0, text="hi")
            with suppress(StoreUnavailable):
                await self._store.intake.accept(BOT, [Accept(update, inbound=inbound)])
                self.accepted.add(update)
                await self._store.members.beat("w-one", WorkerStatus(), _LONG)
                claim = await self._store.sessions.claim(session, "w-one")
                assert isinstance(claim, Claim)
                await self._store.sessions.commit(claim, Commit(1, [Reply(text="answer", answers=(update,))]))
                self.answered.add(update)
                self._answer.set()

    async def answers(self, more: int) -> None:
        """Wait until so many more are answered."""
        wanted = len(self.answered) + more
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.answered) < wanted:
                self._answer.clear()
                await self._answer.wait()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """How many answers were confirmed, and the updates of confirmed messages and answers that are not there."""

    answers: int
    lost: list[int]
    unsaid: list[int]


async def confirmed_over(
    group: Failover, failovers: Sequence[Callable[[], Awaitable[None]]], *, url: str = "", each: int = 20
) -> Confirmed:
    """Write over all of the failovers, at least ``each`` answers behind each; ``url``: in place of Sentinel's."""
    settings = load({"REDIS_URL": url or group.url, "TELEGRAM_BOT_TOKEN": f"{BOT}:t", "COHORT_WAIT_REPLICAS": "1"})
    async with connect(settings) as store, asyncio.TaskGroup() as tasks:
        writer = Writer(store)
        for lane in range(_LANES):
            tasks.create_task(writer.run(lane * 1_000_000), name=f"lane {lane}")
        for failover in failovers:
            await failover()
            await writer.answers(each)
        writer.stopping.set()
    async with Redis(host="127.0.0.1", port=await group.master()) as master:

        async def there(update: int, *parts: str) -> bool:
            return bool(await master.exists(*(f"cohort:s:{BOT}:{update}:{part}" for part in parts)))

        lost = [update for update in writer.accepted if not await there(update, "inbox", "outbox")]
        unsaid = [update for update in writer.answered if not await there(update, "outbox")]
    return Confirmed(len(writer.answered), lost, unsaid)


@asynccontextmanager
async def moving_front(group: Failover) -> AsyncGenerator[str]:
    """The URL of a TCP proxy that leads to the master, and cuts what led to the one before, as HAProxy does."""
    front = _Front(group)
    async with asyncio.TaskGroup() as tasks, await asyncio.start_server(front.connected, "127.0.0.1", 0) as server:
        moving = tasks.create_task(front.moves(), name="moves")
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        moving.cancel()
        front.cut()


class _Front:
    def __init__(self, group: Failover) -> None:
        self._group = group
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """End all connections."""
        for writer in self._open:
            writer.transport.abort()

    async def moves(self) -> None:
        """Look for the master again and again."""
        before = await self._group.master()
        while True:
            with suppress(RedisError, OSError):
                if (after := await self._group.master()) != before:
                    before = after
                    self.cut()
            await asyncio.sleep(0.1)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", await self._group.master())
            ends.add(far_writer)
            self._open |= ends
            async with asyncio.TaskGroup() as group:
                group.create_task(_carry(reader, far_writer), name="there")
                group.create_task(_carry(far_reader, writer), name="back")
        except* (RedisError, OSError):
            pass
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while said := await reader.read(2**16):
        writer.write(said)
        await writer.drain()
    raise ConnectionResetError
