"""A session's conversations: what begins another, goes on with an earlier one, or names the one that goes on."""

from collections.abc import Sequence
from dataclasses import replace

from tasks.chats.conversations import (
    Conversation,
    Current,
    fitting,
    list_buttons,
    list_text,
    named,
    now_called,
    others,
    read_current,
    title_of,
)
from tasks.envelope import Inbound, Reply
from tasks.phrases import phrase
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from workers import texts
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession, persist
from workers.sessions.planning.plans import Handled
from workers.sessions.turns.outcome import Outcome

_OF_ONE = (StateField.retry_batch, StateField.allowed, StateField.unanswered, StateField.standing)
"""Fields that are of the conversation that goes on, and end with it."""


async def titled(deps: Dependencies, owned: OwnedSession, outcome: Outcome, messages: Sequence[Inbound]) -> Outcome:
    """The outcome of a turn, which names a conversation without a title by the first words in it."""
    # Without a number of its own it gets the next one: that of an earlier conversation would take its place.
    known = owned.conversation or not owned.has_answered
    current = read_current(owned.conversation) if known else (await _look(deps, owned))[0]
    for message in messages if not current.title else ():
        if title := title_of(message.text):
            named = _written(current.model_copy(update={"title": title, "by": message.person}))
            return replace(outcome, set={**outcome.set, **named})
    return outcome


async def begin_another(deps: Dependencies, owned: OwnedSession) -> tuple[bool, dict[str, str]]:
    """Set the conversation aside that goes on.

    Returns:
        Whether it is kept, and fields of the state for another one.
    """
    kept, _ = await _set_aside(deps, owned)
    if kept is None and owned.conversation is None:
        return False, {}
    current, index = await _look(deps, owned)
    # An empty conversation leaves its number to the next one, unless it was resumed and stands in the list.
    number = current.number if kept is None and len(others(current, index)) == len(index) else current.last + 1
    another = Current(number=number, last=max(number, current.last))
    return kept is not None, {StateField.conversation: ""} if another == Current() else _written(another)


async def conversation_commit(deps: Dependencies, owned: OwnedSession, handled: Handled, word: Inbound) -> Commit:
    """Build the commit of /resume or /title."""
    if "title" in word.choice:
        return await _name(deps, owned, handled, word)
    wanted = word.choice.get("resume", "")
    current, index = await _look(deps, owned)
    found = next((one for one in index if str(one.number) == wanted), None)
    if wanted == str(current.number):
        # Two people pressed it, and the list says so.
        return Commit(handled.drop) if word.pressed else _said(handled, phrase("already-there"))
    history = None
    if found is not None:
        history = await persist(lambda: deps.earlier.history(owned.session, found.number), owned.session, deps.sleep)
    if found is None or history is None:
        return _said(handled, phrase("conversation-not-kept"))
    if problem := await deps.runtime.histories.unreadable(history):
        return _said(handled, problem)
    # A crash before the commit resumes again, so what is resumed stays kept whatever the limit is.
    _, index = await _set_aside(deps, owned, stays=found)
    resumed = Current(number=found.number, last=current.last, title=found.title, by=found.by)
    said = texts.resumed(named(found.number, found.title))
    commit = _said(handled, said)
    if word.pressed:
        rest = others(resumed, index)
        listed = list_text(resumed, rest, head=said)
        commit = _said(handled, listed, edit=word.message_id, buttons=list_buttons(rest))
    return replace(commit, history=history, set=_written(resumed), unset=_OF_ONE)


async def _name(deps: Dependencies, owned: OwnedSession, handled: Handled, word: Inbound) -> Commit:
    current, _ = await _look(deps, owned)
    title = title_of(word.choice["title"])
    current = current.model_copy(update={"title": title, "by": word.person})
    said = Commit(handled.drop) if word.told else _said(handled, now_called(named(current.number, title)))
    return replace(said, set=_written(current))


async def _look(deps: Dependencies, owned: OwnedSession) -> tuple[Current, tuple[Conversation, ...]]:
    return await persist(lambda: deps.earlier.look(owned.session), owned.session, deps.sleep)


async def _set_aside(
    deps: Dependencies, owned: OwnedSession, stays: Conversation | None = None
) -> tuple[Current | None, tuple[Conversation, ...]]:
    """Keep a copy of the conversation that goes on, what fits of the earlier ones, and in any case the one that stays.

    Returns:
        That conversation, None where it is not kept; and all that are kept now.
    """
    current, index = await _look(deps, owned)
    history, most = owned.history, deps.settings.sessions_kept
    if history is None or not most:
        return None, index
    this = Conversation(
        number=current.number,
        title=current.title,
        by=current.by,
        at=deps.clock.now(),
        size_bytes=len(history),
    )
    kept = fitting((this, *others(current, index)), most=most)
    if stays is not None and stays not in kept:
        kept = (*kept, stays)
    numbers = {one.number for one in kept}
    if current.number not in numbers:
        return None, index
    await owned.set_aside(current.number, kept, [one.number for one in index if one.number not in numbers])
    return current, kept


def _written(current: Current) -> dict[str, str]:
    return {StateField.conversation: current.model_dump_json(exclude_defaults=True)}


def _said(handled: Handled, text: str, **more: object) -> Commit:
    return Commit(handled.drop, (Reply(text=text, answers=handled.answers).model_copy(update=more),))
