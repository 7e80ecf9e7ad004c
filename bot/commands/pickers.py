"""What people choose for a chat: the pickers of /model, /agent and the like, and what they are told of a choice."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot import texts
from bot.commands.glances import Glances
from bot.commands.offered import PersonalRights
from bot.commands.role_control import CHOSEN
from bot.commands.saying import here, say
from bot.updates.buttons import choice_of
from bot.updates.commands import Command
from tasks.chats import choices as chat_choices
from tasks.chats.choices import CHAT_CHOICES, DEFAULT, ChatChoice
from tasks.chats.model_lines import model_lines
from tasks.config.settings import Settings
from tasks.envelope import Inbound, Reply
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store.glance import Glance


class Agents(Protocol):
    """Which agents the workers have."""

    async def agents(self) -> Mapping[str, str]:
        """Their names, and what is said of each; empty when no worker has told them."""
        ...

    async def model_facts(self) -> Mapping[str, Sequence[str]]:
        """What they know of models (``tasks.chats.model_lines``)."""
        ...


class Pickers:
    """Answers ``CHOICES``; a valid choice is carried out by the session's worker."""

    def __init__(
        self, settings: Settings, sessions: Glances, agents: Agents, chats: ChatRulesFile, rights: PersonalRights
    ) -> None:
        self._rights = rights
        self._settings = settings
        self._sessions = sessions
        self._agents = agents
        self._chats = chats

    async def agent(self, chosen: str | None, session: SessionKey) -> str | None:
        """The agent that answers; one that the chat or the operator chose counts only while workers have it."""
        wanted = [name for name in (chosen, self._chats.of(session).agent) if name]
        names = await self._agents.agents()
        default = self._settings.agent or next(iter(names), None)
        return next((name for name in wanted if name in names or not names), default)

    def model(self, chosen: str | None, session: SessionKey) -> str | None:
        """The model that answers; one that the chat chose counts only while it may be chosen."""
        return chosen if chosen in self._settings.models else self._chats.of(session).model or self._settings.model

    async def answer(self, ask: Command, inbound: Inbound, viewer: Inbound) -> Reply | None:
        """What is chosen, and what can be chosen. None: the choice is valid, and the session's worker stores it.

        Args:
            ask: The command.
            inbound: Who says it, and where.
            viewer: Whose picker it is. Names that this person may not use do not stand in it; who may choose nothing
                reads what is chosen, and gets no buttons.

        Raises:
            StoreUnavailable: Redis is away.
        """
        wanted = ask.argument
        if (choice := CHAT_CHOICES.get(ask.name)) is not None:
            if choice.name in chat_choices.unavailable(self._settings):
                return say(inbound, phrase("voice-not-here"))
            if choice.value_of(wanted) in (*choice.values, DEFAULT):
                return None
        else:
            names = await self._names(ask.name)
            if wanted and choice_of(ask.name, wanted)[ask.name] in ("", *names):
                return None
            if wanted and not names:
                # No worker has named its agents yet, so the session's worker decides.
                return None if ask.name == "agent" else say(inbound, phrase("model-fixed"))
        seen = await self._sessions.glance(inbound.key)
        hides = await self.hidden(ask.name, viewer) if await self._rights.may(viewer, ask.name) else None
        shown = await self._shown(ask.name, seen, inbound, hides=hides, unknown=wanted)
        return shown if hides is not None else shown.model_copy(update={"buttons": ()})

    async def hidden(self, what: str, viewer: Inbound) -> Collection[str]:
        """The names that a person's picker does not show, because their role may not use them."""
        if (kind := CHOSEN.get(what)) is None:
            return ()
        return self._rights.refused(viewer, kind, await self._names(what))

    async def chosen(self, seen: Glance, inbound: Inbound) -> Reply:
        """What a person is told at once whose choice is behind what is being worked on.

        Args:
            seen: The session, before that choice.
            inbound: The choice, with what its picker hides.
        """
        what, value = next(iter(inbound.choice.items()))
        if not inbound.pressed:
            return say(inbound, chat_choices.switched_later(what, value))
        return here(inbound, await self._shown(what, seen.with_choice(what, value), inbound, hides=inbound.hides))

    async def _names(self, what: str) -> Mapping[str, str]:
        return dict.fromkeys(self._settings.models, "") if what == "model" else await self._agents.agents()

    async def _about(self, what: str, names: Mapping[str, str]) -> Mapping[str, str]:
        """The names, with what is said of each."""
        return names if what == "agent" else model_lines(tuple(names), await self._agents.model_facts())

    async def _shown(
        self,
        what: str,
        seen: Glance,
        inbound: Inbound,
        *,
        hides: Collection[str] | None = (),
        unknown: str = "",
    ) -> Reply:
        """The picker without the names that it hides; None: its person may choose nothing.

        ``unknown``: a name that does not exist.
        """
        if (choice := CHAT_CHOICES.get(what)) is not None:
            return self._values(choice, seen, inbound, unknown)
        about, key = await self._about(what, await self._names(what)), inbound.key
        names: Sequence[str] = tuple(name for name in about if name not in (hides or ()))
        now = await self.agent(seen.next("agent"), key) if what == "agent" else self.model(seen.next("model"), key)
        said = (
            texts.no_such(what, unknown, names)
            if unknown
            else chat_choices.uses(what, now, names, about, choosing=hides is not None)
        )
        return say(inbound, said, chat_choices.buttons(what, names, now))

    def _values(self, choice: ChatChoice, seen: Glance, inbound: Inbound, unknown: str) -> Reply:
        now = choice.effective(seen.next(choice.name), self._settings)
        labels = [choice.label(value) for value in choice.values]
        said = texts.no_such(choice.name, unknown, labels) if unknown else choice.picker(now)
        return say(inbound, said, chat_choices.buttons(choice.name, tuple(choice.values), now))
