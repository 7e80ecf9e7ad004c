"""Tokens are refreshed by one worker at a time: the SDK's provider as a connection uses it, without a runtime."""

import asyncio
from collections.abc import AsyncGenerator

import httpx2
import pytest
from fast_agent.config import MCPServerAuthSettings, MCPServerSettings

from tasks.config.settings import Settings, load
from tasks.store import Store
from tests.runtime.logins import ANN, BOT, SECRET, comes_back
from tests.runtime.support import StillClock
from tests.support.login_server import LoginServer, login_server, until
from workers.runtime.logins.connection import PersonsServer
from workers.runtime.logins.provider import LoginProvider
from workers.runtime.logins.refusals import LoginAway
from workers.runtime.logins.vault import Vault

CALLBACK = "https://bot.example/oauth/callback"


@pytest.fixture
async def calendar() -> AsyncGenerator[LoginServer]:
    async with login_server() as server:
        yield server


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": f"{BOT}:token", "COHORT_SECRET_KEY": SECRET})


@pytest.fixture
def vault(store: Store, clock: StillClock) -> Vault:
    return Vault(store.logins, clock, BOT, ANN, "calendar")


def server_of(calendar: LoginServer) -> MCPServerSettings:
    auth = MCPServerAuthSettings(oauth=False)
    return MCPServerSettings(transport="http", url=f"{calendar.url}/mcp", auth=auth)


@pytest.fixture
async def logged_in(vault: Vault, store: Store, calendar: LoginServer) -> Vault:
    """Ann has a login."""
    server = PersonsServer("calendar", server_of(calendar), CALLBACK, f"{BOT}:{ANN}")
    pending = await server.log_in(vault)
    assert pending is not None
    await comes_back(store, await calendar.browse(pending.url, "ann"))
    assert await server.connected(vault)
    return vault


async def worker(vault: Vault, calendar: LoginServer) -> LoginProvider:
    """A connection of one worker, which has read the login."""
    provider = LoginProvider(vault, server_of(calendar), CALLBACK)
    provider.adopt(await vault.read())
    return provider


async def request(provider: LoginProvider, calendar: LoginServer) -> int:
    """A request to the server; 400 means that it was let in."""
    async with httpx2.AsyncClient(auth=provider) as http:
        said = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        headers = {"accept": "application/json, text/event-stream"}
        return (await http.post(f"{calendar.url}/mcp", json=said, headers=headers)).status_code


@pytest.mark.promise("login-refreshed")
@pytest.mark.parametrize("how", ["ended", "refused"])
async def test_of_many_workers_one_refreshes_and_all_go_on(
    logged_in: Vault, calendar: LoginServer, clock: StillClock, how: str
) -> None:
    accounts = calendar.accounts
    workers = [await worker(logged_in, calendar) for _ in range(4)]
    if how == "ended":
        clock.seconds += 4000
    else:
        accounts.end_access("ann")
    accounts.slow = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        requests = [group.create_task(request(one, calendar)) for one in workers]
        login = await logged_in.read()
        while login is not None and not login.refreshed_by:
            login = await logged_in.read()
        accounts.slow.set()
    assert [done.result() for done in requests] == [400] * 4
    assert (accounts.counts["refreshed"], accounts.counts["used twice"]) == (1, 0)
    kept = await logged_in.read()
    assert kept is not None
    assert (kept.refreshed_by, kept.tokens is not None) == ("", True)
    assert kept.tokens["refresh_token"] in accounts.refresh


@pytest.mark.promise("login-refreshed")
async def test_of_two_requests_that_are_refused_with_one_token_the_first_refreshes_it(
    logged_in: Vault, calendar: LoginServer
) -> None:
    provider = await worker(logged_in, calendar)
    flow = provider.async_auth_flow(httpx2.Request("GET", f"{calendar.url}/mcp"))
    stream = await anext(flow)
    before = stream.headers["authorization"]
    calendar.accounts.end_access("ann")
    assert await request(provider, calendar) == 400
    again = await flow.asend(httpx2.Response(401, request=stream))
    await flow.aclose()
    assert again.headers["authorization"] != before, "it has the token that the other request got"
    assert calendar.accounts.counts["refreshed"] == 1


