"""An edit corrects what the model has read; one of a message that is forgotten is a message like any other."""

import pytest
from fast_agent.constants import FAST_AGENT_COMPACTION_CHANNEL
from fast_agent.types import PromptMessageExtended

from tasks.envelope import Inbound
from tests.runtime.support import Open, Screen, ask, inbound
from tests.support.model import Model
from workers.runtime.conversation.content import text_block, user_turn_by_names
from workers.runtime.durable.steering import joining
from workers.sessions.planning.batching import gather

CORRECTS = '<tg-message edited="true" note="corrects an earlier message">better</tg-message>'


def said(number: int, text: str = "first", *, edited: bool = False) -> Inbound:
    return inbound(1, text, update=number, message_id=number, edited=edited)


EDIT = said(7, "better", edited=True)


async def test_an_edit_says_that_it_corrects_only_what_the_conversation_holds(runtime: Open, model: Model) -> None:
    async with runtime() as engine:

        async def read_after(history: bytes | None, edit: Inbound = EDIT) -> str:
            await engine.run(ask(1, edit, history=history), Screen())
            return model.journal[-1].last

        before = await engine.run(ask(1, said(5, "hello")), Screen())
        first = await engine.run(ask(1, said(7), history=before.history), Screen())
        assert await read_after(first.history) == CORRECTS
        assert await read_after(None) == "better", "after /new, or in another conversation"
        undone = await engine.histories.without_last(first.history)
        assert await read_after(undone) == "better"
        assert await read_after(before.history) == "better", "its turn failed"
        again = await engine.run(ask(1, inbound(1, "", kind="retry", update=9), history=first.history), Screen())
        assert await read_after(again.history) == CORRECTS
        stopped = await engine.histories.stopped(ask(1, said(7), history=before.history), "so far")
        assert await read_after(stopped) == CORRECTS
        later = await engine.run(ask(1, EDIT, history=undone), Screen())
        assert await read_after(later.history) == CORRECTS, "an edit is read, too"


def of(*parts: PromptMessageExtended) -> str:
    return user_turn_by_names((EDIT,), parts).all_text()


@pytest.mark.parametrize("channel", [None, FAST_AGENT_COMPACTION_CHANNEL])
def test_what_does_not_say_of_which_messages_it_is_made_may_hold_the_one_that_is_edited(channel: str | None) -> None:
    channels = {channel: [text_block("{}")]} if channel else None
    kept = PromptMessageExtended(role="user", content=[text_block("old")], channels=channels)
    assert of(user_turn_by_names((said(5),)), kept) == CORRECTS
    example = kept.model_copy(update={"is_template": True, "channels": None})
    assert of(example) == "better", "a card's own example is no person's"


def test_a_message_that_joined_a_turn_or_stands_beside_its_edit_is_known() -> None:
    assert of(user_turn_by_names((said(5),)), *joining((said(7),))) == CORRECTS
    assert user_turn_by_names((said(7), EDIT)).all_text().endswith(CORRECTS)


@pytest.mark.parametrize("edited", [6, 7, 8])
def test_an_edit_of_any_part_of_an_album_corrects_it(edited: int) -> None:
    parts = [said(number, f"part {number}").model_copy(update={"album": "g"}) for number in (6, 7, 8)]
    (album,), _ = gather(parts, alone=False)
    edit = said(edited, "better", edited=True)
    assert user_turn_by_names((edit,), (user_turn_by_names((album,)),)).all_text() == CORRECTS
    assert user_turn_by_names((album, edit)).all_text().endswith(CORRECTS)
