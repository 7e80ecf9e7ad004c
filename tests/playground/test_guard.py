"""Who may reach the playground: its own page with this start's key, programs with it, and no page of another site."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

import playground.loopback
import tasks.http.loopback
from playground.bot_api.methods import METHODS
from playground.control import routes as control_routes
from playground.loopback import foreign
from playground.page import routes as page_routes
from playground.state.world import State

EVIL = "https://evil.example"


def foreign_requests(port: int) -> dict[str, dict[str, str]]:
    """What a browser, or a name that resolves to us, adds to a request that is not of our page."""
    here = f"127.0.0.1:{port}"
    return {
        "an image on another site": {
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "no-cors",
            "referer": EVIL + "/",
        },
        "an image without a referer": {"sec-fetch-site": "cross-site"},
        "an image in an old browser": {"referer": EVIL + "/page"},
        "a form on another site": {"origin": EVIL},
        "a sandboxed frame": {"origin": "null"},
        "another port of this machine": {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:3000"},
        "another port in an old browser": {"origin": "http://localhost:3000"},
        "a link on another site": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
        "a name that was rebound": {"host": f"evil.example:{port}"},
        "a rebound name whose page is the origin": {
            "host": f"evil.example:{port}",
            "origin": f"http://evil.example:{port}",
            "sec-fetch-site": "same-origin",
        },
        "a name that begins like ours": {"host": f"127.0.0.1.evil.example:{port}"},
        "a name that ends like ours": {"host": f"evil.127.0.0.1:{port}"},
        "an address that holds ours": {"host": f"{here}@evil.example:{port}"},
        "our name with another port": {"host": "127.0.0.1:1"},
        "our name without a port": {"host": "localhost"},
        "an origin that begins like ours": {"origin": f"http://{here}.evil.example"},
        "an origin of another kind": {"origin": f"chrome-extension://{here}"},
    }


def all_routes(state: State) -> Iterator[tuple[str, str]]:
    """Each route with each of its methods."""
    for route in (*page_routes(state), *control_routes(state)):
        path = re.sub(r"\{\w+\}", "1", route.path).replace("/static/1", "/static/app.js")
        for method in sorted(route.methods or ()):
            yield method, path
    for name in (*METHODS, "getUpdates"):
        for method in ("GET", "POST"):
            yield (
                method,
                f"/bot{state.bot.token}/{name}?chat_id=1&text=x&url=http://127.0.0.1:1/&drop_pending_updates=1",
            )
    yield "GET", f"/file/bot{state.bot.token}/photos/file_0.jpg"
    yield "GET", f"/?key={state.key}"


@pytest.mark.promise("playground-shut")
async def test_no_page_of_another_site_reaches_any_route(state: State, url: str, pg) -> None:
    await pg.bulk(3)
    kinds = foreign_requests(urlsplit(url).port)
    answered: list[str] = []
    # Some 4,000 requests: httpx takes three times as long for each.
    async with aiohttp.ClientSession() as http:
        for method, path in all_routes(state):
            for kind, headers in kinds.items():
                # With everything that its user's own browser would add by itself, and more.
                given = {"authorization": f"Bearer {state.key}", **headers}
                whole = URL(f"{url.rstrip('/')}{path}", encoded=True)
                async with http.request(method, whole, headers=given, allow_redirects=False) as answer:
                    if answer.status != 403 or "set-cookie" in answer.headers:
                        answered.append(f"{kind}: {method} {path}: {answer.status}")
    assert answered == []
    assert len(state.bot.queue) == 3
    assert not state.bot.webhook.url
    assert len(state.book.chats) == 1


@pytest.mark.promise("playground-shut")
async def test_no_control_route_is_answered_without_this_starts_key(state: State, url: str) -> None:
    cookie = f"cohort_playground_{urlsplit(url).port}"
    wrong = ({}, {"authorization": "Bearer guess"}, {"authorization": "Bearer"}, {"cookie": f"{cookie}=guess"})
    answered: list[str] = []
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as http:
        for method, path in all_routes(state):
            if path.startswith(("/bot", "/file/bot", "/static/", "/?key=")):
                continue
            answered += [
                f"{method} {path} {headers}"
                for headers in (*wrong, {"cookie": f"{cookie}_other={state.key}"})
                if (await http.request(method, path, headers=headers)).status_code != 403
            ]
    assert answered == []
    assert state.book.chats == {}


@pytest.mark.promise("playground-shut")
async def test_a_bots_calls_and_files_need_its_token(state: State, url: str, pg) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as http:
        for token in ("", "1000000001:", "1000000001:playground-has-no-secrets", state.bot.token[:-1]):
            assert (await http.get(f"/bot{token}/getMe")).status_code in (401, 404)
        assert (await http.get(f"/bot{state.bot.token}/getMe")).status_code == 200


async def test_the_page_is_opened_by_the_address_with_the_key_and_goes_on_by_a_cookie_of_its_own(
    state: State, url: str
) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as browser:
        typed = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}
        assert "open the address that the playground printed" in (await browser.get("/", headers=typed)).text
        opened = await browser.get("/", params={"key": state.key}, headers=typed)
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert "HttpOnly; SameSite=Strict" in opened.headers["set-cookie"]
        assert "<title>Cohort playground</title>" in (await browser.get("/", headers=typed)).text
        own = {"sec-fetch-site": "same-origin", "origin": url, "referer": f"{url}/"}
        assert (await browser.get("/playground/chats", headers=own)).json() == []
        assert (await browser.post("/playground/chats", json={}, headers=own)).status_code == 200


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_each_name_of_this_machine_will_do(name: str) -> None:
    assert foreign([("Host", f"{name}:8081")], 8081) is None
    assert foreign([("host", name)], 80) is None
    assert foreign([("host", f"{name}:8081"), ("Origin", f"http://{name}:8081")], 8081) is None


def test_a_server_behind_a_proxy_may_be_called_by_the_names_it_is_given() -> None:
    asked = [("Host", "Flower.example"), ("Origin", "https://flower.example")]
    assert foreign(asked, 5555, ["flower.example"]) is None
    assert foreign(asked, 5555) is not None


@pytest.mark.promise("playground-shut")
@given(host=st.text(st.characters(min_codepoint=33, max_codepoint=126)), origin=st.none() | st.text(max_size=30))
def test_only_our_names_and_origins_ever_pass(host: str, origin: str | None) -> None:
    headers = [("host", host)] + ([("origin", origin)] if origin is not None else [])
    if foreign(headers, 8081) is None:
        assert host.lower() in {"127.0.0.1:8081", "localhost:8081", "[::1]:8081"}
        assert origin is None or origin.strip().lower() == f"http://{host.lower()}"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("host", "")],
        [("host", "127.0.0.1:8081"), ("host", "127.0.0.1:8081")],
        [("host", "127.0.0.1:8081"), ("origin", "http://127.0.0.1:8081"), ("origin", EVIL)],
        [("host", "127.0.0.1:8081"), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
        [("host", "127.0.0.1:8081"), ("origin", "")],
        [("host", "127.0.0.1:8081"), ("origin", "http://[")],
    ],
)
def test_doubled_missing_and_broken_headers_do_not_pass(headers: list[tuple[str, str]]) -> None:
    assert foreign(headers, 8081) is not None


@pytest.mark.promise("playground-shut")
@pytest.mark.parametrize("others", ['prefs={"a":1,"b":2}', "user@host=1; a[b]=2", "flag", "=", "n=\u00e9", 'q="x'])
async def test_cookies_of_other_programs_on_this_machine_keep_no_page_shut(state: State, url: str, others: str) -> None:
    cookie = f"{others}; cohort_playground_{urlsplit(url).port}={state.key}; theme=dark"
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as http:
        answer = await http.get("/", headers=[(b"cookie", cookie.encode())])
    assert answer.status_code == 200


def test_a_proxy_may_call_a_server_by_its_own_address_and_serve_it_under_a_name_that_was_given() -> None:
    headers = [("Host", "127.0.0.1:5555"), ("Origin", "https://Flower.example"), ("Sec-Fetch-Site", "same-origin")]
    assert foreign(headers, 5555, ["flower.example"]) is None
    assert foreign(headers, 5555) is not None
    assert foreign([("Host", "127.0.0.1:5555"), ("Origin", "https://evil.example")], 5555, ["flower.example"])


@pytest.mark.promise("playground-shut")
def test_the_playground_and_the_other_servers_on_127_0_0_1_refuse_by_the_same_rules() -> None:
    # The playground imports no other package of ours, so it has its own copy of this pure module.
    ours, theirs = (Path(module.__file__).read_text() for module in (playground.loopback, tasks.http.loopback))
    assert ours == theirs
