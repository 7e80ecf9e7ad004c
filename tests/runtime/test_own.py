"""Which sessions need a process of their own: the operator's file says so, or a card that takes part."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.config.settings import Settings
from tasks.session import SessionKey
from tests.runtime.support import Open, card
from tests.support.model import Model
from workers.runtime.cards.checks import check_cards

MARKED = "---\nname: safe\nmodel: generic.mock\nisolation: process\n---\nYou are safe.\n"


@pytest.mark.promise("own-process")
async def test_a_chat_a_topic_and_a_card_say_so_also_one_that_another_agent_calls(
    runtime: Open, model: Model, cards: Path, tmp_path: Path
) -> None:
    card(cards, "safe.md", MARKED)
    card(cards, "calls.md", "---\nname: calls\nmodel: generic.mock\nagents: [safe]\n---\nYou ask safe.\n")
    card(cards, "route.md", "---\nname: route\ntype: router\nagents: [assistant, safe]\nmodel: generic.mock\n---\nx\n")
    chats = tmp_path / "chats.yaml"
    chats.write_text("chats:\n  1: {isolation: process, topics: {7: {isolation: shared}, 8: {}}}\n  4: {agent: safe}\n")
    async with runtime(COHORT_LANES="1", COHORT_CHATS=str(chats)) as engine:

        def isolated(chat: int, topic: int | None = None, agent: str | None = None) -> bool:
            return engine.isolated(SessionKey(42, chat, topic), agent)

        assert isolated(1)
        assert isolated(1, 8)
        assert not isolated(1, 7)
        assert isolated(1, 7, agent="safe"), "a card's word holds in each chat"
        assert not isolated(2)
        assert isolated(2, agent="safe")
        assert isolated(2, agent="calls")
        assert isolated(2, agent="route")
        assert not isolated(2, agent="gone")
        assert isolated(4)
        assert not isolated(4, agent="assistant")
        card(cards, "safe.md", MARKED.replace("process", "shared"))
        await engine.reload()
        assert not isolated(4)
    del model


@pytest.mark.parametrize("said", ["own", "true", "[process]", "", "Process"])
def test_another_word_in_a_card_is_refused_with_its_file(
    settings_of: Callable[..., Settings], cards: Path, said: str
) -> None:
    card(cards, "safe.md", MARKED.replace("process", said))
    problems = [str(problem) for problem in check_cards(settings_of())]
    assert any("isolation" in line and "safe.md" in line for line in problems), problems
