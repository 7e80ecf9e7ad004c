"""Serving: ports, the page with its files, live events, and who may drive it."""

import asyncio
import json
import re
import signal
import sys
from pathlib import Path

import httpx
import pytest

import playground
from playground import PLAYGROUND_TOKEN
from playground.__main__ import run, state_of
from playground.client import PlaygroundClient, PlaygroundError
from playground.errors import CannotServe
from playground.options import Options
from playground.server import serving
from playground.state.world import State
from tasks.config.settings import load
from tests.playground.test_sending import sent

STATIC = Path(playground.__file__).parent / "static"


async def test_a_busy_port_is_one_clear_line(url):
    port = int(url.rpartition(":")[2])
    with pytest.raises(CannotServe) as problem:
        await run(Options.read({"COHORT_PLAYGROUND_PORT": str(port)}))
    words = str(problem.value)
    assert words.startswith("COHORT_PLAYGROUND_PORT: cannot listen on 127.0.0.1:")
    assert "\n" not in words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COHORT_PLAYGROUND_PORT", "65536"),
        ("COHORT_PLAYGROUND_PORT", "-1"),
        ("COHORT_PLAYGROUND_PORT", "any"),
        ("COHORT_PLAYGROUND_KEY", "short"),
        ("COHORT_PLAYGROUND_KEY", "a key; with a cookie's end"),
    ],
)
async def test_a_variable_that_cannot_be_used_is_one_clear_line(name, value):
    with pytest.raises(CannotServe, match=rf"^{name}: must be [^\n]+$"):
        Options.read({name: value})


async def test_a_blank_variable_and_a_real_bots_token_count_as_none():
    blank = dict.fromkeys(("COHORT_PLAYGROUND_PORT", "COHORT_PLAYGROUND_KEY", "TELEGRAM_BOT_TOKEN"), " ")
    assert Options.read(blank) == Options.read({}) == Options()
    assert Options.read({"TELEGRAM_BOT_TOKEN": "42:of-a-real-bot"}).token is None
    assert Options.read({"TELEGRAM_BOT_TOKEN": PLAYGROUND_TOKEN}).token == PLAYGROUND_TOKEN


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("--port=1", 2), ("8081", 2)])
async def test_an_argument_starts_nothing_and_help_names_each_variable(argument, status):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "playground",
        argument,
        env={"COHORT_PLAYGROUND_PORT": "0"},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode == status
    assert status or {"COHORT_PLAYGROUND_PORT", "COHORT_PLAYGROUND_KEY", "TELEGRAM_BOT_TOKEN"} <= {
        *said.decode().split()
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_process_prints_its_url_and_ends_cleanly(number):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "playground", env={"COHORT_PLAYGROUND_PORT": "0"}, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        token = re.fullmatch(r"playground token (1000000001:[\w-]{32})\n", (await process.stdout.readline()).decode())[
            1
        ]
        line = (await process.stdout.readline()).decode()
        url = re.fullmatch(r"playground (http://127\.0\.0\.1:\d+/\?key=[\w-]{16})\n", line)[1]
        async with PlaygroundClient(url, token=token) as pg:
            assert await pg.chats() == []
            assert (await pg.call("getMe"))["ok"]
        process.send_signal(number)
        assert await process.wait() == 0


async def test_it_stops_at_once_with_polls_waiting():
    async def poll(pg: PlaygroundClient) -> None:
        with pytest.raises(httpx.HTTPError):
            await pg.call("getUpdates", timeout=50)

    state = State()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks, serving(state) as url:
        pg = PlaygroundClient(url, key=state.key)
        tasks.create_task(poll(pg), name="poll")
        await pg.wait_polling()
    await pg.close()


async def test_the_token_looks_like_a_real_one():
    settings = load({"TELEGRAM_BOT_TOKEN": PLAYGROUND_TOKEN})
    assert settings.token == PLAYGROUND_TOKEN


async def test_every_file_of_the_page_is_served_and_nothing_else(pg):
    page = await pg._http.get("/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in STATIC.iterdir():
        answer = await pg._http.get(f"/static/{path.name}")
        assert answer.status_code == 200
        assert answer.content == path.read_bytes()
        assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("..%2fserver.py", "nothing.js", "%2e%2e%2f__init__.py"):
        assert (await pg._http.get(f"/static/{name}")).status_code == 404


async def test_the_page_fetches_nothing_from_elsewhere_and_makes_no_html_of_text():
    for path in STATIC.iterdir():
        text = path.read_text()
        assert not re.search(r"(?:src|href|url|from|import)\s*[=(]?\s*[\"'(]?(?:https?:)?//", text), path.name
        for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
            assert forbidden not in text, path.name


async def test_what_the_page_refers_to_exists():
    names = {path.name for path in STATIC.iterdir()}
    html = (STATIC / "index.html").read_text()
    assert {Path(name).name for name in re.findall(r"static/([\w.]+)", html)} <= names
    for path in STATIC.glob("*.js"):
        text = path.read_text()
        for imported, module in re.findall(r"import \{([^}]*)\} from \"\./([\w.]+)\"", text):
            exported = set(
                re.findall(r"export (?:const|class|function|async function) ([\w$]+)", (STATIC / module).read_text())
            )
            assert {name.strip() for name in imported.split(",")} <= exported, (path.name, module)
        ids = set(re.findall(r"\$\(\"(\w[\w-]*)\"\)", text))
        assert ids <= set(re.findall(r'id="([\w-]+)"', html)), path.name


async def test_info_tells_the_page_what_it_was_given():
    info = {"model": "SmolLM2", "links": [{"label": "Flower", "url": "http://127.0.0.1:5555"}]}
    state = State(info=info)
    async with serving(state) as url, PlaygroundClient(url, key=state.key) as pg:
        assert (await pg.control("GET", "/info"))["model"] == "SmolLM2"
        await pg.set_info(model="another")
        await pg.call("setMyCommands", commands=[{"command": "new", "description": "Start again"}])
        told = await pg.control("GET", "/info")
    assert told["model"] == "another"
    assert told["links"] == info["links"]
    assert told["commands"] == [{"command": "new", "description": "Start again"}]
    assert told["bot"]["username"]


async def test_events_tell_of_messages_edits_typing_and_presses(pg):
    chat = (await pg.chat())["id"]
    kinds: list[str] = []
    async with asyncio.timeout(60), pg._http.stream("GET", "/playground/events") as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        await pg.say(chat, "hi <b>there</b>")
        await pg.call("sendChatAction", chat_id=chat, action="typing")
        message = await sent(pg, chat, "grows")
        await pg.call("editMessageText", chat_id=chat, message_id=message["message_id"], text="grows more")
        await pg.call("deleteMessage", chat_id=chat, message_id=message["message_id"])
        async for line in lines:
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                kinds.append(event["kind"])
                if event["kind"] == "deleted":
                    break
    assert kinds == ["message", "action", "message", "message", "deleted"]


async def test_a_page_that_cannot_keep_up_is_told_to_reload(pg, state):
    with state.events.listen() as queue:
        await pg.bulk(3000, 3)
        assert queue.get_nowait() == {"kind": "resync"}


async def test_a_picture_is_shown_and_anything_else_downloaded(pg):
    picture = await pg.file(b"\x89PNG", "a.png")
    page = await pg.file(b"<script>alert(1)</script>", "a.html", mime="text/html")
    shown = await pg._http.get(f"/playground/files/{picture}")
    assert shown.headers["content-type"] == "image/png"
    kept = await pg._http.get(f"/playground/files/{page}")
    assert kept.headers["content-type"] == "application/octet-stream"
    assert kept.headers["content-disposition"] == "attachment"


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("POST", "/chats", {"type": "channel"}),
        ("POST", "/chats", {"type": "group", "id": 5}),
        ("POST", "/chats", {"type": "private", "user": "nobody"}),
        ("GET", "/chats/abc", None),
        ("GET", "/chats/12345/messages", None),
        ("POST", "/bulk", {"messages": 0}),
        ("POST", "/bulk", {"messages": "many"}),
        ("POST", "/updates", {}),
        ("GET", "/journal?after=x", None),
        ("GET", "/journal?timeout=soon", None),
        ("POST", "/flood", {"overall": 0}),
        ("GET", "/presses/1", None),
    ],
)
async def test_senseless_requests_are_answered_with_a_reason(pg, method, path, given):
    path, _, query = path.partition("?")
    with pytest.raises(PlaygroundError, match=r"^4\d\d: \S+"):
        await pg.control(method, path, given, **dict([query.split("=")] if query else []))


