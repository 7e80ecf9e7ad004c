"""`cohort people`: who has which role, and what the operator's file keeps for it."""

import json
from pathlib import Path

import pytest

from tasks.chats.access import OperatorsWord, Person
from tasks.status.bot import BotStatus
from tasks.store import Store
from tests.harness.command import cohort


@pytest.mark.promise("roles")
async def test_people_are_listed_by_role_with_what_is_kept_for_it(store: Store, redis_url: str, tmp_path: Path) -> None:
    await store.people.put(4242, 5, Person(role="guest", name="Ben"))
    await store.people.put(4242, 6, Person(role="denied", name="Cy"))
    await store.people.publish(4242, OperatorsWord(admins=(7,)))
    await store.bots.beat("one", BotStatus(bot=4242, username="cohort_bot", mode="polling"))
    (tmp_path / "chats.yaml").write_text("roles: {tools: {'refund*': admin}}\n")
    given = {"REDIS_URL": redis_url, "COHORT_CHATS": str(tmp_path / "chats.yaml")}
    shown = cohort("people", home=tmp_path, **given).stdout.splitlines()
    assert shown == ["admin     7", "guest     5  Ben", "denied    6  Cy", "tools: refund* (admin)"]
    (tmp_path / "chats.yaml").write_text("roles: {tools: {refund: boss}}\n")
    told = json.loads(cohort("people", "--json", home=tmp_path, **given).stdout)
    assert [one["role"] for one in told["people"]] == ["admin", "guest", "denied"]
    assert "roles.tools.refund: must be owner" in told["problem"]


@pytest.mark.promise("roles")
async def test_people_are_listed_by_bot_with_its_own_rules_also_where_its_process_does_not_run(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "bots.yaml").write_text(
        "bots:\n  one: {token: $ONE, admins: 7}\n"
        f"  two: {{token: $TWO, chats: '{tmp_path}/two.yaml'}}\n"
        "  three: {token: $THREE}\n"
    )
    (tmp_path / "two.yaml").write_text("roles: {everyone: guest, tools: {pay: owner}}\n")
    (tmp_path / "chats.yaml").write_text("roles: {tools: {'refund*': admin}}\n")
    tokens = {"ONE": "101:t", "TWO": "202:t", "THREE": "303:t"}
    files = {"COHORT_CHATS": str(tmp_path / "chats.yaml"), "COHORT_BOTS": str(tmp_path / "bots.yaml")}
    given = {"REDIS_URL": redis_url, **tokens, **files}
    await store.people.put(202, 5, Person(role="guest", name="Ben"))
    await store.people.put(404, 5, Person(role="owner", name="Ben"))
    await store.bots.beat("gone", BotStatus(bot=404, username="taken_out", mode="polling"))
    shown = cohort("people", home=tmp_path, **given).stdout.splitlines()
    pair = "no one has a role yet; `cohort pair --bot three` makes a code that lets its first user in"
    refund = "tools: refund* (admin)"
    assert shown == [
        *("one (101):", "admin     7", refund),
        *("two (202):", "guest     5  Ben", "tools: pay (owner)"),
        *("three (303):", pair, refund),
        *("- (404):", "owner     5  Ben", refund),
    ]
    told = json.loads(cohort("people", "--json", home=tmp_path, **given).stdout)
    assert [(one["bot"], one["id"], one["role"]) for one in told["people"]] == [
        (101, 7, "admin"),
        (202, 5, "guest"),
        (404, 5, "owner"),
    ]
    assert [(one["name"], one["everyone"]) for one in told["bots"]] == [
        *(("one", "member"), ("two", "guest")),
        *(("three", "member"), ("", "member")),
    ]
    del given["TWO"]
    assert "202" not in cohort("people", home=tmp_path, **given).stdout, "a file that cannot be used: those that ran"


@pytest.mark.promise("owner-lost")
async def test_an_owner_who_lost_the_account_is_taken_out_and_another_is_let_in_by_a_code(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await store.people.put(4242, 5, Person(role="owner", name="Ann"))
    await store.people.put(4242, 6, Person(role="member", name="Ben"))
    before = await store.people.version(4242)
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:t", "COHORT_ACCESS": "pairing"}
    gone = cohort("people", "--remove", "5", home=tmp_path, **given)
    assert (gone.returncode, gone.stdout[:18]) == (0, "5 has no role any ")
    assert set((await store.people.look(4242)).entries) == {6}
    assert await store.people.version(4242) > before, "running bots look again"
    again = cohort("people", "--remove", "5", home=tmp_path, **given)
    assert (again.returncode, "nothing was decided" in again.stderr) == (2, True)
    given["TELEGRAM_BASE_URL"] = "http://127.0.0.1:9"
    code = cohort("pair", "--role", "owner", home=tmp_path, **given).stdout
    word = next(line for line in code.splitlines() if line.startswith("code: ")).removeprefix("code: ")
    assert await store.people.pair(4242, word, 7, name="Cy", has=None) == "owner"
