"""Commands that the bot answers itself, without an agent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from bot import texts
from bot.commands.card_commands import CardCommands, written
from bot.commands.conversations import ConversationCommands
from bot.commands.glances import Glances
from bot.commands.memory import MemoryCommands
from bot.commands.offered import PersonalRights, usable
from bot.commands.pickers import Agents, Pickers
from bot.commands.reminders import ReminderCommands
from bot.commands.saying import say
from bot.updates.commands import CODE, GREETING, LOGINS, UNKNOWN, UNREADABLE, Command, nearest
from tasks import keys
from tasks.chats import conversations
from tasks.chats.asking import LOGGED_IN, ParkedTurn
from tasks.chats.command_names import ADMINS, CHOICES, CONVERSATIONS
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.envelope import Inbound, Reply
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.stopping import still_waiting
from tasks.store.notes import NoteStore
from tasks.store.reminders import ReminderStore


class Sessions(Glances, Protocol):
    """What commands are answered from, read from outside."""

    async def parked(self, session: SessionKey) -> tuple[ParkedTurn | None, tuple[Inbound, ...]]:
        """The questions of one session's parked turn, and the last entries of its inbox."""
        ...

    async def usage(self, names: list[str]) -> list[int]:
        """Tokens counted today under each of ``keys.usage`` names."""
        ...


class AdminCommands(Protocol):
    """What admins decide about people (``bot.admission``)."""

    async def answer(self, ask: Command, inbound: Inbound) -> Reply:
        """The answer to /allow, /deny or /people."""
        ...


class LoginAnswers(Protocol):
    """What people ask about their logins at MCP servers (``bot.logins.commands``)."""

    def hidden_ask(self, inbound: Inbound) -> Command | None:
        """A message that is the address at which a login ended."""
        ...

    async def answer(self, ask: Command, inbound: Inbound) -> Reply:
        """The answer to one of ``LOGINS``."""
        ...


class HearsGroups(Protocol):
    """What the bot is shown of its groups (``bot.groups.hearing``)."""

    async def all_of(self, chat: int) -> bool | None:
        """Whether it is shown all messages of a group; None where Telegram does not tell."""
        ...


LATER = frozenset({"choose", "conversation", "compact", "retry", "undo"})
"""Words that a session's worker carries out behind what it works on."""


