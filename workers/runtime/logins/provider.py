"""The MCP SDK's OAuth client for one person, whose tokens stand in Redis and whose login page opens on a phone.

Discovery, registration, PKCE, the exchange of the code and the refresh are the SDK's (``mcp.client.auth``). Ours is
what it leaves to its user, and three things that it cannot do:

- A login is begun by one worker and ended by another. The SDK makes ``state`` and the proof of PKCE within one call
  that waits for the person, so others take their place in the link, and are kept with the login.
- A refresh token may be good for one use: of all workers one refreshes, and the others wait for what it gets.
- A connection never logs in. A 401 that no refresh mends, or a 403 that wants more rights (``logins.refusals``), ends
  its call, and the person is asked outside of it.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import PKCEParameters
from mcp.client.auth.utils import validate_authorization_response_iss
from mcp.shared.auth import OAuthClientInformationFull as OAuthClient
from mcp.shared.auth import OAuthClientMetadata, OAuthMetadata, OAuthToken, ProtectedResourceMetadata
from pydantic import AnyUrl

from tasks.chats.logins import LASTS_S, Login, PendingLogin
from workers.runtime.logins.refusals import LoginAway, LoginNeeded, refused_again, wanted_by
from workers.runtime.logins.vault import Vault, dumped, read_as

log = logging.getLogger("cohort.runtime")
# It logs what login servers answer, which may hold a secret, and the end of each link as a failure.
logging.getLogger("mcp.client.auth").setLevel(logging.CRITICAL + 1)

CLIENT = "Cohort"
"""What login pages call us."""
_EARLY_S = 10.0
"""A token that ends so soon is refreshed before it is used."""
_REFRESH_S = 30.0
"""All that a refresh may take. Its lease is longer, so that no second one begins before it has ended."""
_LEASE_S = 45.0
_LOOK_S = 0.2
_UNAUTHORIZED, _TOO_MANY, _SERVER_ERROR = 401, 429, 500


class _Storage:
    """The SDK's ``TokenStorage``."""

    def __init__(self, vault: Vault, provider: "LoginProvider") -> None:
        self._vault = vault
        self._provider = provider

    async def get_tokens(self) -> OAuthToken | None:
        return self._provider.adopt(await self._vault.read())

    async def set_tokens(self, tokens: OAuthToken) -> None:
        context, now = self._provider.context, self._vault.clock.now()
        fresh: dict[str, Any] = {
            "tokens": tokens.model_dump(mode="json", exclude_none=True),
            "expires_at": now + tokens.expires_in if tokens.expires_in is not None else None,
            "resource": dumped(context.protected_resource_metadata),
            "authority": dumped(context.oauth_metadata),
            "authority_url": context.auth_server_url,
            "refreshed_by": "",
            "refreshing_until": 0.0,
        }
        if self._provider.logs_in:
            fresh |= {"grant": secrets.token_hex(8), "pending": None}
        self._provider.adopt(await self._vault.change(lambda login: login.model_copy(update=fresh)))

    async def get_client_info(self) -> OAuthClient | None:
        return self._provider.context.client_info

    async def set_client_info(self, client_info: OAuthClient) -> None:
        client = client_info.model_dump(mode="json", exclude_none=True)
        await self._vault.change(lambda login: login.model_copy(update={"client": client}))


