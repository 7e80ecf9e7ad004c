"""The checker of business accounts, both ways: a customer's chat with one is not that person's chat with the bot."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos.story import Story, good, rules
from tests.harness import collect
from tests.harness.history import Spoken

OWN, ACCOUNT, OTHER = "1:10", "1:10:bAcc", "1:10:bOther"
pytestmark = pytest.mark.promise("checker-sees")


def test_a_customer_is_answered_in_both_conversations_apart() -> None:
    story = Story()
    for session in (ACCOUNT, OWN, ACCOUNT):
        story.exchange(session)
    assert good(story).customers == 2


@pytest.mark.parametrize(("asked", "shown"), [(ACCOUNT, OWN), (OWN, ACCOUNT), (ACCOUNT, OTHER)])
def test_an_answer_in_the_same_persons_other_conversation_is_found(asked: str, shown: str) -> None:
    story = Story()
    said = story.say(asked)
    call = story.call(said)
    story.commit(call, said)
    story.say(shown)
    story.deliver(shown, call.reply)
    assert {"answered", "foreign"} <= rules(story)


def test_a_model_that_sees_the_same_persons_other_conversation_is_found() -> None:
    story = Story()
    theirs = story.exchange(OWN)
    story.exchange(ACCOUNT)
    said = story.say(ACCOUNT)
    call = story.call(said, seen=[*theirs.spoken, Spoken("assistant", theirs.reply)])
    story.commit(call, said)
    story.deliver(ACCOUNT, call.reply)
    assert "foreign" in rules(story)


def test_an_answer_to_a_customer_that_comes_twice_for_no_reason_is_found() -> None:
    story = Story()
    call = story.exchange(ACCOUNT)
    story.deliver(ACCOUNT, call.reply)
    assert rules(story) == {"doubled"}


def test_an_answer_in_a_conversation_that_no_person_began_is_found() -> None:
    story = Story()
    call = story.exchange(ACCOUNT)
    good(story)
    story.deliver(OTHER, call.reply)
    assert "foreign" in rules(story)


async def test_a_message_of_an_account_is_read_with_its_connection() -> None:
    messages: Sequence[Mapping[str, Any]] = (
        {"message_id": 1, "date": 1, "text": "a", "chat": {"id": 10}, "business_connection_id": "Acc"},
        {"message_id": 2, "date": 1, "text": "b", "chat": {"id": 10}},
    )

    async def told(_chat: int) -> Sequence[Mapping[str, Any]]:
        return messages

    people: Any = SimpleNamespace(bot_messages=told)
    account, own = await collect.bubbles(people, 1, [10])
    assert (account.session, account.chat, own.session) == (ACCOUNT, 10, OWN)
