"""Two processes of one bot behind a webhook: each hears a part of what a group says, and they answer as one."""

from pathlib import Path

import httpx
from redis.asyncio import Redis

from tasks import keys
from tasks.envelope import Inbound
from tests.bot.test_albums import part
from tests.bot.test_process import bot, given, told
from tests.bot.updates import BEN, GROUP, said
from tests.conftest import BOT
from tests.support.ports import free_port

__all__ = ["given"]

SECRET = "a-secret-of-decent-length"


async def test_albums_and_context_are_whole_whichever_process_hears_their_parts(
    tmp_path: Path, given: dict[str, str], redis_url: str
) -> None:
    first, second = (f"http://127.0.0.1:{free_port()}/hook" for _ in range(2))
    hook = {"COHORT_WEBHOOK_SECRET": SECRET}
    updates = [
        (first, said("at 8?", sender=BEN, chat=GROUP, message_id=1, update_id=11)),
        (second, said("at 9", chat=GROUP, message_id=2, update_id=12)),
        (first, part(3)),
        (second, part(4, "@cohort_playground_bot whose are these?")),
        (first, part(5)),
    ]
    async with (
        bot(tmp_path, by_exec=False, **(given | hook | at(first))) as one,
        bot(tmp_path, by_exec=False, **(given | hook | at(second))) as other,
        httpx.AsyncClient(headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}) as telegram,
    ):
        for process in (one, other):
            await told(process, "bot.ready", "lease.")
        for url, update in updates:
            assert (await telegram.post(url, json=update)).status_code == 200
    async with Redis.from_url(redis_url) as redis:
        waiting = [Inbound.from_json(raw) for raw in await redis.lrange(keys.inbox(f"{BOT}:{GROUP.id}"), 0, -1)]
    assert [one.message_id for one in waiting] == [3, 4, 5]
    assert [said.text for one in waiting for said in one.overheard] == ["at 8?", "at 9"]


def at(url: str) -> dict[str, str]:
    return {"COHORT_WEBHOOK_URL": url, "COHORT_WEBHOOK_PORT": url.rpartition(":")[2].partition("/")[0]}
