"""Messages that come while a turn runs join it before its next model call, at the same place in each try."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tasks.envelope import Inbound, Sender
from tests.runtime.steps import COUNTER, MemorySteps, executions, run_until_dead, told
from tests.runtime.support import MODELS, Open, Screen, ask, card, inbound
from tests.support.model import Model
from tests.support.strict import Strict
from workers.runtime.conversation import history

CALL = 'CALL:count{"name": "%s"}'
BLUE = inbound(1, "make it blue", update=2)


@dataclass
class Waiting:
    """A ``Steering``: at its n-th question there are these messages."""

    at: dict[int, tuple[Inbound, ...]]
    asked: int = 0
    given: list[Inbound] = field(default_factory=list)

    def restart(self) -> None:
        self.given.clear()

    async def newer(self) -> Sequence[Inbound]:
        self.asked += 1
        return self.at.get(self.asked, ())

    def joined(self, messages: Sequence[Inbound]) -> None:
        self.given.extend(messages)


@pytest.fixture
def counting(cards: Path) -> Path:
    card(cards, "counter.py", COUNTER)
    head = "name: assistant\ndefault: true\nmodel: generic.mock\nfunction_tools: [counter.py:count]\n"
    card(cards, "assistant.md", f"---\n{head}---\nYou.\n")
    return cards


@pytest.mark.promise("steers")
async def test_a_message_joins_before_the_next_model_call_and_is_remembered_there(
    runtime: Open, model: Model, counting: Path
) -> None:
    steering = Waiting({2: (BLUE,)})
    async with runtime() as engine:
        done = await engine.run(replace(ask(1, CALL % "x"), steps=MemorySteps(), steering=steering), Screen())
        assert done.text.endswith("echo: make it blue [n=2]")
        assert "Understood" not in done.text
        assert steering.given == [BLUE]
        said = [(message.role, message.all_text()) for message in history.decode(done.history).messages]
        assert said[-2:] == [("user", "make it blue"), ("assistant", "echo: make it blue [n=2]")]
        again = await engine.run(ask(1, "go on", history=done.history), Screen())
        assert again.text.startswith("echo: go on")
        back = await engine.histories.without_last(done.history)
        assert back is not None
        assert history.decode(back).messages == [], "both go back together"


@pytest.mark.promise("steers")
async def test_a_try_that_goes_on_gives_the_model_the_same_messages_at_the_same_call(
    runtime: Open, model: Model, counting: Path
) -> None:
    first = inbound(1, f"{CALL % 'x'} {CALL % 'y'}")
    later = inbound(1, f"also ROUNDS:2 {CALL % 'z'}", update=2)
    async with runtime() as engine:
        whole = MemorySteps()
        request = replace(ask(1, first), steps=whole, steering=Waiting({2: (later,)}))
        undisturbed = await engine.run(request, Screen())
        executed = len(executions(counting))
        for room in range(len(whole.kept)):
            steps = MemorySteps(room=room)
            dying = replace(request, steps=steps, steering=Waiting({2: (later,)}))
            ended = await run_until_dead(engine, dying, steps)
            assert ended is None
            given = any(b'"k":"steered"' in entry for entry in steps.kept)
            # What had joined stands in the journal; else it still waits, and joins where the turn runs live again.
            heir = Waiting({} if given else {1: (later,)})
            resumed = MemorySteps(steps.kept)
            done = await engine.run(replace(request, steps=resumed, steering=heir), Screen())
            assert heir.given == [later], room
            if given:
                assert told(done.history) == told(undisturbed.history), room
                assert all(count <= 2 for count in executions(counting).values())
            else:
                executions(counting)
        assert executed == 4


@pytest.mark.promise("steers")
@pytest.mark.parametrize("first", ["openai", "responses", "anthropic", "google", "mistral"])
async def test_every_provider_takes_a_turn_that_a_message_joined(
    runtime: Open, strict: Strict, between: str, first: str
) -> None:
    async with runtime(COHORT_LANES="1", COHORT_MODELS=between) as engine:
        for at in (1, 2):
            steering = Waiting({at: (BLUE,)})
            request = replace(ask(1, "CALL it", model=MODELS[first]), steps=MemorySteps(), steering=steering)
            done = await engine.run(request, Screen())
            assert steering.given == [BLUE]
            for second in MODELS.values():
                await engine.run(ask(1, "go on", history=done.history, model=second), Screen())
    assert strict.refused == []


@pytest.mark.promise("steers")
async def test_what_joined_a_turn_that_was_stopped_is_remembered_with_it(
    runtime: Open, model: Model, counting: Path
) -> None:
    steps = MemorySteps(room=6)
    later = inbound(1, f"also {CALL % 'z'}", update=2)
    request = replace(ask(1, CALL % "x"), steps=steps, steering=Waiting({2: (later,)}))
    async with runtime() as engine:
        await run_until_dead(engine, request, steps)
        kept = await engine.histories.stopped(request, "")
        assert later.text in [message.all_text() for message in history.decode(kept).messages]


@pytest.mark.promise("who-said-what")
async def test_another_persons_message_joins_under_its_authors_name(
    runtime: Open, model: Model, counting: Path
) -> None:
    ben = inbound(1, "no, red", update=2, chat_type="supergroup", sender=Sender(id=2, name="Ben"))
    ann = inbound(1, CALL % "x", chat_type="supergroup", sender=Sender(id=1, name="Ann"))
    async with runtime() as engine:
        await engine.run(replace(ask(1, ann), steps=MemorySteps(), steering=Waiting({2: (ben,)})), Screen())
        *_, entry = model.journal
        assert '<tg-message from="Ben"' in entry.messages[-1]["text"]
