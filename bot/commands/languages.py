"""What a person is told in: what the chat chose, else the language that the person has in Telegram."""

from collections.abc import Iterable
from contextlib import suppress

from tasks.chats.choices import LANGUAGE
from tasks.envelope import Inbound
from tasks.errors import StateDamaged
from tasks.phrases import language_of
from tasks.session import SessionKey
from tasks.store.views import SessionViews


class Languages:
    """Asks Redis, so it is asked only where something is said."""

    def __init__(self, sessions: SessionViews) -> None:
        self._sessions = sessions

    async def of(self, session: SessionKey, tongue: str | None, before: Iterable[Inbound] = ()) -> str:
        """The language for a person of a session, whose own is ``tongue`` as far as Telegram tells it.

        Args:
            session: Where they are.
            tongue: Their own.
            before: What came before in the same batch, and is not stored yet.

        Raises:
            StoreUnavailable: Redis is away.
        """
        chosen = last = None
        with suppress(StateDamaged):
            chosen, last = await self._sessions.languages(session)
        for entry in before:
            if entry.session == str(session) and entry.kind == "choose":
                chosen = entry.choice.get(LANGUAGE, chosen)
        return language_of(chosen, tongue, last if session.chat > 0 else None)
