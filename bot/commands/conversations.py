"""What people ask about earlier conversations: their list, and whether one of them may be gone on with now."""

from bot.commands.glances import Glances
from bot.commands.saying import say
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

    def __init__(self, sessions: Glances, earlier: EarlierStore) -> None:
        self._sessions = sessions
        self._earlier = earlier

    async def answer(self, ask: Command, inbound: Inbound) -> Reply | None:
        """The answer. None: the session's worker carries it out."""
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
            return _listed(ask, inbound, named, found or earlier, part=bool(found))
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


def _listed(
    ask: Command, inbound: Inbound, current: Current, earlier: tuple[Conversation, ...], *, part: bool
) -> Reply:
    """A page of the list; ``part``: of those that were looked for, whose pages no button turns."""
    page = conversations.page_of(ask.argument, earlier) if ask.name == "sessions" else 0
    said = conversations.list_text(current, earlier, page)
    reply = say(inbound, said, conversations.list_buttons(earlier, page, turn=not part))
    return reply.model_copy(update={"edit": inbound.message_id, "reply_to": None}) if inbound.pressed else reply
