"""`cohort feedback`: thumbs with the reference of their turns."""

import json
from pathlib import Path

import pytest

from tasks.chats.feedback import Opinion
from tasks.session import SessionKey
from tasks.store import Store
from tasks.turn_record import reference
from tests.harness.command import cohort


@pytest.mark.promise("feedback")
async def test_thumbs_are_shown_with_the_reference_by_which_their_turn_is_found(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    topic = SessionKey(4242, -5, 7)
    await store.feedback.put(Opinion(topic, 10, 12, 700, "up"))
    await store.feedback.put(Opinion(topic, 10, 12, 701, "down"))
    shown = cohort("feedback", home=tmp_path, REDIS_URL=redis_url).stdout.splitlines()
    assert shown[0].startswith("1 up, 1 down since ")
    assert all(f"ref {reference(4242, 12)}  4242:-5:t7, message 10" in line for line in shown[1:])
    told = json.loads(cohort("feedback", "--since", "1h", "--json", home=tmp_path, REDIS_URL=redis_url).stdout)
    assert (told["up"], told["down"], {one["person"] for one in told["feedback"]}) == (1, 1, {700, 701})
    wrong = cohort("feedback", "--since", "soon", home=tmp_path, REDIS_URL=redis_url)
    assert (wrong.returncode, wrong.stderr) == (2, "cohort: --since: 'soon' is no time; say 30m, 12h or 7d\n")
