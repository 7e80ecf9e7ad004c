"""Whatever comes, there is a decision."""

import copy
import json
from typing import Any

import pytest
from aiogram import types as tg
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.updates.meaning import Ignored, Incoming, Malformed, Moved
from bot.updates.understand import RAW_CHARACTERS
from tasks.envelope import Inbound
from tests.bot.meanings import DESCRIBED, FILES, meaning_of
from tests.bot.updates import BEN, BOT, FORUM, GROUP, PRIVATE, message, pressed, raw, said, size

BROKEN: list[Any] = [
    None,
    [],
    "text",
    {},
    {"update_id": "7"},
    {"update_id": True},
    {"update_id": 1, "message": None},
    {"update_id": 1, "message": []},
    {"update_id": 1, "message": {"message_id": 1}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": "1", "type": "private"}, "text": "x"}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": "cave"}, "text": "x"}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": []}, "text": "x"}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": "private"}, "from": 5, "text": "x"}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": "private"}, "from": {"id": 1}, "text": 5}},
    {"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "from": {"id": 1}, "text": "x"}},
    {"update_id": 1, "callback_query": {"id": 5}},
    {"update_id": 1, "stopped_message_generation": {"chat": 5}},
    {"update_id": 1, "stopped_message_generation": {"chat": {"id": 1}, "message_thread_id": -1}},
    {"update_id": 1, "deleted_business_messages": {"chat": {"id": 1}, "business_connection_id": "b 1"}},
    {"update_id": 1, "business_connection": {"id": "b:1", "is_enabled": True}},
    {"update_id": 1, "business_connection": {"id": "", "is_enabled": True}},
]


@pytest.mark.parametrize("update", BROKEN)
def test_a_malformed_update_is_named_as_such_with_a_reason_and_its_raw_form(update: Any) -> None:
    found = meaning_of(update)
    assert isinstance(found, Malformed)
    assert found.reason
    assert json.loads(found.raw) == update


def test_the_raw_form_of_a_huge_update_is_cut() -> None:
    found = meaning_of({"update_id": 1, "message": "x" * 1_000_000})
    assert isinstance(found, Malformed)
    assert len(found.raw) == RAW_CHARACTERS


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)

SAMPLES: list[dict[str, Any]] = [
    said("/model@cohort_bot x", chat=GROUP),
    said("@cohort_bot hi", chat=FORUM, message_thread_id=8, is_topic_message=True),
    said("hi", kind="business_message", business_connection_id="b1"),
    said("better", kind="edited_message", edit_date=1),
    said(
        "yes",
        chat=GROUP,
        reply_to_message=message(chat=GROUP, sender=BEN, caption="look", photo=[size("p", 9, 9)]),
        quote=tg.TextQuote(text="look", position=0),
        entities=[tg.MessageEntity(type="text_mention", offset=0, length=3, user=BOT)],
    ),
    said(caption="see", photo=[size("p", 90, 60), size("q", 9, 6)], media_group_id="g"),
    *(said(**fields) for fields, _ in DESCRIBED),
    *(
        said(**{kind: tg.Message.model_fields[kind].annotation.__args__[0](file_id="F", file_unique_id="U", **fields)})
        for kind, fields in FILES
    ),
    said(chat=GROUP, migrate_to_chat_id=-100777),
    pressed("model:x", message("x", sender=BOT)),
    raw(tg.Update(update_id=9, stopped_message_generation=tg.MessageGenerationStopped(chat=PRIVATE, draft_id=3))),
]


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    inner = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [(node, key) for key, _ in inner] + [place for _, value in inner for place in places(value)]


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A good update in which up to three values were replaced by junk, or removed."""
    update = copy.deepcopy(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(places(update)))
        if isinstance(container, dict) and draw(st.booleans()):
            container.pop(key, None)
        else:
            container[key] = draw(JUNK)
        if not places(update):
            break
    return update


@pytest.mark.promise("poison-update")
@settings(max_examples=300, deadline=None)
@given(damaged() | JUNK)
def test_whatever_comes_there_is_a_decision_that_the_store_can_take(update: Any) -> None:
    found = meaning_of(update)
    assert isinstance(found, Incoming | Moved | Ignored | Malformed)
    if isinstance(found, Incoming):
        written = found.inbound.to_json()
        written.encode()
        assert Inbound.from_json(written) == found.inbound
        assert found.inbound.key.bot == 4242
    if isinstance(found, Malformed):
        found.raw.encode()
