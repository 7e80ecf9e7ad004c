"""Telegram as turns see it: chats that remember what was shown, and a delivery to them."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from botapi.errors import ChatMigrated, Undeliverable
from tasks.envelope import Reply
from tasks.session import SessionKey
from tests.workers.fakes import Changes, Hold, Killed, without_reference
from workers.interfaces import LiveAnswer
from workers.showing import NO_TRACE, Showing, Step, Trace
from workers.telegram.render import render


@dataclass
class Chat:
    """What a user sees: message id -> text, in order."""

    shown: dict[int, str] = field(default_factory=dict)


class Telegram:
    """All chats, as every worker's delivery changes them."""

    def __init__(self) -> None:
        self.chats: dict[SessionKey, Chat] = {}
        self.delivered: list[tuple[SessionKey, Reply]] = []
        self.noted: set[int] = set()
        self.answers_late: Hold | None = None
        self.drafts = False
        """Answers grow in drafts, of which nothing is known afterwards."""
        self.changes = Changes()
        self.phases: list[str] = []
        self._last_id = 100

    def chat(self, session: SessionKey) -> Chat:
        return self.chats.setdefault(session, Chat())

    def create(self, session: SessionKey, text: str) -> int:
        self._last_id += 1
        self.chat(session).shown[self._last_id] = text
        self.changes.tell()
        return self._last_id

    def edit(self, session: SessionKey, message_id: int, text: str) -> None:
        self.chat(session).shown[message_id] = text
        self.changes.tell()

    def note(self, message_id: int) -> None:
        """Redis knows it now."""
        self.noted.add(message_id)
        self.changes.tell()

    def take(self, session: SessionKey, reply: Reply) -> int:
        self.delivered.append((session, reply))
        for message_id in reply.drops:
            self.chat(session).shown.pop(message_id, None)
        if reply.edit is None:
            return self.create(session, reply.text)
        self.edit(session, reply.edit, reply.text)
        return reply.edit

    def texts(self, session: SessionKey) -> list[str]:
        """What was delivered, in order, without the references of apologies (``test_references.py`` looks at those)."""
        return [without_reference(reply.text) for where, reply in self.delivered if where == session]

    def answered(self, session: SessionKey) -> list[int]:
        """Update ids that the delivered replies answer, in order."""
        return [ident for where, reply in self.delivered if where == session for ident in reply.answers]

    def ended(self) -> set[int]:
        """Update ids with an answer."""
        return {ident for _, reply in self.delivered for ident in reply.answers}

    async def until_delivered(self, count: int) -> None:
        await self.changes.until(lambda: len(self.delivered) >= count)


class ScriptedLive:
    """Shows each text at once, from a task of its own, as the real one does; a form feed begins a message."""

    def __init__(
        self,
        telegram: Telegram,
        session: SessionKey,
        message_ids: Sequence[int],
        created: Callable[[int], Awaitable[None]],
        still_ours: Callable[[], Awaitable[None]],
        *,
        older: bool = False,
        refused: Callable[[], Awaitable[bool]],
    ) -> None:
        self._refused = refused
        self._still_ours = still_ours
        self._telegram = telegram
        self._session = session
        self._created = created
        self._news = asyncio.Event()
        self._over = False
        self._text = ""
        self.message_ids = tuple(message_ids)
        self.stands: str | None = telegram.chat(session).shown.get(self.message_ids[-1], "") if older else None

    def text(self, so_far: str) -> None:
        self._text = so_far
        self._news.set()

    def begin_again(self) -> None:
        if self._text:
            self.stands, self._text = self._text, ""

    def more(self, text: str) -> None:
        self._text += text
        self._news.set()

    def thought(self, text: str) -> None:
        self._news.set()

    def heard(self, words: str) -> None:
        self._news.set()

    def step(self, step: Step) -> None:
        self._news.set()

    def phase(self, words: str) -> None:
        self._telegram.phases.append(words)
        self._news.set()

    def settled(self, reply: Reply) -> bool:
        return reply.edit is not None and self._telegram.chat(self._session).shown.get(reply.edit) == reply.text

    def end(self) -> None:
        self._over = True
        self._news.set()

    async def run(self) -> None:
        try:
            while not self._over:
                await self._news.wait()
                self._news.clear()
                if not self._text:
                    continue
                if self.stands is not None and len(self._text) < len(self.stands):
                    continue
                self.stands = None
                await self._still_ours()
                if await self._refused():
                    return
                if self._telegram.drafts:
                    continue
                for place, part in enumerate(self._text.split("\f")):
                    await self._show(place, part)
        except Exception:  # noqa: BLE001 - "its failure ends the frames"
            return

    async def _show(self, place: int, part: str) -> None:
        if place < len(self.message_ids):
            self._telegram.edit(self._session, self.message_ids[place], part)
            return
        message_id = self._telegram.create(self._session, part)
        if self._telegram.answers_late is not None:
            await self._telegram.answers_late.here()
        self.message_ids = (*self.message_ids, message_id)
        await self._created(message_id)
        self._telegram.note(message_id)


