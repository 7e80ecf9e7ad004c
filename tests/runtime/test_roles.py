"""chats.yaml's `roles` in a worker: a tool is refused below its role, also where others have a part in the turn."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.roles import ADMIN, CARD, GUEST, MEMBER, OWNER, ROOM, STRANGER, Kept, runs, said_by
from tests.runtime.steps import COUNTER, MemorySteps, executions, run_until_dead
from tests.runtime.support import Open, Screen, ask, card
from tests.runtime.test_steering import Waiting
from tests.support.model import Model
from workers.interfaces import TurnFailed, TurnResult
from workers.runtime.conversation.history import authors_of, decode
from workers.runtime.engine import Engine
from workers.steps import PersonsAnswer, TurnParked


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def ruled(runtime: Open, cards: Path, tmp_path: Path, kept: Kept) -> Open:
    """An engine whose assistant has a tool that counts, and the operator's rules."""
    card(cards, "counter.py", COUNTER)
    card(cards, "assistant.md", CARD.format(tools="  - counter.py:count\n  - counter.py:plain"))

    @asynccontextmanager
    async def opened(rules: str, **environ: str) -> AsyncGenerator[Engine]:
        (tmp_path / "chats.yaml").write_text(f"roles: {rules}\n")
        async with runtime(people=kept, COHORT_CHATS=str(tmp_path / "chats.yaml"), **environ) as engine:
            yield engine

    return opened


@pytest.mark.promise("roles")
async def test_a_tool_is_refused_below_its_role_and_the_model_reads_who_may(ruled: Open, cards: Path) -> None:
    async with ruled("{tools: {count: admin}}") as engine:
        for person in (MEMBER, GUEST, STRANGER, None):
            refused = await runs(engine, said_by(person))
            assert "Not carried out: only admins may use count here" in refused.text
        assert executions(cards).total() == 0
        for person in (ADMIN, OWNER):
            assert "counted x" in (await runs(engine, said_by(person))).text
        assert "plain x" in (await runs(engine, said_by(GUEST, 'CALL:plain{"name": "x"}'))).text


@pytest.mark.promise("roles")
@pytest.mark.parametrize(
    ("people", "may"),
    [((ADMIN, MEMBER), False), ((GUEST, OWNER), False), ((ADMIN, OWNER), True), ((ADMIN, None), False)],
)
async def test_of_several_people_in_one_turn_the_lowest_role_counts(
    ruled: Open, cards: Path, people: tuple[int | None, ...], may: bool
) -> None:
    async with ruled("{tools: {'c*': admin}}") as engine:
        await runs(engine, *(said_by(person, update=number) for number, person in enumerate(people, 1)))
        assert bool(executions(cards)) == may


@pytest.mark.promise("roles")
async def test_a_retry_counts_who_wants_it_and_who_wrote_the_message(ruled: Open, cards: Path) -> None:
    async with ruled("{tools: {count: admin}}") as engine:
        first = await runs(engine, said_by(GUEST))
        again = ask(ROOM, said_by(ADMIN, "", kind="retry"), history=first.history)
        refused = await engine.run(replace(again, steps=MemorySteps()), Screen())
        assert "Not carried out" in refused.text, "an admin's Retry lends no role to a guest's words"
        third = ask(ROOM, said_by(ADMIN, "", kind="retry"), history=refused.history)
        assert "Not carried out" in (await engine.run(replace(third, steps=MemorySteps()), Screen())).text
        await runs(engine, said_by(ADMIN, again_by=(MEMBER,)))
        assert executions(cards).total() == 0
        await runs(engine, said_by(ADMIN, again_by=(OWNER,)))
        assert executions(cards).total() == 1


@pytest.mark.promise("roles")
async def test_a_parked_call_is_checked_again_with_the_roles_of_then_and_of_who_answered(
    ruled: Open, cards: Path, kept: Kept
) -> None:
    card(cards, "assistant.md", CARD.format(tools="  - {entrypoint: counter.py:count, approve: true}"))
    async with ruled("{tools: {count: admin}}") as engine:
        asked = ask(ROOM, said_by(ADMIN))

        async def parked() -> tuple[MemorySteps, str]:
            steps = MemorySteps()
            with pytest.raises(TurnParked) as waits:
                await engine.run(replace(asked, steps=steps, asks=True), Screen())
            await steps.written()
            return steps, waits.value.questions[0].key

        async def goes_on(steps: MemorySteps, key: str, by: int) -> TurnResult:
            answers = {key: PersonsAnswer("run", person=by)}
            return await engine.run(replace(asked, steps=steps, asks=True, answers=answers), Screen())

        assert "Not carried out: only admins" in (await goes_on(*await parked(), GUEST)).text
        steps, key = await parked()
        kept.change(ADMIN, "member")
        assert "Not carried out: only admins" in (await goes_on(steps, key, OWNER)).text
        assert executions(cards).total() == 0
        kept.change(ADMIN, "admin")
        assert "counted x" in (await goes_on(*await parked(), OWNER)).text
        # A person below the role is not asked for a word that would not count.
        assert "Not carried out: only admins" in (await runs(engine, said_by(MEMBER), asks=True)).text


