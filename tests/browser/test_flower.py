"""Flower's pages and buttons as `cohort up` starts it, while 20 chats talk."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playground.client import PlaygroundClient
from tests.browser.chromium import Browser, Watched
from tests.browser.product import Up
from tests.harness.product import ModelControl
from tests.harness.talk import talk
from tests.support.until import until

CHATS = 20
TABS = ("pool", "broker", "queues", "tasks", "limits", "config", "system", "other")
INSTEAD = re.compile(r"COHORT_|/stop|cohort drain|cohort scale|its slots")
"""What Cohort says of an action that means nothing here: what to do."""
DEFECTS = ("AttributeError", "TypeError", "Traceback", "doorbell.broken", "HTTP/1.1 5")
BUTTONS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("pool", "worker-pool-grow", {}),
    ("pool", "worker-pool-shrink", {}),
    ("pool", "worker-pool-autoscale", {"#min-autoscale": "1", "#max-autoscale": "3"}),
    ("queues", "worker-add-consumer", {"#add-consumer-name": "chats.05"}),
    ("queues", "worker-cancel-consumer-", {}),
    ("limits", "task-rate-limit-chat.turn", {"[aria-label='Rate limit for chat.turn']": "5"}),
    ("limits", "task-timeout-soft-chat.turn", {"[aria-label='Timeout for chat.turn']": "5"}),
    ("limits", "task-timeout-hard-chat.turn", {"[aria-label='Timeout for chat.turn']": "5"}),
)
"""A tab, the beginning of a button's id in it, and what is filled in before."""


@asynccontextmanager
async def talking(people: PlaygroundClient) -> AsyncIterator[None]:
    """Inside the block 20 chats talk; at its end each has had an answer since, and none is lost."""
    over, spoken = asyncio.Event(), asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        chats = [group.create_task(talk(people, over, spoken)) for _ in range(CHATS)]
        yield
        for _ in range(CHATS):
            await spoken.acquire()
        over.set()
    assert all(one.result() for one in chats)


async def said_by(watched: Watched, button: str) -> str:
    """Press a button; the toast that it brings."""
    page = watched.page
    await page.evaluate("document.querySelectorAll('.toast').forEach((toast) => toast.remove())")
    await page.locator(f'button[id^="{button}"]').first.click()
    return await page.locator(".toast-body").last.inner_text()


async def at_running_task(watched: Watched, flower: str) -> bool:
    """Whether the page of the oldest running task shows, with its button; it may end meanwhile."""
    page = watched.page
    running = await page.context.request.get(f"{flower}/api/tasks?state=STARTED&sort_by=received&limit=1")
    for task in await running.json():
        await page.goto(f"{flower}/task/{task}")
    return await page.locator("#task-terminate").count() > 0


async def test_each_page_of_flower_shows_and_each_button_works_or_says_what_to_do_while_20_chats_talk(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    watched = await browser.page(up.flower)
    page = watched.page
    await page.locator("#workers-table a", has_text="cohort-1@").wait_for()
    worker, other = [await page.locator("#workers-table a", has_text=f"cohort-{n}@").inner_text() for n in (1, 2)]
    async with ModelControl(up.model) as model, talking(people):
        held = (await people.chat())["id"]
        await people.say(held, "HOLD:flower")
        await model.held("flower")
        for path, shown in (
            ("workers", "#workers-table tbody tr"),
            ("tasks", "#tasks-table tbody a"),
            ("broker", "table tbody tr"),
        ):
            await page.goto(f"{up.flower}/{path}")
            await page.locator(shown).first.wait_for()
            await browser.picture(watched, f"flower-{path}")
        assert await page.locator("table tbody tr", has_text="chats.").count() == 64
        await page.goto(f"{up.flower}/worker/{worker}")
        for tab in TABS:
            await page.locator(f"#worker-tab-{tab}").click()
            await page.locator(f"#tab-{tab}.active").wait_for()
            await browser.picture(watched, f"flower-worker-{tab}")
        assert (watched.errors, watched.refused()) == ([], [])

        for tab, button, filled in BUTTONS:
            await page.locator(f"#worker-tab-{tab}").click()
            for field, value in filled.items():
                await page.locator(field).fill(value)
            assert INSTEAD.search(said := await said_by(watched, button)), (button, said)
        await page.locator("#worker-group").click()
        assert INSTEAD.search(said := await said_by(watched, "worker-pool-restart")), said
        await page.locator("#worker-group").click()
        assert "refreshed" in (await said_by(watched, "worker-refresh")).lower()

        await until(lambda: at_running_task(watched, up.flower))
        assert INSTEAD.search(said := await said_by(watched, "task-terminate")), said
        await browser.picture(watched, "flower-task")
        await model.release("flower")
        await people.wait_for(held, lambda ours: any("HOLD:flower" in one.get("text", "") for one in ours))

        refused = watched.refused()
        assert [line for line in refused if not re.match(r"403 POST .*/api/", line)] == []
        assert len(refused) == len(BUTTONS) + 2, refused

        lines = len(up.process.lines)
        await page.goto(f"{up.flower}/worker/{other}")
        await page.locator("#worker-group").click()
        assert "Shutting down" in await said_by(watched, "worker-shutdown")
        await asyncio.to_thread(up.process.wait_line, "worker-2", after=lines)
        # Its supervisor starts it again, and Flower sees it under the same name.
        await page.goto(up.flower)
        online = page.locator("#workers-table tr", has_text=other).filter(has_text="Online")
        await online.wait_for()
    watched.clean()
    logs = [line for name in ("flower", "worker-1", "worker-2") for line in up.log(name).splitlines()]
    assert [line for line in logs if any(word in line for word in DEFECTS)] == []
