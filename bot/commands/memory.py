"""What people ask about the notes that an agent keeps of their chat."""

from bot.commands import memory_texts as texts
from bot.commands.saying import here, say
from bot.updates.commands import Command
from tasks.chats.pages import page_of, turning
from tasks.envelope import Button, Inbound, Reply
from tasks.phrases import phrase
from tasks.store.notes import NoteStore
from tasks.text import is_digits

_ALL, _SURE = "all", "all yes"
"""What two buttons send: the one below the list, which asks first, and the one below that question."""


class MemoryCommands:
    """Answers /memory and /forget."""

    def __init__(self, notes: NoteStore) -> None:
        self._notes = notes

    async def answer(self, ask: Command, inbound: Inbound, *, deletes: bool = True) -> Reply:
        """The answer; a page that a button turns stands in the message under which it was pressed.

        Args:
            ask: The command.
            inbound: Who says it, and where.
            deletes: Who reads the list may delete notes, and reads how.

        Raises:
            StoreUnavailable: Redis is away.
        """
        wanted = " ".join(ask.argument.split())
        if ask.name == "forget" and wanted and not (inbound.pressed and wanted == _ALL):
            return here(inbound, say(inbound, await self._forget(wanted, inbound)))
        notes = sorted((await self._notes.recall(inbound.key)).items(), key=lambda one: (one[0].casefold(), one))
        found = texts.notes_named(wanted, [topic for topic, _ in notes]) if wanted and not inbound.pressed else []
        if found:
            return say(inbound, texts.whole(found[0], dict(notes)[found[0]]))
        if notes and wanted and not (inbound.pressed or is_digits(wanted)):
            return say(inbound, texts.forgotten(0))
        if wanted == _ALL and notes:
            # All at once, by a finger that may have slipped.
            sure = Button(text=phrase("button-forget-all"), data=f"forget:{_SURE}")
            keep = Button(text=phrase("button-keep"), data="memory:1")
            return here(inbound, say(inbound, phrase("forget-all-sure", count=len(notes)), ((sure,), (keep,))))
        pages = texts.paged(notes)
        page = page_of(wanted, len(pages))
        forget_all = ((Button(text=phrase("button-forget-all"), data=f"forget:{_ALL}"),),) if notes else ()
        buttons = (*turning("memory", page, len(pages)), *forget_all)
        return here(inbound, say(inbound, texts.memory(pages, page, deletes=deletes), buttons))

    async def _forget(self, wanted: str, inbound: Inbound) -> str:
        """Notes go for good."""
        topics = list(await self._notes.recall(inbound.key))
        if wanted != _SURE and wanted.lower() != _ALL:
            topics = texts.notes_named(wanted, topics)
        for topic in topics:
            await self._notes.remember(inbound.key, topic, "")
        return texts.forgotten(len(topics))
