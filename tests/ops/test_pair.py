"""`cohort pair`: the first code makes an owner, and where no code counts it says so."""

from pathlib import Path

import pytest

from ops.pairing import offer, pairing_lines
from playground.server import serving
from playground.state.world import State
from tasks.chats.access import Access, Mode, Person, mode_of
from tasks.chats.pairing import is_code, link
from tasks.config.settings import load
from tasks.store import Store
from tests.conftest import BOT, TOKEN
from tests.harness.command import cohort

AWAY = "http://127.0.0.1:1"


@pytest.mark.promise("pairing")
async def test_the_first_code_makes_an_owner_and_later_ones_members(redis_url: str, store: Store) -> None:
    settings = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": AWAY})
    first = await offer(settings, store, None)
    assert first.role == "owner"
    assert first.lines[0] == f"send this to the bot: /start {first.code}"
    assert await store.people.pair(BOT, first.code, 7, name="Ann", has=None) == "owner"
    assert (await offer(settings, store, None)).role == "member"
    assert (await offer(settings, store, "admin")).role == "admin"


@pytest.mark.promise("pairing")
async def test_cohort_up_shows_a_code_and_its_link_until_the_bot_has_an_owner(redis_url: str, store: Store) -> None:
    playground = State(token=TOKEN)
    async with serving(playground) as url:
        settings = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": url})
        address, shown, who = await pairing_lines(settings, (), store)
        code = shown.removeprefix("code: ")
        assert is_code(code)
        assert address == link("cohort_playground_bot", code) == f"https://t.me/cohort_playground_bot?start={code}"
        assert "becomes the owner" in who
        assert await store.people.pair(BOT, code, 7, name="Ann", has=None) == "owner"
        assert await pairing_lines(settings, (), store) == ()
        by_list = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_ACCESS": "allowlist"})
        assert await pairing_lines(by_list, (), store) == ()


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({}, "pairing"),
        ({"COHORT_ALLOW": "7"}, "allowlist"),
        ({"COHORT_ADMINS": "7"}, "allowlist"),
        ({"COHORT_ALLOW": "7", "COHORT_ACCESS": "pairing"}, "pairing"),
        ({"COHORT_ACCESS": "open"}, "open"),
    ],
)
def test_a_deployment_with_a_list_goes_on_with_its_list(given: dict[str, str], mode: Mode) -> None:
    assert mode_of(load(given)) == mode


def test_a_code_where_codes_do_not_count_is_one_clear_line(tmp_path: Path) -> None:
    done = cohort("pair", home=tmp_path, REDIS_URL="redis://127.0.0.1:1", TELEGRAM_BOT_TOKEN=TOKEN, COHORT_ALLOW="7")
    assert done.returncode == 2
    assert done.stderr == "cohort: access is `allowlist` here, which takes no codes: set COHORT_ACCESS=pairing\n"


def test_a_group_gives_its_role_to_its_people_and_a_denied_person_stays_out_of_it() -> None:
    people = {-5: Person(role="guest"), 8: Person(role="denied"), 9: Person(role="member"), -6: Person(role="denied")}
    access = Access(everybody=True, allow=frozenset(), admins=frozenset({1}), people=people)
    assert [access.role(who, -5) for who in (7, 8, 9, 1)] == ["guest", None, "member", "admin"]
    assert [access.role(who, -6) for who in (7, 9, 1)] == [None, None, "admin"]
    assert access.decide(8, 8) == "ignore"
