"""What each part of the console's page shows, as JSON."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from ops.commands.find import Sought
from ops.commands.status.read import look
from ops.commands.status.text import bot_lines, health_problems, unanswered
from ops.commands.status.view import Look
from ops.commands.stuck import oldest
from tasks.chats.access import People, access_by
from tasks.clock import Clock
from tasks.errors import StateDamaged
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.listing import SessionFacts
from tasks.store.oversight import OpenTurn, PersonUsage
from tasks.telemetry.rollups import PlotSpan, Together
from tasks.text import is_digits
from tasks.turn_record import TurnRecord
from workers.runtime.conversation import stored

type Json = dict[str, Any]

AGES_S = (1, 10, 60, 600)
"""Bounds of the ages of work, in seconds."""
_PAGE = 50
_TURNS = 30
"""Turns of a session that are shown."""
_LATEST = 3_000
"""Turns that are looked through for the sessions that were active last."""
_PEOPLE = 200
_BOTS = 100
_MESSAGES = 40
"""Of a history that is shown, the last ones."""


async def overview(store: Store, clock: Clock, *, slots: int) -> Json:
    """How the system stands."""
    now = await look(store, clock, slots=slots)
    view = await store.members.look()
    names = {incarnation: status.node_of(incarnation) for incarnation, status in view.members.items()}
    depths = {depth.slot: depth for depth in now.depths}
    return {
        **now.to_json(),
        "problems": health_problems(now, "all", "")
        + list(now.risks)
        + list(now.paused)
        + _telegram(now.telegram.held_s)
        + _late(now),
        "bot_lines": [{"text": text, "good": good} for text, good in bot_lines(now)],
        "names": names,
        "by_bot": await _by_bot(store, clock),
        "ages": {"bounds": AGES_S, "counts": await store.oversight.ages(clock.now(), AGES_S)},
        "pool": [
            {
                "slot": slot,
                "owner": view.slots.get(slot) if view.slots.get(slot) in view.members else None,
                "sessions": depths[slot].sessions if slot in depths else 0,
                "oldest_s": depths[slot].oldest_s if slot in depths else 0.0,
            }
            for slot in range(slots)
        ],
    }


async def _by_bot(store: Store, clock: Clock) -> list[Json]:
    """What waits for each of several bots; empty where there is one."""
    seen = list((await store.bots.look()).values())
    if not any(status.name for status in seen):
        return []
    names = {status.bot: status.name or f"@{status.username}" for status in seen}
    now, waiting = clock.now(), await store.oversight.waiting_by_bot()
    rows = [(bot, names.get(bot, ""), *waiting.get(bot, (0, now))) for bot in {*names, *waiting}]
    rows.sort(key=lambda row: (-row[2], row[1], row[0]))
    return [
        {"bot": bot, "name": name, "waiting": count, "oldest_s": max(0.0, now - since)}
        for bot, name, count, since in rows[:_BOTS]
    ]


def _telegram(held_s: float) -> list[str]:
    return [f"Telegram holds the bot for {held_s:.0f} s more"] if held_s > 0 else []


def _late(now: Look) -> list[str]:
    late = unanswered(now)
    return [f"{late}: Sessions, then Oldest work"] if late is not None else []


async def series(store: Store, clock: Clock, span: PlotSpan) -> Json:
    """What the plots show."""
    found = await store.figures.series(span, clock.now())
    return {"name": span.name, "width_s": span.width_s, "buckets": [_bucket(at, one) for at, one in found]}


def _bucket(at: int, one: Together) -> Json:
    return {
        "at": at,
        "workers": one.workers,
        "turns": one.turns,
        "first_half_s": one.first_s(0.5),
        "first_most_s": one.first_s(0.95),
        "tokens": one.tokens,
        "oldest_s": one.oldest_s,
        "running": one.running,
        "lanes": one.lanes,
    }


async def sessions(store: Store, word: str, cursor: int | None, *, bot: int | None = None) -> Json:
    """A page of sessions: what a word finds, or (with a cursor) all of them, or those that were active last."""
    if word:
        found, complete = await _found(store, word, bot)
        return {"sessions": await _facts(store, found), "next": None, "complete": complete}
    if cursor is not None:
        page = await store.oversight.page(cursor, _PAGE)
        facts = await _facts(store, [one for one in page.sessions if bot in (None, one.bot)])
        return {"sessions": facts, "next": page.cursor or None, "complete": True}
    latest = await _latest(store, None, bot)
    facts = await _facts(store, latest)
    # What was erased since then is not shown.
    known = [one for one in facts if one["turns"] or one["waiting"] or one["touched"] or one["running"]]
    return {"sessions": known, "next": None, "complete": True}


async def oldest_work(store: Store, clock: Clock, *, slots: int, bot: int | None = None) -> Json:
    """The sessions whose work is the oldest, each with what it waits for."""
    chats = {one.session: one for one in await oldest(store, clock, slots=slots, most=_PAGE, bot=bot)}
    facts = await _facts(store, [SessionKey.parse(name) for name in chats])
    rows = [one | {"for_s": chats[one["session"]].for_s, "why": chats[one["session"]].why} for one in facts]
    return {"sessions": rows, "next": None, "complete": True}


async def _found(store: Store, word: str, bot: int | None) -> tuple[list[SessionKey], bool]:
    sought = Sought.of(word, await store.trail.known_log_key())
    with suppress(ValueError):
        return [SessionKey.parse(sought.word)], True
    found, complete = dict.fromkeys(await _latest(store, sought, bot)), True
    if sought.chat is not None:
        page = await store.oversight.of_chat(sought.chat, _PAGE)
        found.update(dict.fromkeys(page.sessions))
        complete = not page.cursor
    return [one for one in found if bot in (None, one.bot)][:_PAGE], complete


async def _latest(store: Store, sought: Sought | None, bot: int | None) -> list[SessionKey]:
    """Sessions by their last turn, the newest first; ``sought``: those of its turns."""
    found: dict[SessionKey, None] = {}
    looked = 0
    async for record in store.trail.newest(bot):
        looked += 1
        if sought is None or sought.means(record.session, record.found_by):
            with suppress(ValueError):
                found[SessionKey.parse(record.session)] = None
        if len(found) >= _PAGE or looked >= _LATEST:
            break
    return list(found)


async def _facts(store: Store, chosen: Sequence[SessionKey]) -> list[Json]:
    return [told(facts) for facts in await store.listing.read(chosen)]


def told(facts: SessionFacts) -> Json:
    """What is kept of a session, without a word of what was said."""
    said = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
    return said | {"session": str(facts.session), "running": facts.owner is not None}


async def session(store: Store, key: SessionKey, *, text: bool) -> Json | None:
    """One session: its facts, its last turns with their times, what waits; None when nothing is kept of it."""
    if not await store.intake.knows(key):
        return None
    (facts,) = await store.listing.read([key])
    waiting = await store.sessions.contents([str(key)])
    parked = None
    with suppress(StateDamaged):
        parked, _ = await store.sessions.parked(key)
    return {
        **told(facts),
        "records": [record async for record in _turns(store, key)],
        "inbox": [{"update": one.update_id, "at": one.at} for entry in waiting for one in entry.inbox],
        "outbox": [list(reply.answers) for entry in waiting for reply in entry.outbox],
        "question": _question(OpenTurn(str(key), parked.ends, parked), text=text) if parked is not None else None,
        "text": await _text(store, key) if text else None,
    }


async def _turns(store: Store, key: SessionKey) -> AsyncIterator[Json]:
    shown = 0
    async for record in store.trail.newest():
        if record.session == str(key):
            shown += 1
            yield turn(record)
        if shown >= _TURNS:
            return


def turn(record: TurnRecord) -> Json:
    """A turn with its times."""
    return {**record.model_dump(), "references": sorted(record.references()), "replaced": record.replaced}


async def questions(store: Store, *, text: bool, bot: int | None = None) -> Json:
    """Turns that wait for a person."""
    of_bot = "" if bot is None else f"{bot}:"
    found = [one for one in await store.oversight.questions() if one.session.startswith(of_bot)]
    return {"questions": [_question(one, text=text) for one in found]}


def _question(one: OpenTurn, *, text: bool) -> Json:
    asked = one.turn.open if one.turn is not None else ()
    return {
        "session": one.session,
        "ends": one.ends,
        "kinds": [question.kind for question in asked],
        "about": [question.about for question in asked] if text else None,
        "anyone": one.turn.anyone if one.turn is not None else None,
    }


async def _text(store: Store, key: SessionKey) -> list[Json]:
    """The end of what was said, a part after the other."""
    history = None
    with suppress(StateDamaged):
        history = stored.read((await store.listing.content(key)).history)
    said = [
        {"role": str(message.get("role", "?")), "text": str(part["text"])}
        for message in (stored.messages_of(history) if history is not None else [])
        for part in message.get("content") or ()
        if isinstance(part, dict) and part.get("text")
    ]
    return said[-_MESSAGES:]


async def dead(store: Store, *, bot: int | None = None) -> Json:
    """The newest dead letters."""
    letters = [
        {
            "id": one.id,
            "at": one.letter.at,
            "session": one.letter.session,
            "update": one.letter.update_id,
            "reason": one.letter.reason,
            "retryable": one.letter.inbound is not None,
        }
        for one in reversed(await store.dead.list(100, bot=bot))
    ]
    return {"count": await store.dead.count(bot), "letters": letters}


async def people(store: Store, *, named: bool, bot: int | None = None) -> Json:
    """Who used the bot lately, by the day, and everyone with a role; ``named``: with names."""
    found, complete = await store.oversight.people()
    days = sorted({day for person in found for day in person.days}, reverse=True)[:7]
    bots = {one.bot for one in found} | {str(status.bot) for status in (await store.bots.look()).values() if status.bot}
    known = {one: await store.people.look(int(one)) for one in sorted(bots) if is_digits(one)}
    used = {(one.bot, one.user): one for one in found if one.days}
    for of, listed in known.items():
        for user in listed.entries:
            used.setdefault((of, user), PersonUsage(of, user))
    theirs = [one for one in used.values() if bot is None or one.bot == str(bot)]
    lately = sorted(theirs, key=_order, reverse=True)
    rows = [_person(one, days, known.get(one.bot, People()), named=named) for one in lately[:_PEOPLE]]
    return {"people": rows, "count": len(lately), "days": days, "complete": complete}


def _order(one: PersonUsage) -> tuple[str, int]:
    return max(one.days, default=""), sum(one.days.values())


def _person(one: PersonUsage, days: Sequence[str], known: People, *, named: bool) -> Json:
    entry = known.entries.get(one.user)
    access = access_by(known.operator, known) if known.operator is not None else None
    role = access.role(one.user, one.user) if access is not None else None
    return {
        "bot": one.bot,
        "user": one.user,
        "role": role or (entry.role if entry is not None else None),
        "name": entry.name if entry is not None and named else None,
        "last": max(one.days, default=None),
        "tokens": [one.days.get(day, 0) for day in days],
    }