class LoginProvider(OAuthClientProvider):
    """Of one person, at one server."""

    def __init__(self, vault: Vault, server: Any, redirect: str, *, session: str = "", logs_in: bool = False) -> None:
        """Nothing is read yet.

        Args:
            vault: The person's login.
            server: fast-agent's settings of the server.
            redirect: Where login pages send the person back to.
            session: Whose turn asks for a login.
            logs_in: A 401 begins or ends a login; otherwise it is the answer (``needed``).
        """
        self.vault = vault
        self.mark = secrets.token_hex(8)
        """By which a connection finds it."""
        self.logs_in = logs_in
        self.needed = False
        self.challenge = ""
        """With these words the server refused a call for which the login is not enough."""
        self.refusals = 0
        """Such calls of the connection; ``challenge`` is that of the last one."""
        self.grant = ""
        self._ends: float | None = None
        self.begun: PendingLogin | None = None
        """The login that this has begun."""
        self._redirect = redirect
        self._session = session
        auth = server.auth
        scope = auth.scope if auth is not None else None
        # Settings beside those of fast-agent: a client that the operator has registered.
        extra: dict[str, Any] = (auth.model_extra or {}) if auth is not None else {}
        self._registered = {name: str(extra[name]) for name in ("client_id", "client_secret") if extra.get(name)}
        super().__init__(
            server_url=str(server.url),
            client_metadata=OAuthClientMetadata(
                client_name=CLIENT,
                redirect_uris=[AnyUrl(redirect)],
                grant_types=["authorization_code", "refresh_token"],
                response_types=["code"],
                scope=" ".join(scope) if isinstance(scope, list) else scope,
            ),
            storage=_Storage(vault, self),
            redirect_handler=self._shown,
            client_metadata_url=auth.client_metadata_url if auth is not None else None,
        )

    # -- what is kept

    def adopt(self, login: Login | None) -> OAuthToken | None:
        """Go on with what is kept."""
        context = self.context
        context.client_info = self._client(login)
        context.current_tokens = OAuthToken.model_validate(login.tokens) if login and login.tokens else None
        context.token_expiry_time = None
        self._ends = login.expires_at if login is not None else None
        if login is not None:
            self.grant = login.grant
            context.protected_resource_metadata = read_as(ProtectedResourceMetadata, login.resource)
            context.oauth_metadata = read_as(OAuthMetadata, login.authority)
            context.auth_server_url = login.authority_url
        return context.current_tokens

    def _client(self, login: Login | None) -> OAuthClient | None:
        if self._registered:
            method = "client_secret_post" if "client_secret" in self._registered else "none"
            told = {**self._registered, "token_endpoint_auth_method": method, "redirect_uris": [self._redirect]}
            return OAuthClient.model_validate(told)
        client = read_as(OAuthClient, login.client if login else None)
        # The server would refuse an address that it was not told of.
        known = client is not None and self._redirect in {str(uri) for uri in client.redirect_uris or ()}
        return client if known else None

    # -- a login

    async def _perform_authorization_code_grant(self) -> tuple[str, str]:
        """The code and its proof, if the person has come back; otherwise the login begins here.

        Raises:
            LoginNeeded: it has begun (``begun``).
        """
        login = await self.vault.read()
        pending = login.pending if login is not None else None
        if pending is not None and pending.code and pending.ends > self.vault.clock.now():
            # A code is for one try.
            await self.vault.over(pending.id)
            validate_authorization_response_iss(pending.issuer, self.context.oauth_metadata)
            return pending.code, pending.verifier
        self.context.callback_handler = _never
        await super()._perform_authorization_code_grant()
        raise LoginNeeded

    async def _shown(self, url: str) -> None:
        """The SDK's link, with a ``state`` and a PKCE proof that outlive this process."""
        pkce, ident = PKCEParameters.generate(), secrets.token_hex(8)
        ours = {"state": self.vault.state(ident), "code_challenge": pkce.code_challenge}
        parts = urlsplit(url)
        query = [(name, ours.get(name, value)) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
        self.begun = PendingLogin(
            id=ident,
            session=self._session,
            url=parts._replace(query=urlencode(query)).geturl(),
            verifier=pkce.code_verifier,
            redirect=self._redirect,
            ends=self.vault.clock.now() + LASTS_S,
            challenge=self.challenge,
        )
        await self.vault.begin(self.begun)
        raise LoginNeeded

    # -- requests

    async def _auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """The SDK's flow for a login; otherwise ours, which only refreshes."""
        flow = super()._auth_flow(request) if self.logs_in else self._connection_flow(request)
        try:
            outgoing = await anext(flow)
            if self.logs_in and self.challenge and outgoing is request:
                outgoing = await flow.asend(refused_again(request, self.challenge))
            while True:
                response = yield outgoing
                outgoing = await flow.asend(response)
        except StopAsyncIteration:
            return
        finally:
            await flow.aclose()

    async def _connection_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """The token goes with each request. It is refreshed before it ends, and when it, or a newer one, is refused."""
        if not self._initialized:
            await self._initialize()
        refused: str | None = None
        while True:
            is_new = await self._renew(refused)
            self._add_auth_header(request)
            sent = self.context.current_tokens  # another request may renew them while this one is on its way
            response = yield request
            if challenge := wanted_by(response, self.context):
                self.challenge, self.refusals = challenge, self.refusals + 1
            if response.status_code != _UNAUTHORIZED or self.needed:
                return
            if is_new:
                await self._end(sent)
                return
            refused = sent.access_token if sent is not None else ""

    async def _renew(self, refused: str | None) -> bool:
        """Have a token that is good, or know that the person has to log in (``needed``).

        Args:
            refused: The access token that the server does not take any more; None: none was refused.

        Returns:
            Whether it is as new as can be: refreshed here and now, or none.

        Raises:
            LoginAway: it cannot be known now.
        """
        async with self.context.lock:
            if refused is None and self._is_good():
                return False
            me, deadline = secrets.token_hex(8), asyncio.get_running_loop().time() + _LEASE_S
            while asyncio.get_running_loop().time() < deadline:
                login = await self.vault.read()
                known = login is not None and login.is_linked and login.grant == self.grant
                self.adopt(login if known else None)
                tokens = self.context.current_tokens
                if tokens is not None and tokens.access_token != refused and self._is_good():
                    return False
                if login is None or not self.context.can_refresh_token():
                    await self._end(tokens)
                    return True
                if login.refreshing_until <= self.vault.clock.now() and await self._leased(me, login):
                    await self._refreshed(me)
                    return True
                # Another worker refreshes it; what that one gets is read then.
                await asyncio.sleep(_LOOK_S)
        raise LoginAway

    def _is_good(self) -> bool:
        ends = self._ends
        return self.context.current_tokens is not None and (ends is None or self.vault.clock.now() < ends - _EARLY_S)

    async def _leased(self, me: str, seen: Login) -> bool:
        """Be the one who refreshes, unless the tokens have changed since they were read."""
        lease = {"refreshed_by": me, "refreshing_until": self.vault.clock.now() + _LEASE_S}
        after = await self.vault.change(lambda now: now.model_copy(update=lease) if now == seen else now)
        return after.refreshed_by == me

    async def _refreshed(self, me: str) -> None:
        used = self.context.current_tokens
        try:
            async with httpx2.AsyncClient(timeout=_REFRESH_S) as http, asyncio.timeout(_REFRESH_S):
                response = await http.send(await self._refresh_token())
                if response.status_code == _TOO_MANY or response.status_code >= _SERVER_ERROR:
                    raise LoginAway
                if await self._handle_refresh_response(response):
                    return
        except (httpx2.HTTPError, TimeoutError) as problem:
            raise LoginAway from problem
        finally:
            await self.vault.change(lambda now: now.model_copy(update=_FREE) if now.refreshed_by == me else now)
        log.info("login.refused", extra={"server": self.vault.server, "status": response.status_code})
        await self._end(used)

    async def _end(self, tokens: OAuthToken | None) -> None:
        """The server takes these tokens no more."""
        if tokens is not None:
            await self.vault.unlink(tokens.refresh_token)
        self.needed = True


_FREE = {"refreshed_by": "", "refreshing_until": 0.0}


async def _never() -> Any:
    """The SDK's callback handler, which is not come to: the link ends the flow."""
    raise LoginNeeded
