"""A server of a person's own as a lane has it, and the tool that has its person log in."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary, WeakValueDictionary

import httpx2
from mcp.client.auth import OAuthFlowError
from mcp_types import CallToolResult, TextContent

from tasks.chats.logins import PendingLogin
from tasks.errors import CohortError
from tasks.phrases import phrase, sentences
from workers.runtime.durable.tool_facts import LoginTool
from workers.runtime.logins.provider import LoginProvider
from workers.runtime.logins.refusals import LoginNeeded
from workers.runtime.logins.vault import Vault
from workers.runtime.tools.session_tools import LoginAsk, ask_of_call, session_of_turn
from workers.steps import PersonsAnswer

log = logging.getLogger("cohort.runtime")

TOOL = "cohort_login"
"""Stands in for the tools of a server at which the person has no login."""
_MARK = "cohort_login"
_LOGIN_S = 30.0
"""All that a login may take of a worker's time, without the person's."""
_MOST_TRIES = 3
"""Logins that fail, in one call."""
_LONGEST_URL = 2_000
_NO_ONE = "Not done: there is no person to ask here. They have to write to me themselves."
_SEVERAL = (
    "Not done: several people are answered at once, and {server} has to know for whom. Ask the one who needs it to"
    " write alone."
)
_DONE = "The person is logged in at {server}; its tools are there now."
_DECLINED = "The person does not want to log in at {server}. Do without it."
_WROTE = "The person did not log in at {server}. They wrote instead: {words}"
_ELSE = "The person did not log in at {server}, and did something else."
_AWAY = "The login at {server} cannot be begun at present. Tell the user so, and try again later."
_FAILED = "The login at {server} was not completed. Tell the user so."


@dataclass(eq=False)
class PersonsServer:
    """One server in one lane, for the person of the turn. Without a ``vault`` the turn has no single person."""

    server: str
    """Its name in the configuration."""
    settings: Any
    redirect: str
    session: str
    vault: Vault | None = None
    provider: LoginProvider | None = None
    """Of the connection; None while the person has no login."""

    @property
    def is_linked(self) -> bool:
        return self.provider is not None

    def marked(self) -> Any:
        """fast-agent's settings, by which the connection finds its provider (``provider_of``)."""
        if self.provider is None:
            raise LoginNeeded
        _providers[self.provider.mark] = self.provider
        auth = self.settings.auth.model_copy(update={_MARK: self.provider.mark})
        return self.settings.model_copy(update={"auth": auth})

    async def connected(self, vault: Vault) -> bool:
        """Whether the person has a login; the code that they came back with is exchanged first.

        Raises:
            StoreUnavailable: Redis is away.
        """
        login = await vault.read()
        if login is not None and login.pending is not None and login.pending.code:
            await self.log_in(vault, login.pending.challenge)
            login = await vault.read()
        if login is None or not login.is_linked:
            self.provider = None
        elif self.provider is None or self.provider.grant != login.grant or self.provider.needed:
            self.provider = LoginProvider(vault, self.settings, self.redirect)
            self.provider.adopt(login)
        return self.provider is not None

    # -- calls

    async def call(self, tool: str, live: Callable[[], Awaitable[Any]]) -> Any:
        """A call of one of its tools; a person whose login the server takes no more, or not for it, is asked."""
        if tool == TOOL:
            return await self._asked_for(again=False)
        ask = ask_of_call.get()
        before = await ask("", _choices(), LoginAsk(given=True)) if ask is not None else None
        if before is not None and before.pressed != 0:
            return self._refused(before)
        problem: Exception | None = None
        result: Any = None
        refusals = self.provider.refusals if self.provider is not None else 0
        try:
            result = await live()
        except Exception as raised:  # noqa: BLE001 - it is raised again where it was no login's
            problem = raised
        done = problem is None and not getattr(result, "is_error", False)
        # What was carried out is not made again, whatever became of a call beside it.
        if not done and (self.provider is None or self.provider.needed or self.provider.refusals > refusals):
            return await self._asked_for(again=True)
        if problem is not None:
            raise problem
        return result

    async def _asked_for(self, *, again: bool) -> CallToolResult:
        """Have the person log in. The turn parks, and finds the tools there when it goes on."""
        if self.vault is None:
            return _told(_SEVERAL.format(server=self.server))
        ask = ask_of_call.get()
        vault = self.vault
        for number in range(_MOST_TRIES):
            if self.is_linked and not again:
                return _told(_DONE.format(server=self.server), error=False)
            try:
                said = await ask("", _choices(), self._login_ask(vault, number)) if ask is not None else None
            except (OAuthFlowError, httpx2.HTTPError, TimeoutError, CohortError) as problem:
                log.warning("login.not_begun", extra={"server": self.server, "reason": type(problem).__name__})
                return _told(_AWAY.format(server=self.server))
            if said is None:
                return _told(_NO_ONE)
            if said.pressed != 0:
                return self._refused(said)
        return _told(_FAILED.format(server=self.server))

    def _refused(self, said: PersonsAnswer) -> CallToolResult:
        if said.pressed is not None:
            return _told(_DECLINED.format(server=self.server))
        return _told((_WROTE if said.words else _ELSE).format(server=self.server, words=said.words))

    # -- the login

    def _login_ask(self, vault: Vault, number: int) -> LoginAsk:
        async def begin() -> tuple[str, str, str]:
            pending = await self.log_in(vault, self.provider.challenge if self.provider is not None else "")
            if pending is None:
                raise OAuthFlowError
            return pending.id, *self._words(pending, again=number > 0)

        return LoginAsk(begin)

    async def log_in(self, vault: Vault, challenge: str = "") -> PendingLogin | None:
        """Let the SDK have its 401, or a 403: it exchanges the code that waits, or begins a login, which is returned.

        Args:
            vault: The person's login.
            challenge: With these words the server refused a call for which the login is not enough.
        """
        provider = LoginProvider(vault, self.settings, self.redirect, session=self.session, logs_in=True)
        provider.challenge = challenge
        url, headers = str(self.settings.url), dict(self.settings.headers or {})
        method, body = ("GET", None) if self.settings.transport == "sse" else ("POST", _KNOCK)
        headers |= {"accept": "application/json, text/event-stream"}
        try:
            async with (
                asyncio.timeout(_LOGIN_S),
                httpx2.AsyncClient(auth=provider, timeout=_LOGIN_S) as http,
                http.stream(method, url, json=body, headers=headers),
            ):
                return None
        except LoginNeeded:
            return provider.begun
        except (OAuthFlowError, httpx2.HTTPError, TimeoutError, ValueError) as problem:
            log.warning("login.failed", extra={"server": self.server, "reason": type(problem).__name__})
            return None

    def _words(self, pending: PendingLogin, *, again: bool) -> tuple[str, str]:
        """The question, and the link that goes with it: none in a group."""
        parts = urlsplit(pending.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or len(pending.url) > _LONGEST_URL:
            raise OAuthFlowError
        more = phrase("login-more", server=self.server) if pending.challenge else ""
        head = sentences(phrase("login-again") if again else "", more)
        if session_of_turn.get().chat < 0:
            return sentences(head, phrase("login-asks-group", server=self.server)), ""
        text = sentences(head, phrase("login-asks", server=self.server, host=parts.hostname))
        if urlsplit(pending.redirect).hostname in ("127.0.0.1", "localhost", "::1"):
            text = sentences(text, phrase("login-paste"))
        return text, pending.url


def _choices() -> tuple[str, str]:
    """What is said to the question of a login: that the person came back, or that they will not."""
    return phrase("logged-in"), phrase("button-cancel")


_KNOCK = {"jsonrpc": "2.0", "method": "notifications/initialized"}
"""Begins nothing at a server that does not ask for a login."""


def login_tool(server: str) -> LoginTool:
    """What stands in for a server's tools."""
    return LoginTool(
        name=TOOL,
        description=(
            f"Asks the person to log in at {server}. Call it when they want something that needs {server}: its tools"
            " are there when they have logged in."
        ),
        input_schema={"type": "object", "properties": {}},
    )


_providers: "WeakValueDictionary[str, LoginProvider]" = WeakValueDictionary()
_servers: "WeakKeyDictionary[Any, dict[str, PersonsServer]]" = WeakKeyDictionary()
"""``MCPAggregator`` -> servers of a person's own, by the name that they have there."""


def provider_of(settings: Any) -> LoginProvider | None:
    """Whose login a connection with these settings uses; None for all other servers."""
    extra: dict[str, Any] = (settings.auth.model_extra or {}) if settings.auth is not None else {}
    return _providers.get(str(extra.get(_MARK)))


def known_to(aggregator: Any, name: str, server: PersonsServer) -> None:
    """Calls of it go through ``PersonsServer.call``."""
    _servers.setdefault(aggregator, {})[name] = server


def unknown_to(aggregator: Any, name: str) -> None:
    _servers.get(aggregator, {}).pop(name, None)


def persons_server(aggregator: Any, name: str) -> PersonsServer | None:
    return _servers.get(aggregator, {}).get(name)


def _told(text: str, *, error: bool = True) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=error)
