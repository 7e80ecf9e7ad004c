"""Commits without a turn, for a control word or a message that is given up: what the user is told, what changes."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from tasks.chats import choices as chat_choices
from tasks.chats.choices import CHAT_CHOICES
from tasks.chats.model_lines import model_lines
from tasks.envelope import Button, Reply
from tasks.phrases import phrase, sentences
from tasks.session import SessionKey
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from tasks.turn_record import TurnRecord, letter_reference, reference, task_id, with_reference
from workers.sessions.commands.again import exchange_buttons, stood_in
from workers.sessions.commands.conversations import begin_another, conversation_commit
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession, below, persist, seen_words
from workers.sessions.planning import plans
from workers.sessions.planning.planner import dead_letter
from workers.sessions.reminders import after_cut
from workers.sessions.turns.asking import withdrawn
from workers.showing import NO_TRACE

log = logging.getLogger("cohort.turns")


async def control_commit(deps: Dependencies, owned: OwnedSession, plan: plans.Control, history: bytes | None) -> Commit:
    """Build the commit. The text that a stopped turn has shown stays, and is marked as stopped."""
    if plan.word is not None:
        return await conversation_commit(deps, owned, plan.handled, plan.word)
    plan, buttons = await _with_reminders(deps, owned, plan)
    line = owned.told_in if plan.told and owned.inherits_draft and not owned.live else None
    if line is not None:
        # The draft's words come into the bot's line, above what it says.
        plan = replace(plan, words=sentences(plan.told, plan.words))
    aside, another = await begin_another(deps, owned) if plan.forget else (False, {})
    words = sentences(plan.words, phrase("new-set-aside") if aside else "")
    plan = replace(plan, words=words, set={**plan.set, **another})
    replies = _replies(deps, owned, plan, edits=owned.live or (() if line is None else (line,)))
    if history is not None:
        # The bot's own line has them where it knew that something was shown.
        buttons = buttons if plan.stood_in and owned.live else (*buttons, exchange_buttons(history))
        plan = replace(plan, set={**plan.set, **(stood_in(plan.stood_in, history) if plan.stood_in else {})})
    if buttons and replies:
        replies = (*replies[:-1], replies[-1].model_copy(update={"buttons": buttons}))
    kept = {name: value for name, value in plan.set.items() if value}
    unset = tuple(name for name, value in plan.set.items() if not value)
    forget = (
        (StateField.history, StateField.retry_batch, StateField.allowed, StateField.standing) if plan.forget else ()
    )
    if plan.forget or history is not None:
        # The last exchange is the stopped one, or there is none.
        forget = (*forget, StateField.unanswered)
    then = (plan.then,) if plan.then is not None else ()
    return Commit(plan.handled.drop, replies, history, set=kept, unset=(*unset, *forget), then=then)


def _replies(
    deps: Dependencies, owned: OwnedSession, plan: plans.Control, *, edits: tuple[int, ...]
) -> tuple[Reply, ...]:
    """What is said: the picker, what a stopped turn has shown, the words; and questions that end with it.

    ``edits``: the messages that are to have what the stopped turn has shown.
    """
    render = deps.delivery.render
    # Without a message or a draft the user has seen no text. What a dead worker has shown stays as it is while this one
    # has shown less.
    known = owned.shows_own(deps.settings.stream)
    partial, trace = (owned.kept, owned.trace) if known else ("", NO_TRACE)
    seen = bool(partial or trace.thoughts or trace.heard)
    if plan.pressed is not None:
        replies = (_picker(deps, plan, plan.pressed),)
    elif seen and plan.forget:
        replies = (
            *render(partial, edits=edits, notes=(phrase("stopped"),), trace=trace),
            *(render(plan.words) if plan.words else ()),
        )
    elif seen:
        replies = render(partial, edits=edits, notes=(plan.words,), trace=trace)
    elif not plan.words:
        # The bot has said it (``bot.stand_in``).
        replies = ()
    else:
        replies = render(plan.words, edits=() if owned.shows_unknown else owned.live)
    replies = tuple(reply.model_copy(update={"answers": plan.handled.answers}) for reply in replies)
    if replies and owned.shows_unknown and not seen:
        replies = below(owned, replies)
    return (*withdrawn(owned), *replies)


def _picker(deps: Dependencies, plan: plans.Control, message_id: int) -> Reply:
    """The picker as it stands after the choice."""
    (what, value), settings = next(iter(plan.set.items())), deps.settings
    if (choice := CHAT_CHOICES.get(what)) is not None:
        now = choice.effective(value, settings)
        said, names = choice.picker(now), tuple(choice.values)
    else:
        agents, models = (deps.agents, settings.agent), (settings.models, settings.model)
        offered, default = agents if what == "agent" else models
        names = tuple(name for name in offered if name not in plan.hides)
        now = value or default or (next(iter(offered), None) if what == "agent" else None)
        about = (
            deps.descriptions_of(deps.bot)
            if what == "agent"
            else model_lines(names, {name: deps.model_facts(name) for name in names})
        )
        said = chat_choices.uses(what, now, names, about)
    return Reply(text=said, buttons=chat_choices.buttons(what, names, now), edit=message_id)


async def give_up_commit(deps: Dependencies, owned: OwnedSession, plan: plans.GiveUp) -> Commit:
    """Build the commit. When the message is a Retry, those that it was to try again become dead letters as well.

    What it has shown stays, and the words about it stand below.
    """
    words = phrase("poison") if plan.to else phrase("damaged")
    said = with_reference(words, owned.session.bot, plan.handled.answers, plan.letter.raw)
    stands = bool(await seen_words(deps, owned)) and not owned.inherits_draft
    drafted = owned.kept if owned.inherits_draft else ""
    notes = (said,) if drafted else ()
    replies = deps.delivery.render(drafted or said, edits=() if stands else owned.live, notes=notes)
    replies = tuple(reply.model_copy(update={"answers": plan.handled.answers}) for reply in replies)
    if stands:
        replies = below(owned, replies)
    letters = [plan.letter.model_copy(update={"session": str(owned.session)})]
    retried = plan.to is not None and plan.to.kind == "retry"
    if retried:
        reason, at = plan.letter.reason, plan.letter.at
        letters += [dead_letter(message, reason, at) for message in owned.retry_messages()]
    unset = (StateField.retry_batch,) if retried else ()
    replies = (*withdrawn(owned), *replies)
    # /retry has nothing to run: the message would end a worker once more.
    return Commit(plan.handled.drop, replies, set={StateField.unanswered: "[]"}, unset=unset, dead=letters)


@contextmanager
def burial(deps: Dependencies, session: SessionKey, plan: plans.GiveUp) -> Generator[None]:
    """Around the commit of a message that is given up, and the delivery of the words about it."""
    updates, begun = plan.handled.answers, deps.clock.now()
    names = {"ref": letter_reference(plan.letter.raw)}
    if updates:
        names = {"task": task_id(session.bot, updates[0]), "ref": reference(session.bot, updates[0])}
    log.error("message.buried", extra={**names, "reason": plan.letter.reason})
    ended: float | None = None
    try:
        yield
        ended = deps.clock.now()
    finally:
        if updates:
            record = TurnRecord(
                session=str(session),
                updates=updates,
                worker=deps.incarnation,
                outcome="buried",
                accepted=plan.to.at if plan.to is not None else begun,
                begun=begun,
                committed=ended,
                delivered=ended,
            )
            deps.trail.add([record])


async def _with_reminders(
    deps: Dependencies, owned: OwnedSession, plan: plans.Control
) -> tuple[plans.Control, tuple[tuple[Button, ...], ...]]:
    """Add what the user has to know about the session's reminders, and a button that cancels them."""
    if not plan.cuts:
        return plan, ()
    reminders, new = deps.reminders, plan.forget
    ended = lambda: after_cut(reminders, owned.session, new=new)  # noqa: E731 - repeated until Redis takes it
    said, buttons = await persist(ended, owned.session, deps.sleep)
    return replace(plan, words=sentences(plan.words, said)), buttons
