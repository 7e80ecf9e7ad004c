"""Nothing of one chat reaches another: histories, streams, answers, tokens, tools; and the check itself is checked."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Self, override

import pytest
from llmock.pytest_plugin import LLMock

from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask, card
from tests.support.model import Model
from workers.interfaces import TurnResult
from workers.runtime.cards.agent_registry import AgentRegistry
from workers.runtime.engine import Engine
from workers.runtime.lanes.pool import Lane

SECRET = re.compile(r"secret(\d+)x")
TOOLS = '''
from workers.runtime.tools.session_tools import current_session

async def whose(n: int) -> str:
    """Whose turn this is."""
    return f"secret{current_session().chat}x"
'''


class LeakyRegistry(AgentRegistry):
    """Wipes nothing."""

    @override
    def reset(self, lane: Lane) -> None:
        """Leave it as it is."""


class LeakyEngine(Engine):
    """Breaks the promise on purpose: what a turn leaves in its lane stays there."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._registry.__class__ = LeakyRegistry
        return self


def owners(text: str) -> set[int]:
    """Whose words these are."""
    return {int(found) for found in SECRET.findall(text)}


class Observed:
    """Everything each chat was shown, and what it was told it cost."""

    def __init__(self) -> None:
        # Screens are kept and looked at in the end: a leak may reach one after its turn.
        self.screens: list[tuple[int, Screen]] = []
        self.spent: Counter[int] = Counter()
        self.answers: dict[int, list[str]] = {}

    async def chat(
        self, engine: Engine, chat: int, turns: int, words: Callable[[int, int], str], **choice: str | None
    ) -> None:
        """One chat's turns, one after the other."""
        history = None
        for turn in range(turns):
            screen = Screen()
            self.screens.append((chat, screen))
            result: TurnResult = await engine.run(ask(chat, words(chat, turn), history=history, **choice), screen)
            history = result.history
            self.spent[chat] += result.usage.input_tokens + result.usage.output_tokens
            self.answers.setdefault(chat, []).append(result.text)

    def bleeding(self) -> list[str]:
        shown = [(chat, frame) for chat, screen in self.screens for frame in screen.frames]
        told = [(chat, answer) for chat, answers in self.answers.items() for answer in answers]
        return [f"{chat} was shown {text!r}" for chat, text in shown + told if not owners(text) <= {chat}]


async def crowd(
    engine: Engine,
    chats: Iterable[int],
    turns: int,
    words: Callable[[int, int], str],
    choose: Callable[[int], dict[str, str]] = lambda _chat: {},
) -> Observed:
    """Many chats at the same time. ``choose``: a chat's agent and model."""
    seen = Observed()
    async with asyncio.TaskGroup() as group:
        for chat in chats:
            group.create_task(seen.chat(engine, chat, turns, words, **choose(chat)), name=f"chat-{chat}")
    return seen


CROWDS = (
    pytest.param((24, 12), id="24"),
    pytest.param((200, 32), id="200", marks=[pytest.mark.soak, pytest.mark.timeout(180)]),
)
"""Chats at the same time, and lanes: half as many and a sixth."""


def words(chat: int, turn: int) -> str:
    return f'turn {turn} secret{chat}x CALL:whose{{"n": {turn}}}' if turn % 2 else f"turn {turn} secret{chat}x"


def mixed(model: Model) -> list[str]:
    """Model calls that saw more than one chat."""
    texts = (json.dumps(call.messages) for call in model.journal)
    return [text for text in texts if len(owners(text)) != 1]


@pytest.fixture
def tooled(cards: Path) -> Path:
    card(cards, "tools.py", TOOLS)
    text = "---\nname: assistant\nmodel: generic.mock\nfunction_tools: ['tools.py:whose']\n---\nYou.\n"
    card(cards, "assistant.md", text)
    return cards


@pytest.mark.promise("isolated-words")
@pytest.mark.parametrize("size", CROWDS)
async def test_many_chats_of_5_turns_on_fewer_lanes_see_only_their_own(
    runtime: Open, model: Model, tooled: Path, size: tuple[int, int]
) -> None:
    chats, lanes = size
    async with runtime(COHORT_LANES=str(lanes)) as engine:
        seen = await crowd(engine, range(chats), 5, words)
    assert seen.bleeding() == []
    assert mixed(model) == []
    for chat, answers in seen.answers.items():
        own = f"secret{chat}x"
        assert answers[4] == f"echo: turn 4 {own} [n=5]"
        assert answers[3].endswith(f"[n=4] tool={own}")
    billed: Counter[int] = Counter()
    for call in model.journal:
        (chat,) = owners(json.dumps(call.messages))
        called = len(call.reply.split()) or 1
        billed[chat] += sum(len(message["text"].split()) for message in call.messages) + called
    assert seen.spent == billed


