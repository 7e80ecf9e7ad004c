"""`cohort people`: who has which role, and what the operator's file keeps for it."""

import json
from pathlib import Path

import pytest

from tasks.access import OperatorsWord, Person
from tasks.bot_status import BotStatus
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
