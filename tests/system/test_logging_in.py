"""A person logs in at a server from within a turn, over real processes: a browser comes back while no worker lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bot.logins import texts as login_texts
from playground.client import PlaygroundClient
from tests.harness.nursery import nursery
from tests.harness.product import Harness, ModelControl
from tests.harness.valkey import Valkey
from tests.support.login_server import LoginServer, came_back, login_server, until
from tests.support.ports import free_port

CONFIG = """
mcp:
  servers:
    calendar: {{transport: http, url: "{url}/mcp", isolation: user}}
"""
CARD = "---\nname: assistant\ndefault: true\nservers: [calendar]\n---\nYou.\n"


class Office:
    """A system of its own, whose agent has a calendar for each person."""

    def __init__(self, harness: Harness, people: PlaygroundClient, calendar: LoginServer) -> None:
        self.harness, self.people, self.calendar = harness, people, calendar


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    valkey = Valkey(tmp_path / "valkey")
    valkey.start()
    async with AsyncExitStack() as stack:
        stack.callback(valkey.end)
        calendar = await stack.enter_async_context(login_server())
        own = stack.enter_context(Harness(tmp_path / "h", valkey.url, await asyncio.to_thread(nursery)))
        own.environ["COHORT_SECRET_KEY"] = "0123456789abcdef0123456789abcdef"
        # It stands in the login page's link, so it has to be known before.
        own.environ["COHORT_WEBHOOK_PORT"] = str(free_port())
        with (own.home / "fastagent.config.yaml").open("a") as config:
            config.write(CONFIG.format(url=calendar.url))
        (own.home / "cards" / "assistant.md").write_text(CARD)
        playground, url = own.playground(), own.model()
        own.worker(ready=False)
        own.bot()
        people = await stack.enter_async_context(PlaygroundClient(playground))
        await stack.enter_async_context(ModelControl(url))
        yield Office(own, people, calendar)


@pytest.mark.promise("login-goes-on")
async def test_a_person_comes_back_while_no_worker_lives_and_the_turn_goes_on_with_their_calendar(
    office: Office,
) -> None:
    harness, people = office.harness, office.people
    chat = (await people.chat())["id"]
    await people.say(chat, "CALL:cohort_login THEN CALL:whoami")
    # A message that grows for long has a button, too.
    ours = await people.wait_for(chat, lambda ours: any("Log in" in str(one.get("reply_markup")) for one in ours))
    question = next(one for one in ours if "Log in" in str(one.get("reply_markup")))
    (page,), (cancel,) = question["reply_markup"]["inline_keyboard"]
    assert (page["text"], cancel["text"]) == ("Log in", "Cancel")
    for process in harness.workers.values():
        process.kill()
    back = await office.calendar.browse(page["url"], "ann")
    address = f"{urlsplit(back).scheme}://{urlsplit(back).netloc}{urlsplit(back).path}"
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as browser:
        asked = await browser.get(back)
        assert "use your account at calendar" in asked.text
        done = await browser.post(address, data=came_back(back))
        assert login_texts.linked("calendar") in done.text
    harness.worker(ready=False)
    await people.wait_for(chat, lambda ours: bool(ours) and "things of ann" in ours[-1]["text"], timeout=90)
    await people.wait_for(
        chat, lambda ours: any("Logged in." in one["text"] and "reply_markup" not in one for one in ours)
    )
    await people.say(chat, "/logout calendar")
    await people.wait_for(chat, lambda ours: ours[-1]["text"] == login_texts.logged_out("calendar", tells=True))
    await until(lambda: office.calendar.accounts.counts["revoked"] == 1)