async def test_a_runtime_that_does_not_wipe_is_caught_by_these_checks(
    runtime: Open, model: Model, tooled: Path
) -> None:
    async with runtime(LeakyEngine, COHORT_LANES="2") as engine:
        seen = await crowd(engine, range(6), 3, words)
    assert seen.bleeding() != []


def everybody(llmock: LLMock, configure: Configure, *providers: str) -> list[str]:
    """All these providers at once, answering with what they were asked; their models."""
    found = {name: PROVIDERS[name] for name in providers}
    configure(
        {name: {"api_key": "x", "base_url": llmock.base_url(path), **more} for name, (_, path, more) in found.items()}
    )
    state = llmock._server.app.state
    state.mock_response_settings = replace(state.mock_response_settings, response_style="echo").validated()
    return [model for model, _, _ in found.values()]


def strangers(llmock: LLMock) -> list[str]:
    """Requests with the words of more than one chat, or none."""
    bodies = [json.dumps(request.body) for request in llmock.requests]
    return [body for body in bodies if len(owners(body)) != 1]


FIRST, *FURTHER = PROVIDERS
"""The trial of these checks is the same with each; above it is made with the mock."""


def plain(chat: int, turn: int) -> str:
    return f"turn {turn} secret{chat}x"


@pytest.mark.promise("isolated-words")
@pytest.mark.parametrize("size", CROWDS)
async def test_many_chats_of_5_turns_on_fewer_lanes_over_all_providers_see_only_their_own(
    runtime: Open, llmock: LLMock, configure: Configure, tooled: Path, size: tuple[int, int]
) -> None:
    count, lanes = size
    card(tooled, "talker.md", "---\nname: talker\n---\nYou.\n")
    models = everybody(llmock, configure, *PROVIDERS)

    def group(chat: int) -> tuple[str, str]:
        """Each lane serves every model, and agents with a tool and without."""
        return "talker" if chat // 4 % 4 else "assistant", models[chat % 4]

    def choose(chat: int) -> dict[str, str]:
        agent, model = group(chat)
        return {"agent": agent, "model": model}

    # Three digits, so that all of a group cost the same.
    chats = range(100, 100 + count)
    async with runtime(COHORT_LANES=str(lanes), COHORT_MODEL=models[0]) as engine:
        seen = await crowd(engine, chats, 5, plain, choose)
        assert engine.lanes.made <= lanes, "lanes went from one provider to the next"
    callers = sum(group(chat)[0] == "assistant" for chat in chats)
    assert len(llmock.requests) == (count + callers) * 5, "with a tool a turn is two calls"
    assert strangers(llmock) == []
    assert seen.bleeding() == []
    assert all(owners(text) == {chat} for chat, answers in seen.answers.items() for text in answers)
    for one in {group(chat) for chat in chats}:
        spent = {seen.spent[chat] for chat in chats if group(chat) == one}
        assert (len(spent), min(spent) > 0) == (1, True), f"a person of {one} pays for another chat"


@pytest.mark.parametrize("provider", [FIRST, *(pytest.param(one, marks=pytest.mark.soak) for one in FURTHER)])
async def test_a_runtime_that_does_not_wipe_is_caught_with_every_provider(
    runtime: Open, provider: str, llmock: LLMock, configure: Configure, tooled: Path
) -> None:
    (model,) = everybody(llmock, configure, provider)
    async with runtime(LeakyEngine, COHORT_LANES="2", COHORT_MODEL=model) as engine:
        seen = await crowd(engine, range(6), 3, plain)
    assert seen.bleeding() != []


@pytest.mark.promise("isolated-words")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_provider_keeps_chats_apart(
    runtime: Open, provider: str, llmock: LLMock, configure: Configure
) -> None:
    name, path, more = PROVIDERS[provider]
    configure({provider: {"api_key": "secret-key", "base_url": llmock.base_url(path), **more}})
    llmock.tool_mode("off")
    async with runtime(COHORT_LANES="4", COHORT_MODEL=name) as engine:
        seen = await crowd(engine, range(12), 3, lambda chat, turn: f"turn {turn} secret{chat}x")
    bodies = [json.dumps(request.body) for request in llmock.requests]
    assert len(bodies) == 36
    assert [body for body in bodies if len(owners(body)) != 1] == []
    assert sorted(len(SECRET.findall(body)) >= 3 for body in bodies)[-12:] == [True] * 12, "histories are sent"
    assert seen.bleeding() == []
    assert set(seen.answers) == set(range(12))
    assert all(spent > 0 for spent in seen.spent.values())
