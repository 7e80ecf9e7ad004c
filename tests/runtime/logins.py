"""What the tests of logins share: a server at which people log in, turns that park, and the way back from the page."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.chats.logins import Login, LoginState
from tasks.envelope import Sender
from tasks.store import Store
from tests.runtime.steps import MemorySteps
from tests.runtime.support import Screen, ask, inbound
from tests.support.login_server import LoginServer, came_back
from workers.interfaces import TurnResult
from workers.runtime.engine import Engine
from workers.steps import PersonsAnswer, Question, TurnParked

SECRET = "0123456789abcdef0123456789abcdef"
BOT = 42
ANN, BEN = 7, 8
"""People, and their private chats."""
GROUP = -5
LOGGED_IN, CANCELLED = PersonsAnswer("words", "Logged in", pressed=0), PersonsAnswer("words", "Cancel", pressed=1)


class Turn:
    """One turn, over its parking."""

    def __init__(self, text: str, chat: int = ANN, *people: int, asks: bool = True) -> None:
        who = people or (chat,)
        named = [Sender(id=person, name=f"Person {person}") for person in who]
        kind: dict[str, Any] = {"chat_type": "supergroup"} if chat < 0 else {}
        messages = [inbound(chat, text, update=place, sender=one, **kind) for place, one in enumerate(named, 1)]
        self.steps = MemorySteps()
        self.request = replace(ask(chat, *messages), steps=self.steps, asks=asks)

    async def answered(self, engine: Engine) -> TurnResult:
        return await engine.run(self.request, Screen())

    async def parks(self, engine: Engine) -> Question:
        with pytest.raises(TurnParked) as parked:
            await engine.run(self.request, Screen())
        assert engine.busy == 0
        await self.steps.written()
        (question,) = parked.value.questions
        self.question = question
        return question

    def told(self, said: PersonsAnswer = LOGGED_IN) -> "Turn":
        self.request = replace(self.request, answers={**self.request.answers, self.question.key: said})
        return self

    async def logs_in(self, engine: Engine, store: Store, server: LoginServer, account: str) -> TurnResult:
        """All of it."""
        question = await self.parks(engine)
        link = question.link or await link_of(store, self.request.messages[0].person or 0)
        await comes_back(store, await server.browse(link, account))
        return await self.told().answered(engine)


async def link_of(store: Store, person: int) -> str:
    """The link that /login shows in the private chat."""
    login = await store.logins.read(BOT, person, "calendar")
    assert login is not None
    assert login.pending is not None
    return login.pending.url


async def comes_back(store: Store, address: str, **other: str) -> None:
    """What the bot does when the person's browser comes back."""
    told = {**came_back(address), **other}
    state = LoginState.opened(told["state"], store.logins.box)
    assert state is not None

    def change(login: Login | None) -> Login | None:
        assert login is not None
        assert login.pending is not None
        pending = login.pending.model_copy(update={"code": told["code"], "issuer": told.get("iss")})
        return login.model_copy(update={"pending": pending})

    await store.logins.change(state.bot, state.person, state.server, change)
