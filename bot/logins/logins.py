"""Logins of people at MCP servers, as the bot sees them: people come back from the login page, and log out."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from bot.logins import texts
from bot.logins.revocations import Revocation, Revocations
from tasks.chats.asking import LOGGED_IN, WORD, OpenQuestion
from tasks.chats.logins import Login, LoginState, PendingLogin
from tasks.clock import Clock
from tasks.doorbell import Doorbells
from tasks.envelope import Button, Inbound, Sender
from tasks.phrases import phrase, spoken
from tasks.secret_box import SecretBox
from tasks.session import SessionKey
from tasks.store.chats.logins import LoginStore
from tasks.store.intake import Accept, IntakeResult
from tasks.store.views import SessionViews

log = logging.getLogger("cohort.bot")

_LONGEST = 8_000
"""Characters of an address that is pasted."""
_DATA = 64
"""Bytes of a button's data (Bot API)."""


class AnswerStore(Protocol):
    """Where answers are stored (``tasks.store.intake``)."""

    async def accept(self, bot: int, batch: Sequence[Accept]) -> list[IntakeResult]:
        """Accept a batch."""
        ...


@dataclass(frozen=True, slots=True)
class CameBack:
    """What a browser brings from a login page."""

    state: str
    code: str = ""
    issuer: str | None = None

    @classmethod
    def of(cls, query: str) -> "CameBack":
        """From the query of an address, or from a form."""
        told = {name: values[0] for name, values in parse_qs(query).items()}
        return cls(told.get("state", ""), told.get("code", ""), told.get("iss"))


@dataclass(frozen=True, slots=True)
class AwaitedLogin:
    """A login that has begun, and the turn that waits for it."""

    state: LoginState
    pending: PendingLogin
    question: OpenQuestion
    name: str
    """The person's, as Telegram shows it."""


class LoginService:
    """What can be done about logins, where they are kept. No log line has a token, a code or a link."""

    def __init__(  # noqa: PLR0913 - its collaborators, which have no other user in common
        self,
        bot: int,
        *,
        store: LoginStore,
        sessions: SessionViews,
        intake: AnswerStore,
        doorbells: Doorbells,
        revocations: Revocations,
        clock: Clock,
    ) -> None:
        self._bot = bot
        self._store = store
        self._sessions = sessions
        self._intake = intake
        self._doorbells = doorbells
        self._revocations = revocations
        self._clock = clock

    @property
    def _box(self) -> SecretBox:
        return self._store.box

    # -- people who come back

    def in_message(self, inbound: Inbound) -> CameBack | None:
        """The address that a person's browser ended at, if a message is that: it holds a state that we made."""
        text = inbound.text.strip()
        if inbound.key.chat < 0 or len(text) > _LONGEST or "state=" not in text or len(text.split()) != 1:
            return None
        try:
            back = CameBack.of(urlsplit(text).query)
        except ValueError:
            return None
        return back if self._state(back) is not None else None

    def _state(self, back: CameBack) -> LoginState | None:
        state = LoginState.opened(back.state, self._box) if back.state else None
        return state if state is not None and state.bot == self._bot else None

    async def waiting(self, back: CameBack) -> AwaitedLogin | str:
        """The login that a browser comes back to, or why there is none.

        Raises:
            StoreUnavailable: Redis is away.
        """
        state = self._state(back)
        if state is None:
            return phrase("login-unknown")
        login = await self._store.read(state.bot, state.person, state.server)
        pending = login.pending if login is not None else None
        if pending is None or pending.id != state.id:
            return phrase("login-used")
        if pending.ends <= self._clock.now():
            return phrase("login-late")
        turn, entries = await self._sessions.parked(SessionKey.parse(pending.session))
        asked = turn.open if turn is not None else ()
        question = next((one for one in asked if one.login == state.id), None)
        if question is None:
            return phrase("login-used") if pending.code else phrase("login-over")
        names = [entry.sender.name for entry in entries if entry.sender and entry.sender.id == state.person]
        return AwaitedLogin(state, pending, question, names[-1] if names else "")

    async def came_back(self, back: CameBack, *, by: int | None = None) -> str:
        """Take the code, and have the turn that waits for it go on. May be said twice.

        Args:
            back: What the browser brings.
            by: The person who sends it in a chat.

        Returns:
            One line for them.

        Raises:
            StoreUnavailable: Redis is away.
        """
        state = self._state(back)
        if state is not None and by not in (None, state.person):
            return phrase("login-not-yours")
        if not back.code:
            return phrase("login-not-done") if state is not None else phrase("login-unknown")
        found = await self.waiting(back)
        if isinstance(found, str):
            return found
        state = found.state

        def change(login: Login | None) -> Login | None:
            pending = login.pending if login is not None else None
            if login is None or pending is None or pending.id != state.id or pending.code:
                return login
            came = pending.model_copy(update={"code": back.code, "issuer": back.issuer})
            return login.model_copy(update={"pending": came})

        after = await self._store.change(state.bot, state.person, state.server, change)
        if after is None or after.pending is None or (after.pending.id, after.pending.code) != (state.id, back.code):
            return phrase("login-used")
        await self._go_on(found)
        log.info("login.came_back", extra={"server": state.server})
        return texts.linked(state.server)

    async def _go_on(self, found: AwaitedLogin) -> None:
        """The answer to the question, as a pressed button would be: the session's worker takes it from there."""
        key = SessionKey.parse(found.pending.session)
        # Far from the numbers of reminders, and the same whenever it is said again.
        number = -(2**40) - int.from_bytes(hashlib.sha256(found.state.id.encode()).digest()[:5])
        answer = Inbound(
            v=3,
            session=found.pending.session,
            update_id=number,
            at=self._clock.now(),
            kind="answer",
            sender=Sender(id=found.state.person, name=found.name),
            choice={WORD: found.question.id, "say": LOGGED_IN},
        )
        await self._intake.accept(self._bot, [Accept(number, inbound=answer, doorbell=self._doorbells.of(key, number))])

    # -- commands

    async def begun(self, person: int) -> tuple[tuple[Button, ...], ...]:
        """A button for each login page that waits for a person."""
        now = self._clock.now()
        pending = {name: login.pending for name, login in (await self._store.all(self._bot, person)).items()}
        return tuple(
            (Button(text=phrase("button-log-in-at", server=name), url=one.url),)
            for name, one in sorted(pending.items())
            if one is not None and not one.code and one.ends > now
        )

    async def linked(self, person: int) -> tuple[str, ...]:
        """Servers at which a person is logged in."""
        found = await self._store.all(self._bot, person)
        return tuple(sorted(name for name, login in found.items() if login.is_linked))

    async def log_out(self, person: int, server: str, session: str) -> str:
        """Forget the login, and tell the server so; one line for the person, who has said it in this session."""
        ended = await self._store.read(self._bot, person, server)
        if ended is not None:
            await self._store.change(self._bot, person, server, lambda _: None)
        if ended is None or not ended.is_linked:
            return texts.not_linked_at(server)
        log.info("login.ended", extra={"server": server})
        return texts.logged_out(server, tells=self._revocations.order(Revocation(server, ended, session, spoken())))


def logout_buttons(servers: Sequence[str]) -> tuple[tuple[Button, ...], ...]:
    """One for each server whose name fits."""
    data = [(server, f"logout:{server}") for server in servers]
    return tuple(
        (Button(text=phrase("button-log-out", server=name), data=said),)
        for name, said in data
        if len(said.encode()) <= _DATA
    )
