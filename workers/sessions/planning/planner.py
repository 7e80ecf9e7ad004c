"""The planner: decides from what waits in a session's inbox what its turn loop does next (pure: no I/O, no clock)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from tasks.chats.asking import ParkedTurn
from tasks.envelope import DeadLetter, Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.journal import Mark, turn_of
from tasks.phrases import phrase, sentences, speaking
from tasks.stopping import exchange_of, new_said, set_aside
from tasks.store.sessions import Rest
from workers import texts
from workers.sessions.planning.batching import album_left, gather
from workers.sessions.planning.bursts import quiet_left
from workers.sessions.planning.edits import MessagePrints, said_in
from workers.sessions.planning.news import waits
from workers.sessions.planning.parked import ParkedPlan, Parking, Resumed, Rules, fits, plan_parked, resumed
from workers.sessions.planning.plans import (
    TRIES_TOGETHER,
    BegunTurn,
    Compact,
    Control,
    GiveUp,
    Handled,
    HandOff,
    Interrupted,
    Move,
    Park,
    Retry,
    Run,
    SessionPlan,
    Skip,
    Undo,
    Wait,
)
from workers.sessions.planning.speech import language_for

MAX_TRIES = 3
"""A message that was begun this often without an end probably kills its worker. It goes to the dead letters."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier steps left in the session's state."""

    tries: int = 1
    """How often the head was begun, this time included."""
    batch_size: int = 0
    """How many entries the last try took. It matters when that try never ended."""
    isolate_next: int = 0
    """What the last step left of ``Handled.isolate_next``."""
    said: MessagePrints = field(default_factory=dict[int, str])
    """Fingerprints of the last messages that left the inbox."""
    mark: Mark | None = None
    """Whose steps are kept. That turn is run again with just its messages, whatever has come since."""
    cut: int = 0
    """How many entries the turn took that was cancelled just now."""
    spoke: bool = False
    """That turn had shown words or finished a step."""
    showed: bool = False
    """People see something of a turn that never ended."""
    parking: Parking | None = None
    """The turn that waits for people."""
    answered: frozenset[int] = frozenset()
    """The updates that answered questions of the turn: they wait for no answer of their own."""


def decide(
    inbox: Sequence[bytes],
    earlier: Earlier,
    rules: Rules,
) -> SessionPlan:
    """Decide the next step.

    The order of the checks matters: a migration comes first, because nothing can be sent to a group that has become a
    supergroup; then /stop and /new, which also set poison messages aside; then the limit of tries; then the head.

    Args:
        inbox: Raw entries, oldest first, at least one. The whole inbox when it is longer than what is read ahead,
            because a /stop or /new may stand behind that.
        earlier: What earlier steps left.
        rules: The queue mode, the time, and what else decides.
    """
    tries, isolate_next, said = earlier.tries, earlier.isolate_next, earlier.said
    mode, now = rules.mode, rules.now
    entries = _read(inbox, now, max(0, isolate_next - 1))
    if not isinstance(entries, list):
        return entries
    if (move := _move(entries, inbox)) is not None:
        return move
    # A suspect was begun once already, in the batch whose turn crashed, before it became the head.
    begun = tries + (1 if isolate_next else 0)
    # The last try never ended. All entries that it took are suspect, as any of them may have crashed the worker.
    if tries > 1 and not isolate_next:
        isolate_next = earlier.batch_size

    def handled(drop: int) -> Handled:
        answers = tuple(entry.update_id for entry in entries[:drop])
        last = entries[drop - 1] if 0 < drop <= len(entries) else None
        trace, tongue = (last.trace, last.tongue) if last is not None else (None, None)
        return Handled(drop, answers, max(0, isolate_next - drop), said_in(entries[:drop], said), trace, tongue)

    # The last /stop or /new counts: its user means everything before it.
    cuts = [place for place, entry in enumerate(entries, 1) if entry.kind in ("stop", "new")]
    if cuts and entries[0].kind != "conversation":
        return _stop_or_new(handled(cuts[-1]), entries[: cuts[-1]], earlier, rules)
    # With a control word between them, the old message and the new one are no turn together.
    apart = earlier.spoke or (earlier.cut and waits(entries[earlier.cut : earlier.cut + 1]))
    if apart and mode == "interrupt" and not _changed(entries, earlier.cut):
        return Interrupted(handled(earlier.cut))

    parking = earlier.parking
    if parking is not None and begun <= MAX_TRIES and fits(parking, earlier.mark, entries):
        step = plan_parked(parking, entries, said, rules)
        newer = _newer(inbox[len(entries) :]) if isinstance(step, Rest) else None
        return newer or _parked(parking.turn, step, entries, inbox, handled)
    # One at a time after a turn that never ended, so that a poison message takes no other message with it.
    # With a message that is given up its edits go, too.
    same = _resumed(earlier.mark, entries, tries) if begun <= MAX_TRIES else 0
    quiet_s, suspect = rules.quiet_s, tries > 1 or isolate_next > 0
    alone, whole = not same and (mode == "followup" or suspect), bool(quiet_s) and not suspect
    messages, taken = gather(entries[: same or None], alone=alone, bursts_whole=whole, said=said)
    if begun > MAX_TRIES:
        reason = f"begun {begun - 1} times without an end"
        # The parts of an album are one message, so they go to the dead letters together.
        album = messages[0] if messages else entries[0]
        return GiveUp(handled(len(taken) or 1), dead_letter(album, reason, now), album)
    if entries[0].kind in ("message", "reminder"):
        return _run(handled(len(taken)), messages, _rest_s(entries, taken, now, 0 if suspect or same else quiet_s))
    return _word(entries, handled, rules)


