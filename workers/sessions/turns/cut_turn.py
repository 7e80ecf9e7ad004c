"""A turn that ended before its answer: what there is of it stays in the history and on the screen."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.chats.choices import LANGUAGE
from tasks.envelope import Inbound
from tasks.phrases import phrase, speak
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from workers.interfaces import TurnFailed, TurnRequest
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession, below, seen_words
from workers.sessions.planning.parked import Expired, Noted, Rules, Withdrawn
from workers.sessions.planning.planner import Earlier, decide
from workers.sessions.planning.plans import BegunTurn, Control, Handled, HandOff, Move, Park, SessionPlan, Wait
from workers.sessions.planning.speech import language_for
from workers.sessions.spending import Spending
from workers.sessions.turns.asking import parked_commit
from workers.sessions.turns.held_questions import HeldQuestions
from workers.sessions.turns.journal import TurnJournal
from workers.showing import NO_TRACE

log = logging.getLogger("cohort.turns")


@dataclass(frozen=True, slots=True)
class CutTurn:
    """One such turn."""

    messages: Sequence[Inbound]
    journal: TurnJournal
    taken: int
    """How many inbox entries it took."""

    owned: OwnedSession
    held: HeldQuestions | None = None
    """Of a turn of this process: what it has asked with its call open."""

    @property
    def showed(self) -> bool:
        """Whether it had spoken, or put a question: what comes then may answer that."""
        return self.spoke or (self.held is not None and self.held.asked)

    @property
    def spoke(self) -> bool:
        """Whether it had shown words or finished a step."""
        return bool(self.owned.seen.strip() or self.journal.kept)

    async def history(self, deps: Dependencies) -> bytes | None:
        """The session's history with it. None leaves the history as it is: a stop must not fail because of it."""
        if not self.messages or self.messages[0].kind == "compact":
            return None
        owned = self.owned
        request = TurnRequest(
            owned.session,
            tuple(self.messages),
            owned.history,
            owned.choice("agent"),
            owned.choice("model"),
            steps=self.journal,
        )
        try:
            return await deps.runtime.histories.stopped(request, owned.seen)
        except TurnFailed:  # It cannot be read here, so nothing is added to it.
            return None
        except Exception:
            log.exception("stop.defect", extra={"session": str(owned.session)})
            return None


async def kept_history(
    deps: Dependencies, owned: OwnedSession, spending: Spending, begun: BegunTurn | None, cut: CutTurn | None = None
) -> bytes | None:
    """The history with a turn that was begun and ends without an answer.

    Args:
        deps: The worker's dependencies.
        owned: The session.
        spending: Its journal's.
        begun: The turn; None when there is none.
        cut: The same, as it was cancelled here. Of a worker that died, the finished steps are known, and Telegram knows
            the words.
    """
    if begun is None:
        return None
    if cut is None:
        journal = TurnJournal(owned, spending, begun.updates)
        await journal.open()
        await seen_words(deps, owned)
        cut = CutTurn(begun.messages, journal, len(begun.updates), owned)
    return await cut.history(deps)


async def commit_of_parked(
    deps: Dependencies, owned: OwnedSession, spending: Spending, plan: Park, step: Noted | Withdrawn | Expired
) -> Commit:
    """The commit of a parked turn's step: one that ends the turn keeps in the history what there is of it."""
    history = None if isinstance(step, Noted) else await kept_history(deps, owned, spending, plan.begun)
    return parked_commit(owned, step, plan.handled, history)


def rules_of(deps: Dependencies, owned: OwnedSession) -> Rules:
    """What decides beside the inbox and the session's state."""
    settings = deps.settings
    return Rules(
        owned.effective("queue", settings),
        deps.clock.now(),
        settings.admins,
        language=owned.choice(LANGUAGE),
        usual=owned.tongue,
        quiet_s=settings.burst.total_seconds(),
    )


def decided(
    deps: Dependencies, owned: OwnedSession, inbox: Sequence[bytes], tries: int, cut: CutTurn | None
) -> SessionPlan:
    """The next step; from now on its task speaks the language of the person who is answered."""
    rules = rules_of(deps, owned)
    plan = decide(inbox, earlier_of(owned, tries, cut), rules)
    if not isinstance(plan, Wait | HandOff | Move):
        choice = plan.set if isinstance(plan, Control) else {}
        speak(language_for(plan.handled.tongue, rules, choice))
    return plan


def earlier_of(owned: OwnedSession, tries: int, cut: CutTurn | None) -> Earlier:
    """What the planner has to know beside the inbox."""
    showed = bool(owned.live or owned.inherits_draft)
    before = owned.batch_size, owned.isolate_next, owned.said, owned.mark
    answered = frozenset(owned.parking.turn.answered if owned.parking is not None else ())
    earlier = Earlier(tries, *before, showed=showed, parking=owned.parking, answered=answered)
    if cut is None:
        return earlier
    held = cut.held.consumed if cut.held is not None else ()
    return replace(earlier, cut=cut.taken, spoke=cut.spoke, answered=answered.union(held))


async def interrupted(deps: Dependencies, owned: OwnedSession, cut: CutTurn | None, handled: Handled) -> Commit:
    """The commit of a turn that a newer message interrupted."""
    stands, notes = owned.shows_unknown, (phrase("interrupted"),)
    shown = owned.kept if owned.shows_own(deps.settings.stream) else ""
    trace = owned.trace if shown else NO_TRACE
    replies = deps.delivery.render(shown, edits=() if stands else owned.live, notes=notes, trace=trace)
    if stands:
        replies = below(owned, replies)
    answering = tuple(reply.model_copy(update={"answers": handled.answers}) for reply in replies)
    history = await cut.history(deps) if cut else None
    return Commit(handled.drop, answering, history, unset=(StateField.unanswered,))