@pytest.mark.promise("roles")
async def test_a_call_in_doubt_is_not_made_again_for_a_person_who_lost_the_role(
    ruled: Open, cards: Path, kept: Kept
) -> None:
    async with ruled("{tools: {count: admin}}") as engine:
        asked = ask(ROOM, said_by(ADMIN))
        # The answer of the model and the mark are kept; the result is not.
        dead = MemorySteps(room=2)
        await run_until_dead(engine, replace(asked, steps=dead), dead)
        executions(cards)
        kept.change(ADMIN, "guest")
        later = await engine.run(replace(asked, steps=MemorySteps(dead.kept)), Screen())
        assert "The outcome of this call is unknown" in later.text
        assert executions(cards).total() == 0


@pytest.mark.promise("roles")
async def test_a_subagents_tools_are_checked_too_and_so_is_the_subagent(ruled: Open, cards: Path) -> None:
    head = "name: {0}\nmodel: generic.mock\n"
    card(cards, "helper.md", f"---\n{head.format('helper')}function_tools: ['counter.py:count']\n---\nHelp.\n")
    card(cards, "assistant.md", f"---\n{head.format('assistant')}default: true\nagents: [helper]\n---\nDelegate.\n")
    words = "CALL:helper" + '{"message": "CALL:count{}"}'
    async with ruled("{tools: {count: admin}}") as engine:
        await runs(engine, said_by(GUEST, words))
        assert executions(cards).total() == 0
        await runs(engine, said_by(ADMIN, words))
        assert executions(cards).total() == 1
    async with ruled("{agents: {helper: admin}}") as engine:
        assert "only admins may use helper here" in (await runs(engine, said_by(GUEST, words))).text
        assert executions(cards).total() == 0


@pytest.mark.promise("roles")
async def test_a_reminder_acts_with_the_role_that_its_person_has_when_it_is_due(
    ruled: Open, cards: Path, kept: Kept
) -> None:
    async with ruled("{tools: {count: admin}}") as engine:
        due = said_by(None, kind="reminder", set_by=ADMIN)
        await runs(engine, due)
        assert executions(cards).total() == 1
        kept.change(ADMIN, "guest")
        assert "Not carried out" in (await runs(engine, due)).text


@pytest.mark.promise("roles")
async def test_an_agent_and_a_model_above_the_role_are_not_used_and_the_choice_stays(
    ruled: Open, model: Model, cards: Path
) -> None:
    card(cards, "poet.md", "---\nname: poet\nmodel: generic.rhymes\n---\nYou are a poet.\n")
    rules = "{agents: {poet: admin}, models: {generic.big: member}}"
    async with ruled(rules, COHORT_MODELS="generic.big") as engine:

        async def turn(person: int, **chosen: str) -> tuple[str, TurnResult]:
            done = await engine.run(replace(ask(ROOM, said_by(person, "hi")), **chosen), Screen())
            return list(model.journal)[-1].model, done

        used, done = await turn(GUEST, agent="poet", model="generic.big")
        assert used == "mock"
        assert done.dropped == ()
        assert done.notices == (
            "Guests can't use generic.big here. Ask an admin if you need it. So the usual model answers you.",
            "Only admins can use poet here. So assistant answers you.",
        )
        assert done.standing == {*done.notices}, "so they are said once (tests/workers/test_standing_refusals.py)"
        assert (await turn(MEMBER, model="generic.big"))[0] == "big"
        assert (await turn(OWNER, agent="poet"))[0] == "rhymes"
    async with ruled("{agents: {'*': admin}}") as engine:
        with pytest.raises(TurnFailed) as failed:
            await turn(GUEST)
        assert (failed.value.action, failed.value.words) == ("tell", "Only admins can use assistant here.")


@pytest.mark.promise("roles")
async def test_words_that_join_a_turn_count_from_then_on_also_when_it_is_asked_again(ruled: Open, cards: Path) -> None:
    async with ruled("{tools: {count: admin}}") as engine:
        joins = Waiting({2: (said_by(GUEST, 'ROUNDS:2 CALL:count{"name": "y"}', update=2),)})
        done = await runs(engine, said_by(ADMIN, 'CALL:count{"name": "x"}'), steering=joins)
        assert "Not carried out: only admins may use count" in done.text
        assert executions(cards).total() == 1, "before it joined"
        again = ask(ROOM, said_by(OWNER, "", kind="retry"), history=done.history)
        await engine.run(replace(again, steps=MemorySteps()), Screen())
        assert executions(cards).total() == 0


async def test_without_rules_no_role_is_looked_up_and_a_tool_without_a_rule_costs_nothing(
    ruled: Open, cards: Path, kept: Kept
) -> None:
    async with ruled("{}") as engine:
        done = await runs(engine, said_by(STRANGER))
        assert not any(map(authors_of, decode(done.history).messages))
    async with ruled("{tools: {other: admin}}") as engine:
        await runs(engine, said_by(STRANGER))
    assert kept.asked == 0
    assert executions(cards).total() == 2


async def test_while_redis_is_away_a_call_waits_and_is_not_made_unchecked(ruled: Open, cards: Path, kept: Kept) -> None:
    async with ruled("{tools: {count: admin}}") as engine:
        await runs(engine, said_by(ADMIN))
        kept.away = 2
        kept.change(ADMIN, "guest")
        assert "Not carried out" in (await runs(engine, said_by(ADMIN))).text
        assert executions(cards).total() == 1
