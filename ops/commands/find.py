"""``cohort find``: the way of a message, from its update to the final edit, with times."""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ops.commands.of_bot import OfBot, of_bot
from ops.context import Context, context, run
from tasks.envelope import DeadLetter
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.views import Waiting
from tasks.telemetry import tracing
from tasks.telemetry.logs import session_hash
from tasks.turn_record import TurnRecord, letter_reference, read_reference, reference

_TASK = re.compile(r"(\d+)-(\d+)")
_SESSIONS_LOOKED_AT = 5_000
"""Sessions with work whose inboxes are read, the longest waiting of each slot first."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: any of these readings of one word."""

    word: str
    update: int | None = None
    chat: int | None = None
    key: bytes | None = None
    """With which logs hash sessions."""

    @classmethod
    def of(cls, word: str, key: bytes | None = None) -> "Sought":
        """Read what an operator typed: a reference, a chat, a session, an update, a task, or a session's hash."""
        bare = read_reference(word)
        if task := _TASK.fullmatch(bare):
            return cls(bare, update=int(task[2]), key=key)
        number = int(bare) if re.fullmatch(r"-?\d{1,18}", bare) else None
        return cls(bare, update=number, chat=number, key=key)

    def means(self, session: str, updates: set[int]) -> bool:
        """Whether a session, or a message of it, is meant."""
        try:
            about = SessionKey.parse(session)
        except ValueError:
            return False
        if self.word == session or self.chat == about.chat or self.update in updates:
            return True
        # A line about a chat's limits names the chat, whatever the topic.
        named = {session, str(SessionKey(about.bot, about.chat))}
        if self.key is not None and self.word in {session_hash(name, self.key) for name in named}:
            return True
        return any(reference(about.bot, update) == self.word for update in updates)

    def means_letter(self, letter: DeadLetter) -> bool:
        """Whether a dead letter, or its session, is meant."""
        if letter.update_id is None and letter.raw is not None and letter_reference(letter.raw) == self.word:
            return True
        return self.means(letter.session or "", {letter.update_id or 0})