class ScriptedDelivery:
    """One worker's way to Telegram."""

    def __init__(self, telegram: Telegram, is_dead: Callable[[], bool]) -> None:
        self.telegram = telegram
        self._is_dead = is_dead
        self.gone: set[SessionKey] = set()
        self.gone_why = "bot was blocked"
        self.moved: dict[SessionKey, int] = {}
        self.before: Callable[[SessionKey, Reply], Awaitable[None]] | None = None
        self.unrenderable = ""
        self.rendered_in: list[bool] = []
        self.dropped: list[str] = []
        """Files that are delivered."""

    @asynccontextmanager
    async def live(
        self,
        session: SessionKey,
        showing: Showing,
        *,
        created: Callable[[int], Awaitable[None]],
        still_ours: Callable[[], Awaitable[None]],
    ) -> AsyncGenerator[LiveAnswer]:
        async def refused() -> bool:
            if session in self.gone:
                await showing.unheard(self.gone_why)
            return session in self.gone

        ids, older = showing.message_ids, showing.older
        live = ScriptedLive(self.telegram, session, ids, created, still_ours, older=older, refused=refused)
        frames = asyncio.TaskGroup()
        await frames.__aenter__()
        frames.create_task(live.run(), name="live")
        try:
            yield live
        finally:
            live.end()
            # As the real one: what ended the turn must not come out as a group.
            await frames.__aexit__(None, None, None)

    async def standing(
        self,
        session: SessionKey,
        ids: Sequence[int],
        thinking: str,
        *,
        still_ours: Callable[[], Awaitable[None]],
    ) -> str:
        await still_ours()
        return "".join(self.telegram.chat(session).shown.get(message_id, "") for message_id in ids)

    def delivered(self, session: SessionKey, reply: Reply) -> None:
        self.dropped += [file.name for file in reply.files]

    async def deliver(
        self, session: SessionKey, reply: Reply, *, still_ours: Callable[[], Awaitable[None]] | None = None
    ) -> tuple[int, ...]:
        if self.before is not None:
            await self.before(session, reply)
        if still_ours is not None:
            await still_ours()
        if self._is_dead():
            raise Killed
        if session in self.moved:
            raise ChatMigrated(self.moved[session])
        if session in self.gone:
            raise Undeliverable(self.gone_why)
        further = (self.telegram.create(session, file.caption) for file in reply.files[1:])
        return (self.telegram.take(session, reply), *further)

    def render(
        self,
        markdown: str,
        *,
        edits: Sequence[int] = (),
        reply_to: int | None = None,
        notes: Sequence[str] = (),
        trace: Trace = NO_TRACE,
        alone: bool = False,
    ) -> tuple[Reply, ...]:
        self.rendered_in.append(threading.current_thread() is threading.main_thread())
        if self.unrenderable and self.unrenderable in markdown:
            raise ValueError("a defect in rendering")
        if "![" in markdown:
            return render(markdown, edits=edits, reply_to=reply_to, notes=notes, trace=trace)
        text = "\n\n".join(part for part in (trace.thoughts, markdown, *notes, *trace.steps) if part)
        parts = text.split("\f")
        *before, last = [
            Reply(text=part, edit=dict(enumerate(edits)).get(place), reply_to=None if place else reply_to)
            for place, part in enumerate(parts)
        ]
        return (*before, last.model_copy(update={"drops": tuple(edits[len(parts) :])}))
