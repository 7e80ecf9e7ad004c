"""``cohort sessions ...`` and ``cohort forget``: what is kept of conversations, and how it is taken out or erased."""

import json
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.commands.forgetting import Told, forget
from ops.commands.of_bot import OfBot, of_bot
from ops.context import Context, context, run
from ops.home import unwritable
from tasks.chats.conversations import read_index
from tasks.clock import SystemClock
from tasks.envelope import Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew, Misconfigured
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.earlier import INDEX
from tasks.store.listing import SessionFacts
from tasks.store.state import StateField
from workers.runtime.conversation import stored

app = typer.Typer(help="Conversations: list, show, stop, export, forget.", no_args_is_help=True, rich_markup_mode=None)

_DAY_S = 86_400
Session = Annotated[str, typer.Argument(help="Its name, as `cohort sessions list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(main: typer.Typer) -> None:
    """Add the commands."""
    main.add_typer(app, name="sessions")
    main.command("forget")(forget_person)


def _key(session: str) -> SessionKey:
    try:
        return SessionKey.parse(session)
    except ValueError as problem:
        raise Misconfigured(str(problem)) from None


def _when(at: float | None) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") if at else "-"


def _told(facts: SessionFacts) -> dict[str, Any]:
    said = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
    return said | {"session": str(facts.session), "running": facts.owner is not None}


def _line(facts: SessionFacts) -> str:
    tokens = facts.input_tokens + facts.output_tokens
    line = f"{facts.session}  {_when(facts.touched)}  turns {facts.turns}  tokens {tokens}"
    line += f"  waiting {facts.waiting}" if facts.waiting else ""
    return line + (f"  on {facts.owner}" if facts.owner else "")


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions ``cohort sessions list`` shows; a field that is not set leaves out none."""

    chat: int | None = None
    agent: str | None = None
    waiting: bool = False
    """Those with unanswered messages."""
    running: bool = False
    """Those that a worker has now."""
    before: float | None = None
    """Those without a turn since then, in seconds since the epoch."""

    def fits(self, facts: SessionFacts) -> bool:
        """Whether it is shown. Of a session of an older release the last turn's time is not known: it is not old."""
        return (
            (self.chat is None or facts.session.chat == self.chat)
            and (self.agent is None or facts.agent == self.agent)
            and (not self.waiting or facts.waiting > 0)
            and (not self.running or facts.owner is not None)
            and (self.before is None or (facts.touched is not None and facts.touched <= self.before))
        )


@app.command("list")
def list_(  # noqa: PLR0913 - its filters
    *,
    bot: OfBot = None,
    chat: Annotated[int | None, typer.Option(help="Of this chat, with all its topics.")] = None,
    agent: Annotated[str | None, typer.Option(help="That chose this agent.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="With unanswered messages.")] = False,
    running: Annotated[bool, typer.Option("--running", help="That a worker has now.")] = False,
    older: Annotated[int | None, typer.Option(min=0, help="Without a turn for so many days.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to print.")] = 50,
    after: Annotated[str, typer.Option(help="Go on behind this session.")] = "",
    as_json: AsJson = False,
) -> None:
    """List them by name: last turn (UTC), turns, tokens, waiting messages, worker. No text is read."""
    before = SystemClock().now() - older * _DAY_S if older is not None else None
    shown = SessionFilter(chat, agent, waiting, running, before)

    async def work(here: Context) -> None:
        async with here.reader() as store:
            of = await of_bot(here, store, bot)
            found = await store.listing.page(limit + 1, bot=of, after=after, wanted=shown.fits)
        page, more = found[:limit], len(found) > limit
        if as_json:
            told = {"sessions": [_told(facts) for facts in page], "after": str(page[-1].session) if more else None}
            print(json.dumps(told))
            return
        for facts in page:
            print(_line(facts))
        if more:
            print(f"... more: --after {page[-1].session}")
        elif not page:
            print("no sessions")

    run(work(context()))


@app.command()
def show(
    session: Session,
    *,
    text: Annotated[bool, typer.Option("--text", help="With what was said, and notes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the facts of one session; what was said only with --text."""
    key = _key(session)

    async def work(here: Context) -> None:
        async with here.reader() as store:
            told = await _facts(store, key)
            if text:
                told |= await _content(store, key)
        if as_json:
            print(json.dumps(told, indent=2, ensure_ascii=False))
            return
        for name, value in told.items():
            shown = _when(value) if name == "touched" else value
            if isinstance(shown, list | dict):
                print(f"{name}:")
                print("\n".join(f"  {line}" for line in _lines(name, shown)))
            else:
                print(f"{name}: {'-' if shown is None else shown}")

    run(work(context()))


@app.command()
def export(
    session: Session,
    file: Annotated[Path | None, typer.Option("--to", help="A new file; without it, standard output.")] = None,
) -> None:
    """Write everything that is kept of a session as JSON: facts, history, notes, what waits, choices."""
    key = _key(session)

    async def work(here: Context) -> None:
        async with here.reader() as store:
            told = await _facts(store, key) | await _content(store, key) | await _further(store, key)
        whole = json.dumps(told, indent=2, ensure_ascii=False)
        if file is None:
            print(whole)
            return
        try:
            with file.open("x", encoding="utf-8") as out:
                out.write(whole + "\n")
        except OSError as problem:
            raise unwritable(f"{file}: cannot be written ({problem.strerror or problem})", problem) from None
        print(f"{key} written to {file}")

    run(work(context()))


@app.command("stop")
def stop_session(session: Session) -> None:
    """End its turn and what waits in it, as /stop of its person does; the person reads that it was stopped."""
    from ops.commands.stopping import stop  # noqa: PLC0415 - Celery takes long to import

    here, key = context(), _key(session)
    ended = run(stop(here, key))
    print(f"{key}: told to stop, with {ended} message{'' if ended == 1 else 's'}; `cohort stuck` shows whether it has")


@app.command("forget")
def forget_session(session: Session, *, yes: Yes = False) -> None:
    """Erase one session: history, choices, notes, reminders, what waits, dead letters, files. There is no way back."""
    here, key = context(), _key(session)
    _confirm(f"Erase everything of {key}?", yes=yes)
    _report(run(forget(here, ErasureScope(session=key))))


def forget_person(
    user: Annotated[int, typer.Argument(min=1, help="The person's number at Telegram.")], *, yes: Yes = False
) -> None:
    """Erase one person everywhere: private chats, messages in groups, usage, notes, reminders, files, logs."""
    here = context()
    _confirm(f"Erase everything of the person {user}?", yes=yes)
    _report(run(forget(here, ErasureScope(user=user))))


def _confirm(question: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(question):
        raise Misconfigured("nothing was erased")


def _report(told: Told) -> None:
    for what, count in sorted(told.counts.items()):
        if count:
            print(f"erased: {count} {what}")
    if not any(told.counts.values()):
        print("nothing was found")
    for group in sorted(told.groups, key=str):
        print(f"in {group}: what others and agents said of this person stays")
    print("Logs name all sessions by new hashes from now on; those of before are no session's any more.")
    print("Not reached: files of `cohort backup`, Telegram's own copies, what providers of models keep.")
    for problem in told.problems:
        print(f"left: {problem}")
    if told.problems:
        raise typer.Exit(1)


# -- what is kept


async def _facts(store: Store, key: SessionKey) -> dict[str, Any]:
    if not await store.intake.knows(key):
        raise Misconfigured(f"nothing is kept of {key}")
    [facts] = await store.listing.read([key])
    return _told(facts)


async def _content(store: Store, key: SessionKey) -> dict[str, Any]:
    kept = await store.listing.content(key)
    earlier = await store.earlier.whole(key)
    return {
        "history": _history(kept.history),
        "earlier": [
            {**one.model_dump(), "history": _history(earlier.get(str(one.number)))}
            for one in read_index(earlier.get(INDEX))
        ],
        "notes": await store.notes.recall(key),
        "reminders": [_message(one.to_json().encode()) for one in await store.reminders.waiting(key)],
        "inbox": [_message(raw) for raw in kept.inbox],
        "outbox": [_json(raw) for raw in kept.outbox],
    }


async def _further(store: Store, key: SessionKey) -> dict[str, Any]:
    """What stands beside the conversation: choices, questions, messages for Retry, steps under way, thumbs."""
    kept = await store.listing.content(key)
    thumbs = [one for one in await store.feedback.since(0.0) if one.session == key]
    return {
        "state": {name: _json(value) for name, value in sorted(kept.state.items()) if name != StateField.history},
        "journal": [_json(raw) for raw in kept.journal],
        "thumbs": [{"update": one.update, "person": one.person, "thumb": one.thumb, "at": one.at} for one in thumbs],
    }


def _history(raw: bytes | None) -> Any:
    read = stored.read(raw)
    return read if read is not None or not raw else b64encode(raw).decode()


def _message(raw: bytes) -> Any:
    with suppress(EnvelopeInvalid, EnvelopeTooNew):
        return json.loads(Inbound.from_json(raw).to_json())
    return _json(raw)


def _json(raw: bytes) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(raw)
    return raw.decode(errors="replace")


def _lines(name: str, shown: Sequence[Any] | dict[str, Any]) -> list[str]:
    """A history as a conversation; other things as JSON, one a line."""
    if name == "history" and isinstance(shown, dict):
        return [
            f"{message.get('role', '?')}: {part.get('text', '')}"
            for message in stored.messages_of(shown)
            for part in message.get("content") or ()
            if isinstance(part, dict) and part.get("text")
        ]
    if isinstance(shown, dict):
        return [f"{topic}: {note}" for topic, note in shown.items()]
    return [json.dumps(one, ensure_ascii=False) for one in shown]