class Answers:
    """Builds replies; sends nothing."""

    def __init__(  # noqa: PLR0913 - its collaborators, which have no other user in common
        self,
        settings: Settings,
        sessions: Sessions,
        agents: Agents,
        clock: Clock,
        *,
        reminders: ReminderStore,
        notes: NoteStore,
        admission: AdminCommands,
        logins: LoginAnswers,
        chats: ChatRulesFile,
        conversations: ConversationCommands,
        rights: PersonalRights,
        hearing: HearsGroups,
        taken: CardCommands,
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._logins = logins
        self._pickers = Pickers(settings, sessions, agents, chats, rights)
        self._conversations, self._memory = conversations, MemoryCommands(notes)
        self._rights, self._hearing = rights, hearing
        self._taken = taken
        self._sessions = sessions
        self._clock = clock
        self._builders: Mapping[str, Callable[[Command, Inbound], Awaitable[Reply | None]]] = {
            **dict.fromkeys(("start", "help", "whoami", CODE.name, GREETING.name, UNREADABLE.name), self._fixed),
            "status": self._status,
            "usage": self._usage,
            **dict.fromkeys(("reminders", "timezone"), ReminderCommands(reminders, clock).answer),
            UNKNOWN: self._unknown,
        }

    async def answer(self, ask: Command, inbound: Inbound, viewer: Inbound | None = None) -> Reply | None:
        """The answer to ``ask``. None: the session's worker answers it, and ``inbound`` goes to the inbox.

        Args:
            ask: The command.
            inbound: Who says it, and where.
            viewer: Who opened the list in which it was pressed. What that person may not use is not shown.

        Raises:
            StoreUnavailable: Redis is away.
        """
        viewer = viewer or inbound
        reply = await self._answer(ask, inbound, viewer)
        return reply if reply is None or not reply.buttons else await usable(reply, viewer, self._rights)

    async def _answer(self, ask: Command, inbound: Inbound, viewer: Inbound) -> Reply | None:
        if ask.name in CHOICES:
            return await self._pickers.answer(ask, inbound, viewer)
        if ask.name in ADMINS:
            return await self._admission.answer(ask, inbound)
        if ask.name in CONVERSATIONS:
            return await self._conversations.answer(ask, inbound, viewer)
        if ask.name in ("memory", "forget"):
            return await self._memory.answer(ask, inbound, deletes=await self._rights.may(viewer, "forget"))
        if ask.name in LOGINS:
            return await self._logins.answer(ask, inbound)
        build = self._builders.get(ask.name)
        return await build(ask, inbound) if build is not None else None

    async def ahead(
        self, inbound: Inbound, before: Sequence[Inbound], viewer: Inbound | None = None
    ) -> tuple[Inbound, Reply | None]:
        """Look at a word that a worker carries out behind the messages that it works on.

        Args:
            inbound: The word.
            before: What came before it in the same batch.
            viewer: Who opened the picker in which it was pressed.

        Returns:
            The word, marked where its person need not be told again, and what they are told now; None: nothing.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if inbound.kind not in LATER:
            return inbound, None
        if inbound.kind == "choose" and inbound.pressed:
            hides = await self._pickers.hidden(next(iter(inbound.choice), ""), viewer or inbound)
            inbound = inbound.model_copy(update={"hides": tuple(sorted(hides))}) if hides else inbound
        seen = await self._sessions.glance(inbound.key)
        if not (seen.messages or still_waiting([entry for entry in before if entry.session == inbound.session])):
            return inbound, None
        if inbound.kind == "choose":
            return inbound.model_copy(update={"told": True}), await self._pickers.chosen(seen, inbound)
        if inbound.kind != "conversation":
            return inbound, None if inbound.pressed else say(inbound, phrase("later"))
        title = conversations.title_of(inbound.choice.get("title", ""))
        if not title:
            return inbound, None
        said = say(inbound, conversations.now_called(title))
        return inbound.model_copy(update={"told": True}), said

    async def _fixed(self, ask: Command, inbound: Inbound) -> Reply:
        """What is said whatever the session's state is."""
        group = inbound.chat_type != "private"
        match ask.name:
            case "start":
                said = phrase("start")
            case "help":
                names, heard = await self._rights.offered(inbound), await self._heard(inbound)
                said = texts.help_text(names, group=group, context=self._settings.group_context, hears=heard)
            case "whoami":
                user = inbound.sender.id if inbound.sender else inbound.key.chat
                said = texts.whoami(user, inbound.key.chat, inbound.key.topic)
            case GREETING.name:
                said = texts.greeting(context=self._settings.group_context, hears=await self._heard(inbound))
            case CODE.name:
                said = phrase("code-in-group") if group else phrase("code-useless")
            case _:
                said = phrase("unreadable")
        return say(inbound, said)

    async def _heard(self, inbound: Inbound) -> bool | None:
        """Whether the bot is shown what a group says to others, where that matters."""
        if inbound.chat_type == "private" or not self._settings.group_context:
            return None
        return await self._hearing.all_of(inbound.key.chat)

    def hidden_ask(self, inbound: Inbound) -> Command | None:
        """What a message is that no agent reads, though it is no command of ours.

        It is the address at which a login ended, or a mistyped command of the agents.
        """
        mistyped = written(inbound)
        if mistyped is not None and nearest(mistyped, self._taken.now) is not None:
            return Command(UNKNOWN, mistyped)
        return self._logins.hidden_ask(inbound) if inbound.kind == "message" else None

    async def press(self, inbound: Inbound, before: Sequence[Inbound]) -> tuple[Inbound | None, str]:
        """Look at a pressed button of a question. The session's worker looks again; this is what the person reads now.

        Args:
            inbound: The press.
            before: What came before it in the same batch.

        Returns:
            The press as it counts, None where it does not, and one line.

        Raises:
            StoreUnavailable: Redis is away.
        """
        turn, waiting = await self._sessions.parked(inbound.key)
        ident, verdict = inbound.choice["ask"], inbound.choice["say"]
        if turn is None:
            return None, phrase("question-ended")
        if (refusal := turn.refusal(inbound, self._settings.admins)) == "not yours":
            inbound = await self._for_the_group(turn, inbound)
            refusal = turn.refusal(inbound, self._settings.admins)
        question = turn.question(ident)
        if question is not None and question.login and verdict == LOGGED_IN:
            # It has no such button: only its login page says so.
            refusal = "ended"
        earlier = (
            entry for entry in (*waiting, *before) if entry.kind == "answer" and entry.choice.get("ask") == ident
        )
        if refusal is None and any(self._counts(turn, entry) for entry in earlier):
            refusal = "answered"
        match refusal:
            case None:
                return inbound, phrase("answer-denied") if verdict == "no" else phrase("answer-taken")
            case "ended":
                return None, phrase("question-ended")
            case "answered":
                return None, phrase("question-answered")
            case "not yours":
                return None, phrase("question-not-yours")

    async def _for_the_group(self, turn: ParkedTurn, press: Inbound) -> Inbound:
        """A press that counts where a group's anonymous administrators are asked: each of them presses as a person."""
        chat = press.key.chat
        asked = chat < 0 and chat in turn.who and await self._rights.administers(press.person, chat)
        return press.model_copy(update={"in_charge": True}) if asked else press

    def _counts(self, turn: ParkedTurn, entry: Inbound) -> bool:
        return turn.refusal(entry, self._settings.admins) is None

    async def _status(self, _ask: Command, inbound: Inbound) -> Reply:
        seen = await self._sessions.glance(inbound.key)
        said = texts.status(
            # What the question is about waits for its person, not for us.
            waiting=seen.messages - seen.asking,
            oldest_s=None if seen.oldest is None or seen.asking else self._clock.now() - seen.oldest,
            working=None if seen.question is not None else seen.running_on is not None,
            agent=await self._pickers.agent(seen.agent, inbound.key),
            model=self._pickers.model(seen.model, inbound.key),
        )
        return say(inbound, said if seen.question is None else f"{texts.asked(seen.question)}\n{said}")

    async def _usage(self, _ask: Command, inbound: Inbound) -> Reply:
        key, settings = inbound.key, self._settings
        seen = await self._sessions.glance(key)
        day = datetime.fromtimestamp(self._clock.now(), UTC).date().isoformat()
        # As workers count: a message in a chat's name counts for that chat.
        user = inbound.sender.id if inbound.sender and inbound.sender.id > 0 else key.chat
        limits = [
            (own, keys.usage(f"{key.bot}:{scope}", day), allowed)
            for own, scope, allowed in (
                (True, f"user:{user}", settings.budget_user),
                (False, f"chat:{key.chat}", settings.budget_chat),
            )
            if allowed
        ]
        used = await self._sessions.usage([name for _, name, _ in limits])
        shown = [(own, tokens, allowed) for (own, _, allowed), tokens in zip(limits, used, strict=True)]
        return say(inbound, texts.usage(seen.usage_in, seen.usage_out, shown, heard_s=seen.heard_s, spoken=seen.spoken))

    async def _unknown(self, ask: Command, inbound: Inbound) -> Reply | None:
        """A mistyped command, unless the agents take it, or the one that is meant is refused to its person."""
        taken = await self._taken.takes(ask.argument)
        near = nearest(ask.argument, self._taken.now)
        if near is None or taken or not await self._rights.may(inbound, near):
            return None
        return say(inbound, texts.did_you_mean(ask.argument, near))
