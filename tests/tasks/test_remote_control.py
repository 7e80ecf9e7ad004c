"""Remote control while Redis is away: what is to be told is told, or refused; no thread waits for Redis."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tasks.app import make_app
from tasks.config.settings import load
from tasks.doorbell import Doorbells
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tests.harness.valkey import Valkey

KEY = SessionKey(4242, 700)


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    server = Valkey(tmp_path)
    await asyncio.to_thread(server.start)
    yield server
    server.end()


@pytest.mark.parametrize("back", [False, True], ids=["away", "back again"])
async def test_a_command_over_a_lost_connection_is_refused_or_sent_at_once(valkey: Valkey, back: bool) -> None:
    doorbells = Doorbells(make_app(load({"REDIS_URL": valkey.url, "TELEGRAM_BOT_TOKEN": "4242:t"})), slots=64)
    await asyncio.to_thread(doorbells.interrupt, KEY)  # the connection stands
    port = valkey.kill()
    if back:
        await valkey.again(port)
        await asyncio.to_thread(doorbells.interrupt, KEY)
    else:
        with pytest.raises(StoreUnavailable, match="no worker could be told"):
            await asyncio.to_thread(doorbells.interrupt, KEY)