def find(
    what: Annotated[str, typer.Argument(help="A reference, chat, update, session, task, or a hash from a log.")],
    limit: Annotated[int, typer.Option(min=1, help="How many turns, the newest.")] = 10,
    *,
    bot: OfBot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show the way of a message with times: accepted, begun, first text, committed, final edit; or where it waits."""
    found = run(_found(context(), what, limit, bot))
    if as_json:
        print(json.dumps(found))
    else:
        for line in _lines(found):
            print(line)
    if not any(found.values()):
        if not as_json:
            print(f"nothing is known of {what}: the last turns of about a week are kept")
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command."""
    # Groups have negative numbers, which are no options.
    app.command(context_settings={"ignore_unknown_options": True})(find)


async def _found(here: Context, what: str, limit: int, bot: str | None) -> dict[str, list[dict[str, Any]]]:
    async def work(store: Store) -> dict[str, list[dict[str, Any]]]:
        of = await of_bot(here, store, bot)
        sought = Sought.of(what, await store.trail.known_log_key())
        turns = [_turn(record) async for record in _some(_matching(store, sought, of), limit)]
        waiting = await store.sessions.waiting(here.settings.slots, _SESSIONS_LOOKED_AT)
        letters = await store.dead.list(None, bot=of)
        return {
            "waiting": [one for entry in waiting if of in (None, entry.bot) for one in _waiting(sought, entry)],
            "turns": list(reversed(turns)),
            "dead": [
                {"id": dead.id, "session": dead.letter.session, "at": dead.letter.at, "reason": dead.letter.reason}
                for dead in letters
                if sought.means_letter(dead.letter)
            ],
        }

    return await here.read(work)


async def _matching(store: Store, sought: Sought, bot: int | None) -> AsyncGenerator[TurnRecord]:
    async for record in store.trail.newest(bot):
        if sought.means(record.session, record.found_by):
            yield record


async def _some[T](items: AsyncGenerator[T], limit: int) -> AsyncGenerator[T]:
    async for item in items:
        yield item
        limit -= 1
        if not limit:
            return


def _turn(record: TurnRecord) -> dict[str, Any]:
    said = {"references": sorted(record.references()), "replaced": record.replaced}
    return {**record.model_dump(), "updates": list(record.updates), "stands_for": list(record.stands_for), **said}


def _waiting(sought: Sought, entry: Waiting) -> Iterator[dict[str, Any]]:
    known = {message.update_id for message in entry.inbox} | {
        ident for reply in entry.outbox for ident in reply.answers
    }
    if not sought.means(entry.session, known):
        return
    shared = {"session": entry.session, "owner": entry.owner}
    for place, message in enumerate(entry.inbox, 1):
        trace = tracing.id_of(message.trace)
        waits = {**shared, "update": message.update_id, "accepted": message.at, "place": place, "where": "inbox"}
        yield {**waits, "traces": [trace]} if trace else waits
    for place, reply in enumerate(entry.outbox, 1):
        yield {**shared, "updates": list(reply.answers), "place": place, "where": "outbox"}


def _lines(found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    for letter in found["dead"]:
        yield f"{_time(letter['at'])}  dead letter {letter['id']} of {letter['session']}: {letter['reason']}"
    for turn in found["turns"]:
        updates = ", ".join(str(update) for update in turn["updates"])
        refs = ", ".join(turn["references"])
        yield f"update {updates} of {turn['session']}, {turn['outcome']} by {turn['worker']} (ref {refs})"
        if turn["replaced"]:
            yield f"  its apology took the place of that with ref {', '.join(turn['replaced'])}"
        yield from _traces(turn)
        before: float = turn["accepted"]
        steps = (("accepted", "accepted"), ("begun", "turn begun"), ("first", "first text"), ("committed", "committed"))
        for step in turn["steps"]:
            took = "did not end" if step["ended"] is None else f"{max(0.0, step['ended'] - step['begun']):.3f} s"
            yield f"  {_time(step['begun'])}  tool {step['tool']}: {took}{', failed' if step['failed'] else ''}"
        for call in turn["calls"]:
            tokens = f", {call['input_tokens']} tokens in, {call['output_tokens']} out"
            took = f"{max(0.0, call['ended'] - call['begun']):.3f} s{tokens}{', failed' if call['failed'] else ''}"
            yield f"  {_time(call['begun'])}  model {call['model'] or '?'} ({call['agent'] or '?'}): {took}"
        for name, words in (*steps, ("delivered", "final edit at Telegram")):
            if turn[name] is not None:
                yield f"  {_time(turn[name])}  +{max(0.0, turn[name] - before):.3f} s  {words}"
                before = turn[name]
        yield from _undelivered(turn)
    for one in found["waiting"]:
        who = f"taken by {one['owner']}" if one["owner"] else "not taken by a worker yet"
        if one["where"] == "inbox":
            accepted = _time(one["accepted"])
            yield f"{accepted}  update {one['update']} of {one['session']} is number {one['place']} of its inbox, {who}"
            yield from _traces(one)
        else:
            yield f"an answer of {one['session']} is number {one['place']} of its outbox, {who}"


def _undelivered(turn: dict[str, Any]) -> Iterator[str]:
    if turn["refused"]:
        yield f"  Telegram refused it for good, so it was dropped: {turn['refused']}"
    elif turn["committed"] is not None and turn["delivered"] is None and turn["outcome"] != "set_aside":
        yield "  its delivery was broken off; the next owner of the session goes on with it"
    if turn["unheard"]:
        yield f"  Telegram refused what was spoken of it; its words stand in the chat: {turn['unheard']}"


def _traces(found: dict[str, Any]) -> list[str]:
    return [f"  trace {trace}" for trace in found.get("traces", ())]


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
