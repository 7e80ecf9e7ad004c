"""Servers at which each person logs in: the real runtime, the MCP SDK's own authorization server, a real Valkey."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tasks.config.settings import Settings, load
from tasks.envelope import Sender
from tasks.errors import Misconfigured
from tasks.store import Store, connect
from tests.runtime.logins import ANN, BEN, BOT, CANCELLED, GROUP, SECRET, Turn, comes_back, link_of
from tests.runtime.support import Screen, StillClock, card, inbound
from tests.runtime.test_steering import Waiting
from tests.support.login_server import LoginServer, login_server
from tests.support.model import Model
from workers.runtime.cards.checks import check_cards
from workers.runtime.conversation.history import decode
from workers.runtime.engine import Engine
from workers.steps import PersonsAnswer

type Opened = Callable[..., AbstractAsyncContextManager[Engine]]
pytestmark = pytest.mark.usefixtures("model")


@pytest.fixture
async def calendar() -> AsyncGenerator[LoginServer]:
    async with login_server() as server:
        yield server


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": f"{BOT}:token", "COHORT_SECRET_KEY": SECRET})


@pytest.fixture
def configured(config: Path, cards: Path, calendar: LoginServer) -> Callable[..., None]:
    """The assistant has the calendar; keyword arguments are its further settings."""

    def configure(**more: object) -> None:
        content = yaml.safe_load(config.read_text())
        server = {"transport": "http", "url": f"{calendar.url}/mcp", "isolation": "user", **more}
        content["mcp"] = {"servers": {"calendar": server}}
        config.write_text(yaml.safe_dump(content))
        card(cards, "assistant.md", "---\nname: assistant\nmodel: generic.mock\nservers: [calendar]\n---\nYou.\n")

    configure()
    return configure


@pytest.fixture
def opened(
    configured: Callable[..., None], settings_of: Callable[..., Settings], clock: StillClock, store: Store
) -> Opened:
    @asynccontextmanager
    async def open_engine(**environ: str) -> AsyncGenerator[Engine]:
        fixed = {"COHORT_SECRET_KEY": SECRET, "COHORT_PUBLIC_URL": "https://bot.example", "COHORT_LANES": "1"}
        async with Engine(settings_of(**fixed, **environ), clock, logins=store.logins) as engine:
            yield engine

    return open_engine


@pytest.mark.promise("login-goes-on")
@pytest.mark.promise("login-sealed")
async def test_a_turn_waits_for_a_login_and_another_worker_goes_on_with_it(
    opened: Opened, store: Store, calendar: LoginServer, caplog: pytest.LogCaptureFixture, model: Model
) -> None:
    caplog.set_level(logging.DEBUG, "cohort")
    turn = Turn("CALL:cohort_login THEN CALL:whoami")
    async with opened() as engine:
        question = await turn.parks(engine)
    assert question.text == "Please log in to calendar so I can go on. The page is at 127.0.0.1."
    assert question.link.startswith(f"{calendar.url}/authorize?")
    await comes_back(store, await calendar.browse(question.link, "ann"))
    async with opened() as engine:
        result = await turn.told().answered(engine)
        assert "tool=The person is logged in at calendar" in result.text
        assert '"result":"things of ann"' in result.text
        again = await Turn("CALL:whoami").answered(engine)
        assert "things of ann" in again.text
        assert "cohort_login" not in str(model.journal[-1].tools), "nothing stands in for tools that are there"
    assert calendar.accounts.counts["registered"] == calendar.accounts.counts["exchanged"] == 1
    secrets = [*calendar.accounts.access, *calendar.accounts.refresh]
    seen = [caplog.text, str(turn.steps.kept), str(decode(result.history)), str(question), str(list(model.journal))]
    assert len(secrets) == 2
    assert not [secret for secret in secrets if any(secret in text for text in seen)]


@pytest.mark.promise("logins-own")
async def test_two_people_of_one_lane_never_share_a_login(
    opened: Opened, store: Store, calendar: LoginServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened() as engine:
        first = await Turn("CALL:cohort_login THEN CALL:whoami").logs_in(engine, store, calendar, "ann")
        assert "things of ann" in first.text
        other = Turn("CALL:whoami CALL:cohort_login", BEN)
        question = await other.parks(engine)
        assert calendar.calls == ["ann"], "the server's tools are not there for one who has no login"
        assert "ann" not in str(question)
        await comes_back(store, await calendar.browse(question.link, "ben"))
        await other.told().answered(engine)
        for person, account in ((BEN, "ben"), (ANN, "ann"), (BEN, "ben")):
            assert f"things of {account}" in (await Turn("CALL:whoami", person).answered(engine)).text
        # In a group it is the person who asks, and the lane is warm for the group.
        for person, account in ((ANN, "ann"), (BEN, "ben"), (ANN, "ann")):
            assert f"things of {account}" in (await Turn("CALL:whoami", GROUP, person).answered(engine)).text
        assert engine.lanes.made == 1
        several = await Turn("CALL:whoami CALL:cohort_login", GROUP, ANN, BEN).answered(engine)
        assert "several people are answered at once" in several.text
    assert calendar.calls == ["ann", "ben", "ben", "ann", "ben", "ann", "ben", "ann"]
    assert "journal.diverged" not in caplog.text


@pytest.mark.promise("logins-own")
async def test_in_a_group_no_link_is_shown_and_the_private_chat_has_it(
    opened: Opened, store: Store, calendar: LoginServer
) -> None:
    turn = Turn("CALL:cohort_login THEN CALL:whoami", GROUP, ANN)
    async with opened() as engine:
        question = await turn.parks(engine)
        assert question.link == ""
        assert "://" not in question.text
        assert "send me /login there" in question.text
        await comes_back(store, await calendar.browse(await link_of(store, ANN), "ann"))
        assert "things of ann" in (await turn.told().answered(engine)).text


async def test_a_person_who_does_not_log_in_or_is_not_there_is_told_to_the_model(opened: Opened, store: Store) -> None:
    async with opened() as engine:
        turn = Turn("CALL:cohort_login")
        await turn.parks(engine)
        assert "does not want to log in" in (await turn.told(CANCELLED).answered(engine)).text
        turn = Turn("CALL:cohort_login")
        await turn.parks(engine)
        assert (
            "wrote instead: later" in (await turn.told(PersonsAnswer("words", "later", "later")).answered(engine)).text
        )
        assert "no person to ask" in (await Turn("CALL:cohort_login", asks=False).answered(engine)).text


async def test_a_login_that_was_not_completed_is_asked_for_again_with_another_link(
    opened: Opened, store: Store, calendar: LoginServer, clock: StillClock
) -> None:
    turn = Turn("CALL:cohort_login THEN CALL:whoami")
    async with opened() as engine:
        first = await turn.parks(engine)
        await comes_back(store, await calendar.browse(first.link, "ann"), code="another")
        second = await turn.told().parks(engine)
        assert second.text.startswith("That login didn't work. ")
        assert second.link != first.link
        await comes_back(store, await calendar.browse(second.link, "ann"))
        assert "things of ann" in (await turn.told().answered(engine)).text


@pytest.mark.promise("login-refreshed")
async def test_a_login_that_ends_in_the_middle_of_a_call_is_asked_for_and_the_call_is_made_once(
    opened: Opened, store: Store, calendar: LoginServer, clock: StillClock
) -> None:
    async with opened() as engine:
        await Turn("CALL:cohort_login").logs_in(engine, store, calendar, "ann")
        await Turn('CALL:whoami{"words": "first"}').answered(engine)
        calendar.before_call["refreshed"] = calendar.accounts.end_access
        result = await Turn('CALL:whoami{"words": "refreshed"}').answered(engine)
        assert "things of ann" in result.text
        assert calendar.accounts.counts["refreshed"] == 1
        calendar.before_call["third"] = calendar.accounts.revoke
        turn = Turn('CALL:whoami{"words": "third"}')
        question = await turn.parks(engine)
        login = await store.logins.read(BOT, ANN, "calendar")
        assert login is not None
        assert not login.is_linked
        await comes_back(store, await calendar.browse(question.link, "ann"))
        assert "things of ann" in (await turn.told().answered(engine)).text
        begun = [entry for entry in turn.steps.kept if b'"begun"' in entry or b"whoami" in entry]
    assert calendar.calls == ["ann first", "ann refreshed", "ann third"]
    assert begun


@pytest.mark.promise("logout")
async def test_after_a_logout_no_further_turn_uses_the_login_though_the_lane_is_warm(
    opened: Opened, store: Store, calendar: LoginServer
) -> None:
    async with opened() as engine:
        await Turn("CALL:cohort_login").logs_in(engine, store, calendar, "ann")
        await store.logins.change(BOT, ANN, "calendar", lambda _: None)
        turn = Turn("CALL:whoami CALL:cohort_login")
        await turn.parks(engine)
        assert calendar.calls == []
        await comes_back(store, await calendar.browse(turn.question.link, "other account"))
        await turn.told().answered(engine)
        assert "things of other account" in (await Turn("CALL:whoami").answered(engine)).text


async def test_a_server_that_is_away_is_told_to_the_model_and_costs_no_login(
    opened: Opened, store: Store, calendar: LoginServer, configured: Callable[..., None]
) -> None:
    configured(url="http://127.0.0.1:9/mcp")
    async with opened() as engine:
        result = await Turn("CALL:cohort_login").answered(engine)
    assert "cannot be begun at present" in result.text


async def test_without_a_key_a_worker_says_in_one_line_which_setting_is_missing(
    configured: Callable[..., None], settings_of: Callable[..., Settings], clock: StillClock, redis_url: str
) -> None:
    async with connect(load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": f"{BOT}:token"})) as store:
        with pytest.raises(Misconfigured, match=r"^COHORT_SECRET_KEY is not set: people log in at calendar"):
            async with Engine(settings_of(), clock, logins=store.logins):
                pass


def test_a_server_of_a_persons_own_needs_an_address(
    configured: Callable[..., None], settings_of: Callable[..., Settings]
) -> None:
    configured(url=None, command="calendar", transport="stdio")
    (problem,) = check_cards(settings_of())
    assert problem.what == "server calendar has isolation: user and no url"


@pytest.mark.promise("logins-own")
async def test_what_another_person_writes_does_not_join_a_turn_that_acts_for_one(
    opened: Opened, store: Store, calendar: LoginServer
) -> None:
    other = inbound(GROUP, "all of it", update=2, sender=Sender(id=BEN, name="Ben"))
    own = inbound(GROUP, "and again", update=3, sender=Sender(id=ANN, name="Ann"))
    async with opened() as engine:
        await Turn("CALL:cohort_login").logs_in(engine, store, calendar, "ann")
        for joining, given in ((other, []), (own, [own])):
            turn = Turn("CALL:whoami", GROUP, ANN)
            steering = Waiting({2: (joining,)})
            await engine.run(replace(turn.request, steering=steering), Screen())
            assert steering.given == given


@pytest.mark.promise("login-rights")
async def test_a_call_that_needs_more_rights_asks_for_them_and_is_made_once_on_any_worker(
    opened: Opened, store: Store, calendar: LoginServer
) -> None:
    calendar.needs["pay"] = "write"
    turn = Turn('CALL:whoami{"words": "pay"}')
    async with opened() as engine:
        await Turn("CALL:cohort_login").logs_in(engine, store, calendar, "ann")
        question = await turn.parks(engine)
        assert question.text.startswith("calendar wants more rights for this than you've given me there. ")
        assert "scope=write" in question.link
        assert "things of ann" in (await Turn('CALL:whoami{"words": "look"}').answered(engine)).text
    await comes_back(store, await calendar.browse(question.link, "ann"))
    async with opened() as engine:
        assert "things of ann" in (await turn.told().answered(engine)).text
        calendar.needs["read"] = "read"
        more = await Turn('CALL:whoami{"words": "read"}').parks(engine)
        assert "scope=write+read" in more.link, "what was given is asked for as well"
    assert calendar.calls == ["ann look", "ann pay"]


@pytest.mark.promise("login-rights")
async def test_a_person_who_gives_no_more_rights_keeps_the_login_and_is_not_asked_for_other_calls(
    opened: Opened, store: Store, calendar: LoginServer
) -> None:
    calendar.needs["pay"] = "write"
    async with opened() as engine:
        await Turn("CALL:cohort_login").logs_in(engine, store, calendar, "ann")
        turn = Turn('CALL:whoami{"words": "pay"} THEN CALL:whoami{"words": "look"}')
        await turn.parks(engine)
        result = await turn.told(CANCELLED).answered(engine)
        assert "does not want to log in at calendar" in result.text
        assert "things of ann" in result.text
    assert calendar.calls == ["ann look"]


@pytest.mark.promise("login-rights")
async def test_where_the_rights_that_are_wanted_were_given_nothing_is_asked(
    opened: Opened, store: Store, calendar: LoginServer
) -> None:
    calendar.needs["pay"] = "write"
    async with opened() as engine:
        await Turn("CALL:cohort_login").logs_in(engine, store, calendar, "ann")
        await Turn('CALL:whoami{"words": "pay"}').logs_in(engine, store, calendar, "ann")
        calendar.gives_nothing = True
        result = await Turn('CALL:whoami{"words": "pay"}').answered(engine)
    assert "things of ann" not in result.text
    assert calendar.calls == ["ann pay"]
