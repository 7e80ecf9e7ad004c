"""An MCP server over HTTP whose people log in: the MCP SDK's own server and authorization server, with a page to press.

Each person of the tests is an account here, chosen on the login page. Refresh tokens are good for one use: a second one
ends the whole grant, as RFC 9700 wants it.
"""

import asyncio
import secrets
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl

from tasks.clock import SystemClock


async def until(holds: Callable[[], bool]) -> None:
    """Let other tasks run until something holds."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60):
        while not holds():
            turn = loop.create_future()
            loop.call_soon(turn.set_result, None)
            await turn


class Accounts(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Who is logged in, in memory."""

    def __init__(self) -> None:
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.asked: dict[str, tuple[OAuthClientInformationFull, AuthorizationParams]] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.used_up: dict[str, str] = {}
        """Refresh token that was used -> account."""
        self.counts: Counter[str] = Counter()
        self.lasts_s = 3600
        self.url = ""
        self.slow: asyncio.Event | None = None
        """A refresh waits for it."""

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.counts["registered"] += 1
        client_info.scope = "read write"
        self.clients[str(client_info.client_id)] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        ident = secrets.token_hex(4)
        self.asked[ident] = (client, params)
        return f"{self.url}/login/{ident}"

    def press(self, ident: str, account: str) -> str:
        """The person logs in on the page; where it sends them to."""
        client, params = self.asked.pop(ident)
        code = secrets.token_hex(16)
        self.codes[code] = AuthorizationCode(
            code=code,
            scopes=params.scopes or [],
            expires_at=SystemClock().now() + 60,
            client_id=str(client.client_id),
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
            subject=account,
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        self.counts["exchanged"] += 1
        del self.codes[authorization_code.code]
        return self._tokens(str(client.client_id), str(authorization_code.subject), authorization_code.scopes)

    def _tokens(self, client: str, account: str, scopes: list[str]) -> OAuthToken:
        access, refresh = f"access-{secrets.token_hex(8)}", f"refresh-{secrets.token_hex(8)}"
        self.access[access] = AccessToken(token=access, client_id=client, scopes=scopes, subject=account)
        self.refresh[refresh] = RefreshToken(token=refresh, client_id=client, scopes=scopes, subject=account)
        scope = " ".join(scopes) or None
        return OAuthToken(access_token=access, refresh_token=refresh, expires_in=self.lasts_s, scope=scope)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        if refresh_token in self.used_up:
            self.counts["used twice"] += 1
            self.revoke(self.used_up[refresh_token])
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        if self.slow is not None:
            await self.slow.wait()
        self.counts["refreshed"] += 1
        account = str(refresh_token.subject)
        if self.refresh.pop(refresh_token.token, None) is None:
            raise TokenError("invalid_grant")
        self.used_up[refresh_token.token] = account
        self.end_access(account)
        return self._tokens(str(client.client_id), account, refresh_token.scopes)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.access.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.counts["revoked"] += 1
        self.revoke(str(token.subject))

    def end_access(self, account: str) -> None:
        self.access = {name: token for name, token in self.access.items() if token.subject != account}

    def revoke(self, account: str) -> None:
        """The grant is over."""
        self.end_access(account)
        self.refresh = {name: token for name, token in self.refresh.items() if token.subject != account}


class LoginServer:
    """It and its authorization server, at one address."""

    def __init__(self) -> None:
        self.accounts = Accounts()
        self.url = ""
        self.calls: list[str] = []
        """Account and words of each call."""
        self.before_call: dict[str, Callable[[str], None]] = {}
        """Words of a call -> what happens to its account when it comes, before its token is looked at; once."""
        self.needs: dict[str, str] = {}
        """Words of a call -> the right without which it is refused."""
        self.gives_nothing = False
        """No right is ever enough."""

    async def whoami(self, words: str = "") -> str:
        """Tell whose things these are."""
        token = get_access_token()
        account = str(token.subject) if token is not None else "no one"
        self.calls.append(f"{account} {words}".strip())
        return f"things of {account}"

    async def browse(self, link: str, account: str) -> str:
        """A person opens the link and logs in; the address that their browser is sent to."""
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as browser:
            page = await browser.get(link)
        return self.accounts.press(urlsplit(page.headers["location"]).path.rpartition("/")[2], account)


class _Watched:
    """The server's app, behind ``before_call``."""

    def __init__(self, app: Any, server: LoginServer) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def watching() -> Any:
            event = await receive()
            said = event.get("body", b"").decode()
            for words in [words for words in self._server.before_call if f'"{words}"' in said]:
                self._server.before_call.pop(words)("ann")
            return event

        if scope["type"] != "http" or scope["method"] != "POST":
            return await self._app(scope, receive, send)
        # The token is looked at before the body is read, so the body is read first.
        event = await watching()
        wanted = self._lacks(scope, event.get("body", b"").decode())
        if wanted:
            said = f'Bearer error="insufficient_scope", scope="{wanted}"'.encode()
            await send({"type": "http.response.start", "status": 403, "headers": [(b"www-authenticate", said)]})
            return await send({"type": "http.response.body", "body": b"{}"})
        first = [event]
        await self._app(scope, lambda: _next(first, receive), send)
        return None

    def _lacks(self, scope: Any, said: str) -> str:
        """The right that this call needs and its token has not."""
        wanted = next((right for words, right in self._server.needs.items() if f'"{words}"' in said), "")
        token = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        given = self._server.accounts.access.get(token)
        has = given is not None and wanted in given.scopes and not self._server.gives_nothing
        return "" if has or given is None else wanted


async def _next(first: list[Any], receive: Any) -> Any:
    return first.pop() if first else await receive()


def came_back(address: str) -> dict[str, str]:
    """What stands in the address that a browser is sent to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@asynccontextmanager
async def login_server() -> AsyncGenerator[LoginServer]:
    """Serve one until the end of the block."""
    server = LoginServer()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.url = server.accounts.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = AuthSettings(
            issuer_url=AnyHttpUrl(server.url),
            resource_server_url=AnyHttpUrl(f"{server.url}/mcp"),
            client_registration_options=ClientRegistrationOptions(enabled=True),
            revocation_options=RevocationOptions(enabled=True),
            validate_token_resource=False,
        )
        mcp: Any = MCPServer("calendar", auth_server_provider=server.accounts, auth=settings)
        mcp.tool(name="whoami")(server.whoami)
        app = mcp.streamable_http_app()
        running = uvicorn.Server(uvicorn.Config(_Watched(app, server), log_config=None, ws="none"))
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(running.serve([listening]), name="login server")
            await until(lambda: running.started or serving.done())
            try:
                yield server
            finally:
                running.should_exit = running.force_exit = True
