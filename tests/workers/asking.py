"""A turn that asks and waits: its questions, its runtime, and how people answer."""

import json
from dataclasses import dataclass, field
from typing import Any

from tasks.chats.asking import ParkedTurn
from tests.workers.pool import Pool, session
from workers.interfaces import Sink, TurnRequest, TurnResult
from workers.steps import Question, TurnParked
from workers.usage import Usage

ONE = session(1)
BOOK = Question("k1/0", "book", json.dumps({"table": 4, "password": "s3cret"}), scope="agent:book")
ASK = Question("k2/1/ask1", "ask_user", "", text="Which day?", choices=("Monday", "Tuesday"))
WORDS = Question("k3/1/ask1", "ask_user", "", text="Your name?")
AUTHOR = {"id": 7, "name": "Ann"}


@dataclass
class Asking:
    """A runtime whose turns ask these questions, one round after the other; each worker has one."""

    rounds: tuple[tuple[Question, ...], ...] = ((BOOK,),)
    says: str = ""
    agents: tuple[str, ...] = ("agent",)
    seen: list[TurnRequest] = field(default_factory=list)
    kept: list[list[bytes]] = field(default_factory=list)

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        steps = request.steps
        assert steps is not None
        self.seen.append(request)
        self.kept.append(list(steps.kept))
        if self.says:
            sink.more(self.says)
        steps.add(f"step {len(steps.kept)}".encode())
        for questions in self.rounds:
            left = [question for question in questions if question.key not in request.answers]
            if left and request.asks:
                raise TurnParked(left)
        said = [request.answers.get(question.key) for questions in self.rounds for question in questions]
        words = " ".join(one.words or one.verdict for one in said if one is not None)
        return TurnResult("\n\n".join(part for part in (self.says, f"done: {words}") if part), b"history", Usage())

    async def compact(self, request: TurnRequest) -> TurnResult:
        raise AssertionError


async def parked(pool: Pool, name: str = "w-one", runtime: Asking | None = None, **environ: str) -> Asking:
    """A worker's turn asks, and rests."""
    runtime = runtime or Asking()
    worker = await pool.worker(name, real=runtime, **environ)
    await pool.say(1, "please", sender=AUTHOR)
    await worker.answer(ONE)
    assert "parked" in await pool.state(ONE)
    return runtime


async def turn(pool: Pool) -> ParkedTurn:
    found, _ = await pool.store.sessions.parked(ONE)
    assert found is not None
    return found


async def press(pool: Pool, verdict: str, *, place: int = 0, person: int = 7, trace: str | None = None) -> int:
    """A button under the message that shows a question."""
    question = (await turn(pool)).questions[place]
    asked = dict(pair.split(":") for pair in (await pool.state(ONE))["asked"].split())
    said: dict[str, Any] = {
        "choice": {"ask": question.id, "say": verdict},
        "message_id": int(asked[question.id]),
        "trace": trace,
    }
    return await pool.say(1, kind="answer", v=3, sender={"id": person, "name": f"P{person}"}, **said)


def shown(pool: Pool) -> list[str]:
    return list(pool.telegram.chat(ONE).shown.values())
