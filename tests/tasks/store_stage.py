"""The store under a plain model: opening it, and what the bot and the members of the pool do."""

from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.status.worker import WorkerStatus
from tasks.store.intake import ROOM_FOR_CONTROL, Accept
from tasks.store.sessions import Claim
from tests.support.own_replies import own_replies
from tests.tasks.machine import Model, ModelSession
from tests.tasks.opened_store import OpenedStore

BOT = 7
CAP = 4
SLOTS = 4
SESSIONS = [f"{BOT}:{chat}" for chat in (1, 2, 3)]
WORKERS = ["w-one", "w-two", "w-three"]

sessions = st.sampled_from(SESSIONS)
workers = st.sampled_from(WORKERS)
updates = st.integers(1, 40)


class StoreStage(OpenedStore):
    """A store, its model, and the rules that need no claim."""

    environ: ClassVar = {"COHORT_SLOTS": str(SLOTS), "COHORT_INBOX_CAP": str(CAP)}

    def __init__(self) -> None:
        super().__init__()
        self.model = Model({name: ModelSession() for name in SESSIONS})
        self.claims: dict[str, list[Claim]] = {name: [] for name in SESSIONS}

    # -- the bot

    @rule(
        batch=st.lists(
            st.tuples(updates, sessions, st.sampled_from(["message", "stop", "reply", "dead", "none"])), max_size=5
        )
    )
    def accept(self, batch: list[tuple[int, str, str]]) -> None:
        items = [_item(update, session, kind) for update, session, kind in batch]
        verdicts = self.run(self.store.intake.accept(BOT, items))
        expected = []
        for update, name, kind in batch:
            session = self.model.sessions[name]
            if update in self.model.seen:
                expected.append("seen")
                continue
            self.model.seen.add(update)
            room = CAP if kind == "message" else CAP + ROOM_FOR_CONTROL
            if kind in ("message", "stop") and len(session.inbox) >= room:
                expected.append("full")
                continue
            expected.append("accepted")
            if kind in ("message", "stop"):
                session.inbox.append(update)
                session.pending = True
            self.model.dead += kind == "dead"
            self.model.replies += kind == "reply"
        assert verdicts == expected

    # -- the workers

    @rule(worker=workers)
    def beat(self, worker: str) -> None:
        self.run(self.store.members.beat(worker, WorkerStatus(), timedelta(minutes=5)))
        self.model.alive.add(worker)

    @rule(worker=workers)
    def die(self, worker: str) -> None:
        self.run(self.store.members.report_death(worker))
        self.model.alive.discard(worker)

    # -- the bot's own lines

    @precondition(lambda self: self.model.replies > 0)
    @rule()
    def the_bot_delivers_its_own(self) -> None:
        raw, _ = self.run(own_replies(self.store, BOT))[0]
        self.run(self.store.intake.replied(BOT, raw))
        self.model.replies -= 1


def _item(update: int, session: str, kind: str) -> Accept:
    match kind:
        case "message":
            return Accept(update, inbound=Inbound(session=session, update_id=update, at=float(update), text="x"))
        case "stop":
            return Accept(update, inbound=Inbound(session=session, update_id=update, at=float(update), kind="stop"))
        case "reply":
            return Accept(update, reply=Reply(text="hello", session=session, answers=(update,)))
        case "dead":
            return Accept(update, dead=DeadLetter(reason="r", at=0.0))
        case _:
            return Accept(update)
