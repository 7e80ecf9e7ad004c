"""What a card names and is not there: addresses, servers, children that fail. Each is said, and harms no other."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tasks.errors import Misconfigured
from tests.harness.command import forked
from tests.runtime.support import ASSISTANT, Configure, Open, Screen, ask, card
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.conversation import history
from workers.runtime.patches import card_reading


@contextmanager
def page(directory: Path) -> Generator[str]:
    """Serves a directory. Addresses are read in the event loop, so a thread answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(directory))) as served:
        Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://user:hunter2@127.0.0.1:{served.server_port}"
        served.shutdown()


@pytest.fixture(autouse=True)
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test reads addresses for the first time, and at once again."""
    for name in ("_texts", "_read_at", "_away"):
        monkeypatch.setattr(card_reading, name, {})


@pytest.mark.promise("no-secrets")
async def test_an_address_in_an_instruction_that_cannot_be_read_is_told_and_its_agent_and_all_others_answer(
    runtime: Open, model: Model, cards: Path, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    card(cards.parent, "there", "You are kind.")
    with page(cards.parent) as address:
        card(
            cards, "kind.md", f"---\nname: kind\nmodel: generic.mock\n---\nBe. {{{{url:{address}/away?key=hunter2}}}}\n"
        )
        card(
            cards, "other.md", f"---\nname: other\nmodel: generic.mock\n---\n{{{{url:{address}/there?key=hunter2}}}}\n"
        )
        async with runtime(COHORT_LANES="1") as engine:
            for agent in ("kind", "other", "assistant"):
                assert (await engine.run(ask(1, "hi", agent=agent), Screen())).text == "echo: hi [n=1]"
        environ = {"COHORT_CARDS": str(cards), "COHORT_CONFIG": str(config), "PATH": ""}
        ran = await asyncio.to_thread(forked, ("-m", "workers.runtime.cards.checks"), environ)
    systems = [call.messages[0]["text"] for call in model.journal]
    assert systems == ["Be. ", "You are kind.", "You are an assistant."]
    (told,) = [record.note for record in caplog.records if record.message == "card.incomplete"]
    assert told.startswith(f"{cards}/kind.md: ")
    assert "/away cannot be read (HTTP 404)" in told
    assert (ran.returncode, ran.stdout.splitlines()) == (0, [told])
    assert "hunter2" not in caplog.text + ran.stdout + ran.stderr


async def test_an_address_that_goes_away_leaves_its_last_text_at_a_reload(
    runtime: Open, model: Model, cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_reading, "_FRESH_S", 0.0)
    card(cards.parent, "there", "You are kind.")
    with page(cards.parent) as address:
        card(cards, "kind.md", f"---\nname: kind\nmodel: generic.mock\n---\n{{{{url:{address}/there}}}}\n")
        started = runtime(COHORT_LANES="1")
        engine = await started.__aenter__()
    try:
        card(cards, "kind.md", f"---\nname: kind\nmodel: generic.mock\n---\nNow. {{{{url:{address}/there}}}}\n")
        await engine.reload()
        await engine.run(ask(1, "hi", agent="kind"), Screen())
    finally:
        await started.__aexit__(None, None, None)
    assert model.journal[0].messages[0]["text"] == "Now. You are kind."


async def test_a_server_that_came_into_the_configuration_after_the_start_is_said_to_need_a_restart(
    runtime: Open, model: Model, cards: Path, configure: Configure
) -> None:
    generic = {"generic": {"base_url": f"{model.url}/v1", "api_key": "k"}}
    configure(generic)
    async with runtime(COHORT_LANES="1") as engine:
        configure({**generic, "mcp": {"servers": {"clock": {"command": "no-such-program"}}}})
        path = card(cards, "assistant.md", ASSISTANT.replace("---\nYou", "servers:\n  - clock\n---\nYou"))
        with pytest.raises(Misconfigured) as problem:
            await engine.reload()
        assert str(problem.value).startswith(f"{path}:6: server clock is new in the configuration")
        assert "restart" in str(problem.value)
        assert (await engine.run(ask(1, "hi"), Screen())).text == "echo: hi [n=1]"


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize(("status", "action"), [(401, "operator"), (400, "tell")])
@pytest.mark.parametrize("kind", ["agents as tools", "chain", "parallel"])
async def test_a_child_agents_fault_reaches_neither_the_chat_nor_a_history(
    runtime: Open, model: Model, cards: Path, *, status: int, action: str, kind: str
) -> None:
    member = "---\nname: {0}\nmodel: generic.mock\ntool_only: true\n---\nYou are {0}.\n"
    for name in ("writer", "editor"):
        card(cards, f"{name}.md", member.format(name))
    heads = {
        "agents as tools": "model: generic.mock\nagents: [writer]\n",
        "chain": "type: chain\nsequence: [writer, editor]\n",
        "parallel": "type: parallel\nfan_out: [writer, editor]\n",
    }
    card(cards, "assistant.md", f"---\nname: assistant\ndefault: true\n{heads[kind]}---\nYou lead.\n")
    said = 'CALL:writer{"message": "a sonnet"}' if kind == "agents as tools" else "a sonnet"
    async with runtime(COHORT_LANES="1") as engine:
        first = await engine.run(ask(1, "hello"), Screen())
        if kind == "agents as tools":
            # The parent's own call names the child's task, too.
            model.fault(match="CALL:")
        times = 1 if kind == "agents as tools" else None
        model.fault(match="a sonnet", status=status, message="internal detail", times=times)
        screen = Screen()
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, said, history=first.history), screen)
        model.clear()
        again = await engine.run(ask(1, "and now", history=first.history), Screen())
    assert failure.value.action == action
    assert screen.frames[-1:] in ([], [""])
    remembered = history.decode(again.history)
    assert "internal" not in str(remembered)
    assert "detail" not in failure.value.words