@pytest.mark.promise("login-refreshed")
async def test_a_worker_that_died_while_it_refreshed_holds_the_others_up_for_its_lease_only(
    logged_in: Vault, calendar: LoginServer, clock: StillClock
) -> None:
    lease = {"refreshed_by": "dead", "refreshing_until": clock.now() + 45}
    await logged_in.change(lambda login: login.model_copy(update=lease))
    calendar.accounts.end_access("ann")
    provider = await worker(logged_in, calendar)
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(request(provider, calendar))
        await until(lambda: provider.context.lock.statistics().locked)
        assert calendar.accounts.counts["refreshed"] == 0
        clock.seconds += 46
    assert waits.result() == 400
    assert calendar.accounts.counts["refreshed"] == 1


@pytest.mark.promise("login-refreshed")
async def test_a_worker_that_comes_late_refreshes_the_token_that_another_one_got_and_that_has_ended_since(
    logged_in: Vault, calendar: LoginServer
) -> None:
    late, other = await worker(logged_in, calendar), await worker(logged_in, calendar)
    assert await request(late, calendar) == 400
    calendar.accounts.end_access("ann")
    assert await request(other, calendar) == 400
    calendar.accounts.end_access("ann")
    assert await request(late, calendar) == 400
    assert not late.needed
    assert calendar.accounts.counts["refreshed"] == 2


@pytest.mark.promise("login-refreshed")
async def test_a_server_that_refuses_a_new_token_has_its_person_asked_after_one_refresh(
    logged_in: Vault, calendar: LoginServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def takes_none(_token: str) -> None:
        return None

    provider = await worker(logged_in, calendar)
    monkeypatch.setattr(calendar.accounts, "load_access_token", takes_none)
    assert await request(provider, calendar) == 401
    assert provider.needed
    assert calendar.accounts.counts["refreshed"] == 1
    kept = await logged_in.read()
    assert kept is not None
    assert not kept.is_linked


@pytest.mark.promise("login-refreshed")
async def test_a_login_that_its_server_ends_is_needed_again_and_its_tokens_go(
    logged_in: Vault, calendar: LoginServer
) -> None:
    provider = await worker(logged_in, calendar)
    calendar.accounts.revoke("ann")
    assert await request(provider, calendar) == 401
    assert provider.needed
    kept = await logged_in.read()
    assert kept is not None
    assert not kept.is_linked
    assert kept.client is not None, "how the server knows us stays"


@pytest.mark.promise("login-refreshed")
async def test_while_a_login_server_is_away_a_login_stays(
    logged_in: Vault, calendar: LoginServer, clock: StillClock
) -> None:
    away = {"token_endpoint": "http://127.0.0.1:9/token"}
    await logged_in.change(lambda login: login.model_copy(update={"authority": {**(login.authority or {}), **away}}))
    provider = await worker(logged_in, calendar)
    clock.seconds += 4000
    with pytest.raises(LoginAway):
        await request(provider, calendar)
    kept = await logged_in.read()
    assert kept is not None
    assert kept.is_linked
    assert not provider.needed
    assert kept.refreshed_by == ""


async def test_another_address_to_come_back_to_is_registered_by_the_next_login(
    logged_in: Vault, store: Store, calendar: LoginServer
) -> None:
    server = PersonsServer("calendar", server_of(calendar), "https://new.example/oauth/callback", f"{BOT}:{ANN}")
    await logged_in.unlink(str((await _tokens(logged_in))["refresh_token"]))
    pending = await server.log_in(logged_in)
    assert pending is not None
    assert "new.example" in pending.url
    await comes_back(store, await calendar.browse(pending.url, "ann"))
    assert await server.connected(logged_in)
    assert calendar.accounts.counts["registered"] == 2


async def test_a_client_that_the_operator_has_registered_is_used(
    vault: Vault, store: Store, calendar: LoginServer
) -> None:
    told = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post"}
    async with httpx2.AsyncClient() as http:
        client = (await http.post(f"{calendar.url}/register", json=told)).json()
    auth = MCPServerAuthSettings.model_validate(
        {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    )
    settings = server_of(calendar).model_copy(update={"auth": auth})
    server = PersonsServer("calendar", settings, CALLBACK, f"{BOT}:{ANN}")
    pending = await server.log_in(vault)
    assert pending is not None
    assert client["client_id"] in pending.url
    await comes_back(store, await calendar.browse(pending.url, "ann"))
    assert await server.connected(vault)
    assert calendar.accounts.counts["registered"] == 1


async def _tokens(vault: Vault) -> dict[str, object]:
    login = await vault.read()
    assert login is not None
    assert login.tokens is not None
    return login.tokens
