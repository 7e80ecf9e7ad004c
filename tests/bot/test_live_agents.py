"""Which agents a bot offers: those that live workers name for it."""

from datetime import timedelta

import pytest

from bot.live_agents import LiveAgents
from tasks.phrases import LANGUAGES, speaking
from tasks.status.worker import WorkerStatus
from tasks.store import Store

LONG = timedelta(hours=1)


@pytest.mark.promise("bot-cards")
async def test_a_bot_with_cards_of_its_own_offers_no_agent_of_the_common_ones(store: Store) -> None:
    offered: tuple[str, ...] = ()
    common = LiveAgents(store.members, lambda: offered)
    own = LiveAgents(store.members, lambda: offered, lambda: 202)
    # A worker of the release before names no bot's agents.
    old = WorkerStatus.from_json('{"agents": ["assistant", "poet"]}')
    await store.members.beat("w-old", old, LONG, member=True)
    assert (await common.agents(), await own.agents()) == ({"assistant": "", "poet": ""}, {})
    offered = ("clerk", "poet")
    assert await own.agents() == {}, "nor what its file names, before a worker has it"
    new = WorkerStatus(
        agents=("assistant",),
        agents_of={"202": ("clerk", "poet"), "303": ("spy",)},
        descriptions={"clerk": "of all bots"},
        descriptions_of={"202": {"clerk": "keeps the books"}, "303": {"poet": "spies"}},
    )
    await store.members.beat("w-new", new, LONG, member=True)
    assert await own.agents() == {"clerk": "keeps the books", "poet": ""}
    offered = ()
    assert await own.agents() == {"clerk": "keeps the books", "poet": ""}


async def test_what_is_known_of_models_is_told_by_a_worker_that_says_it(store: Store) -> None:
    agents = LiveAgents(store.members, tuple[str, ...])
    await store.members.beat("w-old", WorkerStatus(agents=("a",)), LONG, member=True)
    assert await agents.model_facts() == {}
    await store.members.beat("w-new", WorkerStatus(model_facts={"sonnet": ("Anthropic", "image")}), LONG, member=True)
    assert await agents.model_facts() == {"sonnet": ("Anthropic", "image")}


@pytest.mark.parametrize("own", [None, 202])
async def test_descriptions_are_in_the_language_that_is_spoken_where_a_card_has_it(
    store: Store, own: int | None
) -> None:
    names, usual = ("clerk", "poet", "mute"), {"clerk": "keeps the books", "poet": "writes poems"}
    translated = {"de": {"clerk": "führt die Bücher"}, "ru": {"mute": "молчит"}}
    status = (
        WorkerStatus(agents=names, descriptions=usual, translated=translated)
        if own is None
        else WorkerStatus(agents_of={"202": names}, descriptions_of={"202": usual}, translated_of={"202": translated})
    )
    await store.members.beat("w", status, LONG, member=True)
    agents = LiveAgents(store.members, tuple[str, ...], lambda: own)
    for language in LANGUAGES:
        with speaking(language):
            assert await agents.agents() == {"mute": "", **usual, **translated.get(language, {})}
