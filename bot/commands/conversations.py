"""What people ask about earlier conversations: their list, and whether one of them may be gone on with now."""

from bot.commands.glances import Glances
from bot.commands.offered import PersonalRights
from bot.commands.saying import here, say
from bot.updates.commands import Command
from tasks.chats import conversations
from tasks.chats.conversations import Conversation, Current
from tasks.envelope import Inbound, Reply
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store.earlier import EarlierStore
from tasks.text import is_digits


class ConversationCommands:
    """Answers /sessions, /resume and /title."""

    def __init__(self, sessions: Glances, earlier: EarlierStore, rights: PersonalRights) -> None:
        self._sessions = sessions
        self._earlier = earlier
        self._rights = rights

    async def answer(self, ask: Command, inbound: Inbound, viewer: Inbound) -> Reply | None:
        """The answer, with what ``viewer`` may do. None: the session's worker carries it out."""
        if ask.name == "title":
            return None if ask.argument else say(inbound, phrase("title-how"))
        current, kept = await self._earlier.look(inbound.key)
        earlier = conversations.others(current, kept)
        found = () if inbound.pressed else conversations.titled(ask.argument, earlier)
        if ask.argument and earlier and not (found or is_digits(ask.argument)):
            return say(inbound, phrase("conversation-not-kept"))
        if found or ask.name == "sessions" or not ask.argument:
            title = (await self._sessions.glance(inbound.key)).coming.get("title")
            named = current if title is None else current.model_copy(update={"title": conversations.title_of(title)})
            hows = [name for name in ("title", "resume") if await self._rights.may(viewer, name)]
            shown = found or earlier
            page = conversations.page_of(ask.argument, shown) if ask.name == "sessions" else 0
            # Of those that were looked for no button turns a page.
            buttons = conversations.list_buttons(shown, page, turn=not found)
            return here(inbound, say(inbound, conversations.list_text(named, shown, page, hows=hows), buttons))
        refusal = await self._refusal(ask.argument, inbound.key, current, earlier)
        return None if refusal is None else say(inbound, refusal)

    async def _refusal(
        self, wanted: str, session: SessionKey, current: Current, earlier: tuple[Conversation, ...]
    ) -> str | None:
        seen = await self._sessions.glance(session)
        if wanted == str(current.number):
            # What waits may go on with another one first: the session's worker knows.
            return None if seen.waiting else phrase("already-there")
        if wanted not in {str(one.number) for one in earlier}:
            return phrase("conversation-not-kept")
        if seen.question is not None:
            return phrase("resume-asked")
        return phrase("resume-busy") if seen.messages else None
