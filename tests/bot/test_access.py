"""Who may talk."""

import pytest

from tasks.chats.access import Access, Decision, access_of
from tasks.config.settings import load

LISTED = Access(everybody=False, allow=frozenset({7, -55}))


@pytest.mark.parametrize(
    ("access", "user", "chat", "business", "decision"),
    [
        (Access(everybody=True, allow=frozenset()), 1, 1, False, "admit"),
        (Access(everybody=True, allow=frozenset()), None, 1, False, "admit"),
        (LISTED, 7, 7, False, "admit"),
        (LISTED, 7, -99, False, "admit"),
        (LISTED, 8, -55, False, "admit"),
        (LISTED, None, -55, False, "admit"),
        (LISTED, 8, 8, False, "tell"),
        (LISTED, 8, -99, False, "tell"),
        (LISTED, None, -99, False, "ignore"),
        (LISTED, 8, 8, True, "ignore"),
        (LISTED, 7, 7, True, "admit"),
    ],
)
def test_users_and_chats_on_the_list_are_admitted_and_strangers_hear_so(
    access: Access, user: int | None, chat: int, business: bool, decision: Decision
) -> None:
    assert access.decide(user, chat, business=business) == decision


def test_without_a_setting_only_the_list_is_admitted_and_operators_are_on_it() -> None:
    token = {"TELEGRAM_BOT_TOKEN": "1:x"}
    assert access_of(load(token)).admits_no_one
    found = access_of(load({**token, "COHORT_ALLOW": "7,-55", "COHORT_ADMINS": "9"}))
    assert found == Access(everybody=False, allow=frozenset({7, -55}), admins=frozenset({9}))
    assert access_of(load({**token, "COHORT_ACCESS": "open"})).everybody
