"""The console's guard: pages of other sites, passwords, and where it listens."""

import base64

import pytest

from ops.web.app import create_app
from tasks.config.settings import load
from tasks.errors import Misconfigured
from tasks.store import Store
from tests.ops.test_web import READS, Open, console, lived_in
from tests.playground.test_guard import foreign_requests
from tests.runtime.support import StillClock
from tests.support.redis_of import redis_of

__all__ = ["console"]

ME = ("me", "a-long-password")
AUTH = {"COHORT_CONSOLE_AUTH": "me:a-long-password"}


@pytest.mark.promise("playground-shut")
async def test_no_page_of_another_site_reaches_any_route_of_the_console(store: Store, console: Open) -> None:
    await lived_in(store)
    paths = (*READS, "/", "/static/app.js", "/healthz", "/api/dead/1-0/drop")
    for given in ({}, AUTH):
        async with console(**given) as http:
            for kind, headers in foreign_requests(5556).items():
                for path in paths:
                    method = "POST" if path.endswith("drop") else "GET"
                    answer = await http.request(method, path, headers=headers, auth=ME)
                    assert answer.status_code == 403, (kind, path)


async def test_a_link_on_a_page_of_this_machine_opens_the_page_and_reads_nothing(console: Open) -> None:
    link = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    link["referer"] = "http://127.0.0.1:8081/"
    async with console() as http:
        assert (await http.get("/", headers=link)).status_code == 200
        assert (await http.get("/api/sessions", headers=link)).status_code == 403
        assert (await http.get("/", headers={**link, "sec-fetch-dest": "iframe"})).status_code == 403
        assert (await http.get("/", headers={**link, "sec-fetch-site": "cross-site"})).status_code == 403


@pytest.mark.promise("console-shut")
async def test_without_a_password_nothing_can_be_changed(store: Store, console: Open) -> None:
    await lived_in(store)
    (letter,) = await store.dead.list()
    async with console() as http:
        for verb in ("retry", "drop"):
            answer = await http.post(f"/api/dead/{letter.id}/{verb}", auth=ME)
            assert (answer.status_code, "COHORT_CONSOLE_AUTH" in answer.text) == (403, True)
    assert await store.dead.count() == 1


@pytest.mark.promise("console-shut")
async def test_with_a_password_only_who_has_it_sees_and_changes_anything(store: Store, console: Open) -> None:
    await lived_in(store)
    (letter,) = await store.dead.list()
    wrong = [None, ("me", "a-long-passwor"), ("me", ""), ("", "a-long-password"), ("you", "a-long-password")]
    raw = ["Basic", "Basic !!!", "Bearer a-long-password", "Basic " + base64.b64encode(b"\xff:\xff").decode()]
    async with console(**AUTH) as http:
        for auth in wrong:
            answer = await http.get("/api/sessions", auth=auth)
            assert answer.status_code == 401, auth
            assert answer.headers["www-authenticate"].startswith("Basic ")
        for header in raw:
            assert (await http.get("/api/people", headers={"authorization": header})).status_code == 401
        for path in (*READS, "/", "/static/app.js"):
            assert (await http.get(path)).status_code == 401, path
            assert (await http.get(path, auth=ME)).status_code == 200, path
        assert (await http.get("/healthz")).text == "ok\n"
        assert (await http.post(f"/api/dead/{letter.id}/drop")).status_code == 401
        for name in ("x", "1-0-0", f"{letter.id}/../../x"):
            assert (await http.post(f"/api/dead/{name}/drop", auth=ME)).status_code == 404
        assert (await http.post(f"/api/dead/{letter.id}/retry", auth=ME)).json() == {"done": "retry"}
        assert (await http.post(f"/api/dead/{letter.id}/retry", auth=ME)).status_code == 404
    assert await store.dead.count() == 0
    assert await redis_of(store).llen("cohort:s:4242:-100:t7:inbox") == 2


@pytest.mark.promise("console-shut")
async def test_passwords_are_guessed_ten_at_once_and_then_one_every_six_seconds(
    console: Open, caplog: pytest.LogCaptureFixture
) -> None:
    clock = StillClock()
    async with console(clock=clock, **AUTH) as http:
        for number in range(30):
            assert (await http.get("/")).status_code == 401, "no password is no guess"
            refused = await http.get("/", auth=("me", f"guess {number}"))
            assert refused.status_code == (401 if number < 10 else 429)
        assert refused.headers["retry-after"] == "6"
        assert (await http.get("/", auth=ME)).status_code == 429, "the right one would end the guessing"
        assert (await http.get("/healthz")).status_code == 200
        clock.seconds += 6
        assert (await http.get("/", auth=ME)).status_code == 200
        assert (await http.get("/", auth=("me", "one more"))).status_code == 401
        assert (await http.get("/", auth=ME)).status_code == 429
    told = [record.__dict__ for record in caplog.records if record.getMessage() == "console.guessed"]
    assert [line["wrong"] for line in told] == [*range(1, 11), 10]
    assert "guess 3" not in str(told)


@pytest.mark.promise("console-shut")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "console.example"])
def test_beyond_this_machine_the_console_does_not_start_without_a_password(host: str) -> None:
    with pytest.raises(Misconfigured, match="COHORT_CONSOLE_AUTH: required with another COHORT_CONSOLE_HOST"):
        load({"COHORT_CONSOLE_HOST": host})
    assert load({"COHORT_CONSOLE_HOST": host, **AUTH}).console_host == host


@pytest.mark.promise("console-shut")
@pytest.mark.parametrize("login", ["me", "me:", ":a-long-password", "me:short", "me:with a\nline in it"])
def test_a_login_that_protects_nothing_is_refused(login: str) -> None:
    with pytest.raises(Misconfigured, match="COHORT_CONSOLE_AUTH: must be user:password"):
        load({"COHORT_CONSOLE_AUTH": login})
    with pytest.raises(Misconfigured, match="required with COHORT_CONSOLE_TEXT"):
        load({"COHORT_CONSOLE_TEXT": "true"})


async def test_each_answer_forbids_inline_scripts_frames_and_keeping(console: Open) -> None:
    assert create_app.__doc__
    async with console() as http:
        for path in ("/", "/static/app.js", "/api/about", "/metrics", "/nothing"):
            headers = (await http.get(path)).headers
            assert "script-src 'self'" in headers["content-security-policy"], path
            assert "unsafe" not in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