def _word(entries: Sequence[Inbound], handled: Callable[[int], Handled], rules: Rules) -> SessionPlan:
    """Plan for a control word at the head."""
    head = entries[0]
    match head.kind:
        case "choose":
            if head.told:
                return Control(handled(1), "", dict(head.choice))
            picker = head.message_id if head.pressed else None
            with speaking(language_for(head.tongue, rules, head.choice)):
                return Control(
                    handled(1), texts.chosen(head.choice), dict(head.choice), pressed=picker, hides=head.hides
                )
        case "conversation":
            return Control(handled(1), "", {}, word=head)
        case "compact":
            return Compact(handled(_repeats(entries)), head)
        case "undo":
            return Undo(handled(1), head)
        case "retry":
            return Retry(handled(_repeats(entries)), head)
        case _:
            # An answer to a question that has ended; its person was told when the button was pressed.
            return Skip(handled(_repeats(entries)))


def _resumed(mark: Mark | None, entries: Sequence[Inbound], tries: int) -> int:
    """How many entries at the head a turn took whose steps are kept; 0 for none.

    Several messages go on together once. One message goes on at each try: it is alone already, and its edits that came
    while it ran wait for their turn, because with them its steps would not fit, and its finished calls would run again.
    """
    if mark is None or len(entries) < mark.taken:
        return 0
    own = entries[: mark.taken]
    if turn_of([entry.update_id for entry in own]) != mark.turn:
        return 0
    return mark.taken if tries <= TRIES_TOGETHER or len(gather(own, alone=True)[1]) == mark.taken else 0


def _begun(earlier: Earlier, entries: Sequence[Inbound]) -> BegunTurn | None:
    """The turn at the head that was begun, here or by a worker that died."""
    mark, taken = earlier.mark, earlier.cut
    if not taken and mark is not None:
        taken = _resumed(mark, entries, 0)
    # What was handed off, or waited to be tried again, has no try behind it and was begun all the same.
    if not taken and (earlier.tries > 1 or earlier.showed):
        taken = earlier.batch_size or 1
    messages, own = gather(entries[:taken], alone=False, said=earlier.said)
    return BegunTurn(tuple(messages), tuple(entry.update_id for entry in own)) if messages else None


def _changed(entries: Sequence[Inbound], taken: int) -> bool:
    """Whether one of the first ``taken`` messages was edited since: the turn begins again with the new words."""
    numbers = {entry.message_id for entry in entries[:taken]}
    return any(entry.edited and entry.message_id in numbers for entry in entries[taken:])


def _newer(left: Sequence[bytes]) -> HandOff | None:
    """Whether what could not be read is an entry of a newer release: it may be an answer."""
    try:
        Inbound.from_json(left[0] if left else b"")
    except EnvelopeTooNew as problem:
        return HandOff(str(problem))
    except EnvelopeInvalid:
        return None
    return None


def _parked(
    turn: ParkedTurn,
    step: ParkedPlan,
    entries: Sequence[Inbound],
    inbox: Sequence[bytes],
    handled: Callable[[int], Handled],
) -> Run | Retry | Park:
    """Go on with a parked turn, with just the messages that it was begun with, or do what it needs first."""
    ends = step if isinstance(step, Resumed) else resumed(turn, entries)
    gone = (*entries[: ends.taken], *ends.consumed)
    messages, _ = gather(entries[: ends.taken], alone=False)
    # Who presses a button may be another person; who began the turn is answered.
    answers, tongue = tuple(entry.update_id for entry in gone), entries[max(ends.taken, 1) - 1].tongue
    all_of_them = replace(handled(ends.drop), answers=answers, tongue=tongue)
    if isinstance(step, Resumed) and entries[0].kind == "retry":
        return Retry(all_of_them, entries[0], ends)
    if isinstance(step, Resumed):
        return Run(all_of_them, tuple(messages), ends)
    begun = BegunTurn(tuple(messages), all_of_them.answers[: ends.taken])
    return Park(all_of_them, replace(step, seen=len(inbox)) if isinstance(step, Rest) else step, begun)