async def test_a_body_that_is_no_json_object_is_answered_with_a_reason(pg):
    for body in (b"{", b"[]", b"\xff"):
        answer = await pg._http.post("/playground/chats", content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]
    assert (
        (await pg._http.post(f"/bot{pg.token}/sendMessage", content=b"{", headers={"content-type": "application/json"}))
        .json()["description"]
        .startswith("Bad Request: ")
    )


async def test_waiting_ends_with_what_stood_there(pg):
    chat = (await pg.chat())["id"]
    await sent(pg, chat, "only this")
    with pytest.raises(TimeoutError, match="only this"):
        await pg.wait_for(chat, 2, timeout=0.05)
    with pytest.raises(TimeoutError, match="no bot"):
        await pg.wait_polling(timeout=0.01)
    await pg.bulk(3)
    with pytest.raises(TimeoutError, match="3 updates"):
        await pg.wait_confirmed(timeout=0.01)


async def test_an_answer_is_waited_for_while_it_grows(pg):
    chat = (await pg.chat())["id"]
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(
            pg.wait_for(chat, lambda seen: seen[-1:] and seen[-1]["text"] == "whole"), name="wait"
        )
        first = await sent(pg, chat, "who")
        await pg.call("editMessageText", chat_id=chat, message_id=first["message_id"], text="whole")
    assert [message["text"] for message in waiting.result()] == ["whole"]


async def test_what_it_keeps_is_bounded(clock):
    small = State(clock, message_cap=10, chat_cap=3, journal_cap=5)
    async with serving(small) as url, PlaygroundClient(url, key=small.key) as pg:
        many = await pg.bulk(50, 2)
        assert len(await pg.messages(many.chats[0])) == 10
        await pg.chat()
        with pytest.raises(PlaygroundError, match="3 chats already"):
            await pg.chat()
        for _ in range(9):
            await pg.call("getMe")
        assert len(await pg.journal()) == 5
        await pg.reset()
        assert await pg.chats() == []
        assert (await pg.queue())["pending"] == 0
        assert (await pg.bulk(1)).first_update_id == many.last_update_id + 1


def test_chats_of_a_playground_that_is_started_again_are_none_that_the_bot_remembers() -> None:
    first, second = (state_of(Options(), 1_800_000_000 + later) for later in (0, 1))
    ids = [
        {state.book.add_chat(kind).id for _ in range(50) for kind in ("private", "group", "supergroup")}
        for state in (first, second)
    ]
    assert ids[0].isdisjoint(ids[1])
    # In Telegram's ranges, decades from now.
    late = state_of(Options(), 1_800_000_000 + 20 * 365 * 86_400).book
    assert 0 < late.add_chat("private").id < 2**52
    assert -999_999_999_999 < late.add_chat("group").id < 0
    assert -1_997_852_516_352 < late.add_chat("supergroup").id < -1_000_000_000_000
