"""chats.yaml's `agents` roles hold for the members of a workflow: before it begins, or when one is reached."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.runtime.roles import ADMIN, GUEST, MEMBER, Kept, runs, said_by
from tests.runtime.support import Open, card
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.engine import Engine

MEMBER_CARD = "---\nname: {name}\nmodel: generic.mock\ntool_only: true\n---\nYou are {name}.\n"
FIXED = {
    "chain": "type: chain\nsequence: [writer, editor]",
    "parallel": "type: parallel\nfan_out: [writer, editor]\nfan_in: writer",
    "a chain of chains": "type: chain\nsequence: [writer, inner]",
}
FLOW = "---\nname: flow\ndefault: true\n{}\n---\n"
ROUTER = "type: router\nmodel: generic.mock\nagents: [writer, editor]"
ONLY_ADMINS = phrase("only-admins", name="editor")


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def ruled(runtime: Open, cards: Path, tmp_path: Path, kept: Kept) -> Open:
    """An engine whose agent is a workflow, and the operator's rules."""
    (cards / "assistant.md").unlink()
    for name in ("writer", "editor"):
        card(cards, f"{name}.md", MEMBER_CARD.format(name=name))
    card(cards, "inner.md", "---\nname: inner\ntool_only: true\ntype: chain\nsequence: [editor]\n---\n")

    @asynccontextmanager
    async def opened(
        flow: str, rules: str = "roles: {agents: {editor: admin}}", *, plain: bool = False
    ) -> AsyncGenerator[Engine]:
        card(cards, "flow.md", FLOW.format(flow))
        if plain:
            card(cards, "plain.md", "---\nname: plain\nmodel: generic.mock\n---\nYou.\n")
        (tmp_path / "chats.yaml").write_text(f"{rules}\n")
        async with runtime(people=kept, COHORT_CHATS=str(tmp_path / "chats.yaml")) as engine:
            yield engine

    return opened


@pytest.mark.promise("roles")
@pytest.mark.parametrize("flow", FIXED)
async def test_a_workflow_is_not_begun_for_a_person_who_may_not_use_a_member_that_it_always_asks(
    ruled: Open, model: Model, flow: str
) -> None:
    async with ruled(FIXED[flow]) as engine:
        with pytest.raises(TurnFailed) as refused:
            await runs(engine, said_by(GUEST, "poem"))
        assert (refused.value.action, refused.value.words) == ("tell", phrase("only-admins", name="flow"))
        assert len(model.journal) == 0
        assert "poem" in (await runs(engine, said_by(ADMIN, "poem"))).text


@pytest.mark.promise("roles")
async def test_another_agent_answers_in_place_of_such_a_workflow_and_says_so(ruled: Open) -> None:
    async with ruled(FIXED["chain"], plain=True) as engine:
        done = await runs(engine, said_by(MEMBER, "poem"))
    assert "poem" in done.text
    assert done.notices == (f"{phrase('only-admins', name='flow')} {phrase('other-agent', name='plain')}",)


@pytest.mark.promise("roles")
@pytest.mark.parametrize("chat", ["", "chats: {-7: {agent: flow}}"])
async def test_a_member_that_a_router_chooses_is_refused_and_the_person_hears_who_may(
    ruled: Open, model: Model, chat: str
) -> None:
    async with ruled(ROUTER, f"roles: {{agents: {{editor: admin}}}}\n{chat}") as engine:
        for person, agent in ((GUEST, "editor"), (ADMIN, "editor"), (GUEST, "writer")):
            model.clear()
            model.fault(reply=json.dumps({"agent": agent, "confidence": "high", "reasoning": "it says so"}))
            if (person, agent) == (GUEST, "editor"):
                with pytest.raises(TurnFailed) as refused:
                    await runs(engine, said_by(person, "poem"))
                assert (refused.value.action, refused.value.words) == ("tell", ONLY_ADMINS)
                assert len(model.journal) == 1, "the editor's model was not called"
            else:
                assert "poem" in (await runs(engine, said_by(person, "poem"))).text


@pytest.mark.promise("roles")
async def test_a_workflow_of_which_no_rule_speaks_looks_up_no_ones_role(ruled: Open, kept: Kept) -> None:
    async with ruled(FIXED["chain"], "roles: {agents: {coder: admin}}") as engine:
        await runs(engine, said_by(GUEST, "poem"))
    assert kept.asked == 0
