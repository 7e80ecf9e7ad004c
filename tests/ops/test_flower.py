"""Flower as `cohort flower` starts it: a real process that real requests reach, or do not."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from flower.urls import handlers

from ops.environment import needed
from ops.up.plan import flower_command
from tests.harness.command import clean
from tests.harness.supervising import PATIENCE
from tests.playground.test_guard import foreign_requests
from tests.support.authority import authority
from tests.support.flower import started
from tests.support.ports import free_port
from tests.support.tls_front import tls_front

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD")


@pytest.fixture
async def flower(redis_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """Its URL; its API is open, as an operator may have it."""
    extra = {"FLOWER_UNAUTHENTICATED_API": "true", "COHORT_FLOWER_HOSTS": "flower.example"}
    async with started(redis_url, tmp_path, **extra) as url:
        yield url


@pytest.mark.promise("playground-shut")
async def test_no_page_of_another_site_reaches_any_route_of_flower(flower: str) -> None:
    paths = sorted({str(handler[0] if isinstance(handler, tuple) else handler.regex.pattern) for handler in handlers})
    paths = [path.rstrip("$?").replace("(.+)", "x").replace("(.*)", "x").replace(".*", "/else") for path in paths]
    kinds = foreign_requests(int(flower.rpartition(":")[2]))
    answered: list[str] = []
    async with httpx.AsyncClient(base_url=flower, trust_env=False, verify=False, timeout=60) as http:
        for path in paths:
            for number, (kind, headers) in enumerate(kinds.items()):
                method = METHODS[number % len(METHODS)]
                answer = await http.request(method, path, headers=headers)
                # 400: Tornado knows by itself that this is no host's name.
                if answer.status_code not in (400, 403):
                    answered.append(f"{kind}: {method} {path}: {answer.status_code}")
        assert answered == []
        own = {"sec-fetch-site": "same-origin", "referer": f"{flower}/"}
        assert (await http.get("/api/workers", headers=own)).status_code == 200
        assert (await http.get("/", headers={"host": "flower.example"})).status_code == 200
        link = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        link["referer"] = "http://127.0.0.1:8081/"
        assert (await http.get("/", headers=link)).status_code == 200, "a link in the playground leads nowhere"
        assert (await http.get("/api/workers", headers=link)).status_code == 403
        assert "COHORT_FLOWER_HOSTS" in (await http.get("/", headers={"host": "another.example"})).text


@pytest.mark.promise("flower-shut")
async def test_without_authentication_flower_shows_and_changes_nothing_and_lists_all_queues(flower: str) -> None:
    own = {"sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(base_url=flower, trust_env=False, verify=False, timeout=60) as http:
        for action in ("worker/shutdown/x", "worker/pool/grow/x", "task/revoke/x", "task/rate-limit/x"):
            answer = await http.post(f"/api/{action}", headers=own)
            assert answer.status_code == 403, action
            assert "read-only" in answer.text.lower().replace("_", "-").replace(" ", "-"), answer.text
        page = (await http.get("/broker", headers=own)).text
        assert [n for n in range(64) if f"chats.{n:02d}" not in page] == []
        for page in ("/", "/workers", "/tasks", "/broker"):
            assert (await http.get(page, headers=own)).status_code == 200


async def test_with_a_password_the_api_asks_for_it_as_pages_do_and_its_actions_are_open(
    redis_url: str, tmp_path: Path
) -> None:
    async with started(redis_url, tmp_path, FLOWER_BASIC_AUTH="op:secret") as url:
        own = {"sec-fetch-site": "same-origin"}
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60, headers=own) as http:
            for path in ("/", "/api/workers"):
                refused = await http.get(path)
                assert refused.status_code == 401
                # Without it a browser that knows the password does not send it, and each button shows 401.
                assert refused.headers["www-authenticate"] == 'Basic realm="flower"', path
            assert (await http.get("/api/workers", auth=("op", "secret"))).status_code == 200
            answer = await http.post("/api/worker/shutdown/x", auth=("op", "secret"))
            assert (answer.status_code, answer.text) == (404, "Unknown worker 'x'")
            limit = await http.post("/api/task/rate-limit/chat.turn", auth=("op", "secret"), data={"ratelimit": "1/m"})
            assert "Unknown task" not in limit.text
            # One more is let through for each six seconds that this takes.
            async with asyncio.TaskGroup() as group:
                wrong = [("op", f"guess {number}") for number in range(40)]
                guesses = [group.create_task(http.get("/api/workers", auth=login)) for login in wrong]
            statuses = [guess.result().status_code for guess in guesses]
            assert set(statuses) == {401, 429}
            assert statuses.count(401) >= 10


async def test_a_redis_with_tls_and_a_ca_of_its_own_is_read_for_workers_and_for_queues(
    redis_url: str, tmp_path: Path
) -> None:
    ours = authority(tmp_path, "ours")
    with tls_front(urlsplit(redis_url).port or 6379, ours.server_context()) as port:
        secured = urlsplit(redis_url)._replace(scheme="rediss", netloc=f"127.0.0.1:{port}").geturl()
        async with (
            started(f"{secured}?ssl_ca_certs={ours.roots}", tmp_path, FLOWER_UNAUTHENTICATED_API="true") as url,
            httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as http,
        ):
            page = (await http.get("/broker")).text
            assert [number for number in range(64) if f"chats.{number:02d}" not in page] == []
            # This asks workers over the broker.
            assert (await http.get("/api/workers?refresh=1")).status_code == 200


@pytest.mark.promise("flower-shut")
@pytest.mark.parametrize("address", ["0.0.0.0", "", "192.0.2.1"])
async def test_beyond_this_machine_flower_does_not_start_without_authentication(
    redis_url: str, tmp_path: Path, address: str
) -> None:
    environ = needed("flower", {**clean(tmp_path), "REDIS_URL": redis_url})
    process = await asyncio.create_subprocess_exec(
        *flower_command(free_port(), address), cwd=tmp_path, env=environ, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().startswith("cohort flower: FLOWER_ADDRESS=")
    assert len(said.splitlines()) == 1


def test_flower_is_started_on_this_machine_alone_unless_told() -> None:
    assert "--address=127.0.0.1" in flower_command(5555)
    assert flower_command(5555)[:4] == (sys.executable, "-P", "-m", "ops.up.flower")