def _rest_s(entries: Sequence[Inbound], taken: Sequence[Inbound], now: float, quiet_s: float) -> float:
    """How many seconds to wait until the album or the burst at the end of ``taken`` is complete."""
    if len(taken) < len(entries):
        return 0
    return max(album_left(taken[-1], now), quiet_left(taken, now, quiet_s))


def _run(handled: Handled, messages: Sequence[Inbound], rest_s: float) -> Run | Skip | Wait:
    """Run ``messages``, or wait ``rest_s`` seconds first for what belongs to them."""
    if not messages:
        return Skip(handled)
    return Wait(rest_s) if rest_s else Run(handled, tuple(messages))


def dead_letter(message: Inbound, reason: str, now: float) -> DeadLetter:
    """Make the dead letter of a message that is given up."""
    return DeadLetter(reason=reason, at=now, session=message.session, update_id=message.update_id, inbound=message)


def _read(inbox: Sequence[bytes], now: float, isolate_next: int) -> list[Inbound] | SessionPlan:
    """Read the entries at the head, up to the first unreadable one. If that is the head, return the plan for it."""
    entries: list[Inbound] = []
    for raw in inbox:
        try:
            entries.append(Inbound.from_json(raw))
        except EnvelopeTooNew as problem:
            return entries or HandOff(str(problem))
        except EnvelopeInvalid as problem:
            lost = DeadLetter(reason=str(problem), at=now, raw=raw.decode(errors="replace"))
            return entries or GiveUp(Handled(1, (), isolate_next), lost, None)
    return entries


def _move(entries: Sequence[Inbound], inbox: Sequence[bytes]) -> Move | None:
    """The move that entries ask for. Telegram reports it in both chats, perhaps twice; one step handles all reports."""
    saying = [(entry.moved_to, raw) for entry, raw in zip(entries, inbox, strict=False) if entry.moved_to is not None]
    return Move(saying[0][0], tuple(raw for _, raw in saying)) if saying else None


def _repeats(entries: Sequence[Inbound]) -> int:
    """How many entries at the head are of the same kind: a button that is pressed twice counts once."""
    return sum(1 for _ in takewhile(lambda entry: entry.kind == entries[0].kind, entries))


def _stop_or_new(handled: Handled, entries: Sequence[Inbound], earlier: Earlier, rules: Rules) -> Control:
    """Plan for a /stop or /new, which is the last of ``entries``.

    The messages before it are set aside unanswered, as their user wants. A turn that had begun stays in the
    history, unless that is forgotten. An earlier /new and an earlier choice are carried out. A text behind the word
    /new is the first message of the new conversation.
    """
    last = entries[-1]
    unanswered = [entry for entry in entries[:-1] if entry.update_id not in earlier.answered]
    choices = [entry for entry in entries if entry.kind == "choose"]
    choice = {name: value for entry in choices for name, value in entry.choice.items()}
    untold = {name: choice[name] for entry in choices if not entry.told for name in entry.choice}
    forgets = any(entry.kind == "new" for entry in entries)
    with speaking(language_for(last.tongue, rules, choice)):
        said = [new_said(last, unanswered) if last.kind == "new" else texts.stopped(set_aside(unanswered))]
        told, said = (said[0], []) if last.told else ("", said)
        if last.kind == "stop" and any(entry.kind == "new" and not entry.told for entry in entries):
            said.append(phrase("new-conversation"))
        if untold:
            said.append(texts.chosen(untold))
    then = None
    if last.kind == "new" and (last.text.strip() or last.media):
        then = last.model_copy(update={"kind": "message"})
        # The message is answered by the next turn, so this step does not answer its update.
        left = handled.isolate_next
        handled = replace(handled, answers=handled.answers[:-1], isolate_next=left and left + 1)
    begun = None if forgets else _begun(earlier, entries)
    named = exchange_of(last) if last.kind == "stop" and last.told else ""
    words = sentences(*said)
    return Control(handled, words, choice, forget=forgets, then=then, cuts=True, begun=begun, stood_in=named, told=told)
