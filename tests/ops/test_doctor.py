"""`cohort doctor` on what runs, the disk and MCP servers of every form; it never ends in a traceback."""

import json
import sys
from pathlib import Path

import httpx
import pytest

from ops.commands.doctor import command as doctor
from ops.commands.doctor.chats import chats, elsewhere, hears_too_little
from ops.commands.doctor.runtime_check import RuntimeCheck
from ops.commands.doctor.sound import verdict
from ops.context import Context
from ops.home import Home
from tasks.clock import SystemClock
from tasks.config.settings import Settings, load
from tasks.status.bot import BotStatus
from tasks.store import Store
from tests.harness.command import cohort, python_with
from tests.harness.processes import ROOT

ODD = """
mcp:
  servers:
    by-target: {target: "sh -c 'true; memory'"}
    by-address: {target: "http://127.0.0.1:1/mcp"}
    unquoted: {target: "sh 'x"}
    no-address: {url: "htp://h"}
    no-host: {url: "http://"}
    no-port: {url: "http://h:99999/x"}
    odd-name: {url: "http://a..b/"}
    nothing: {}
    text: words
    odd-args: {command: sh, args: 7}
"""


def here(settings: Settings, home: Path = Path("nowhere")) -> Context:
    return Context(settings, {"PATH": "/bin:/usr/bin"}, Home(home), None)


@pytest.mark.promise("doctor-says")
async def test_doctor_says_that_no_bot_and_no_worker_runs(store: Store, settings: Settings) -> None:
    def told(found: list[doctor.Finding]) -> dict[str, str]:
        return {finding.about: finding.seen for finding in found if finding.about in ("bot", "worker")}

    clock = SystemClock()
    assert told(await doctor.redis(here(settings), clock)) == {"bot": "no bot runs", "worker": "no worker runs"}
    await store.bots.beat("h-1", BotStatus(bot=4242))
    assert told(await doctor.redis(here(settings), clock))["bot"] == "no bot polls"
    await store.pauses.pause("turns", None)
    (paused,) = [finding for finding in await doctor.redis(here(settings), clock) if finding.about == "paused"]
    assert paused.seen.startswith("turns are paused since")
    await store.bots.beat("h-2", BotStatus(bot=4242, leads=True))
    assert told(await doctor.redis(here(settings), clock))["bot"] == "2 run, one of them polls"


@pytest.mark.promise("doctor-says")
async def test_doctor_measures_the_room_on_the_disk_also_before_the_home_is_made(tmp_path: Path) -> None:
    settings = load({})
    (found,) = await doctor.disk(here(settings, tmp_path / "not" / "yet"))
    assert str(tmp_path) in found.seen
    for free, severity in ((doctor.ROOM_MIB, "ok"), (doctor.ROOM_MIB - 1, "warning"), (1, "problem")):
        assert doctor.room(free, tmp_path).severity == severity


@pytest.mark.promise("disk-refuses")
async def test_doctor_tells_of_a_home_that_takes_no_files_whatever_room_there_is(tmp_path: Path) -> None:
    (tmp_path / "media").touch()
    (found,) = await doctor.disk(here(load({}), tmp_path))
    assert (found.severity, found.seen) == ("problem", f"{tmp_path / 'media'} takes no files (Not a directory)")


@pytest.mark.promise("doctor-says")
async def test_doctor_reads_servers_of_every_form(tmp_path: Path) -> None:
    config = tmp_path / "fastagent.config.yaml"
    config.write_text(ODD)
    (tmp_path / "a.md").write_text("---\nname: a\nmcp_connect: not a list\n---\nYou.\n")
    found = await doctor.servers(here(load({"COHORT_CONFIG": str(config), "COHORT_CARDS": str(tmp_path)})))
    seen: dict[str, list[str]] = {}
    for finding in found:
        seen.setdefault(finding.about.removeprefix("MCP server "), []).append(finding.seen)
    assert seen["by-target"] == ["seems to keep state, and chats share it"]
    assert "its address does not answer" in seen["by-address"][1]
    for name in ("no-address", "no-host", "no-port", "nothing", "text"):
        assert seen[name][0] == "names no program and no http address", name
    assert set(seen) >= {"unquoted", "odd-args", "odd-name"}


@pytest.mark.promise("doctor-says")
async def test_doctor_reads_the_servers_that_cards_of_single_bots_bring(tmp_path: Path) -> None:
    common, own, broken = (tmp_path / name for name in ("common", "own", "broken"))
    for directory, server in ((common, "of-all"), (own, "of-one"), (broken, "[")):
        directory.mkdir()
        (directory / "a.md").write_text(f"---\nname: a\nmcp_connect: [{{target: sh, name: {server}}}]\n---\nYou.\n")
    bots = tmp_path / "bots.yaml"
    each = "".join(f"  {one.name}: {{token: $T{place}, cards: {one}}}\n" for place, one in enumerate((own, broken)))
    bots.write_text(f"bots:\n{each}")
    config = tmp_path / "fastagent.config.yaml"
    config.write_text("{}\n")
    settings = load({"COHORT_CONFIG": str(config), "COHORT_CARDS": str(common), "COHORT_BOTS": str(bots)})
    context = Context(settings, {"T0": "1:x", "T1": "2:x", "PATH": "/bin:/usr/bin"}, Home(tmp_path), None)
    about = [finding.about for finding in await doctor.servers(context)]
    assert about == ["MCP server of-all of a.md", f"MCP server of-one of {own}/a.md"]


@pytest.mark.promise("doctor-says")
@pytest.mark.parametrize("answer", [[], {"ok": True}, {"ok": True, "result": 5}, "text"])
async def test_an_answer_that_is_none_of_the_bot_api_is_a_finding(answer: object) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    settings = load({"TELEGRAM_BOT_TOKEN": "1:x", "TELEGRAM_BASE_URL": "http://127.0.0.1:1"})
    async with httpx.AsyncClient(transport=transport, timeout=60) as http:
        (found,) = await doctor.token(settings, http)
    assert found.seen == "http://127.0.0.1:1 is no Bot API server"


@pytest.mark.promise("doctor-says")
def test_doctor_prints_one_json_document_and_no_traceback_with_a_configuration_that_makes_no_sense(
    tmp_path: Path,
) -> None:
    (tmp_path / "c.yaml").write_text(ODD)
    cards = {"COHORT_CARDS": str(ROOT / "agent-cards"), "COHORT_CONFIG": str(tmp_path / "c.yaml")}
    done = cohort("doctor", "--json", home=tmp_path, REDIS_URL="redis://127.0.0.1:1/0", COHORT_MODEL="haiku", **cards)
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert (set(told), told["healthy"]) == ({"healthy", "findings"}, False)
    assert {"token", "disk", "redis", "model"} <= {finding["about"] for finding in told["findings"]}
    assert {frozenset(finding) for finding in told["findings"]} == {frozenset({"about", "severity", "seen", "do"})}


COUNTING = """
with open({started!r}, "a") as file:
    file.write("started\\n")
"""


@pytest.mark.promise("doctor-says")
async def test_doctor_asks_one_process_about_patches_and_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = python_with(tmp_path, COUNTING.format(started=str(tmp_path / "started")))
    monkeypatch.setattr(sys, "executable", counting)
    (tmp_path / "a.md").write_text("---\nname: a\nunknown_key: 1\n---\nYou.\n")
    environ = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "COHORT_CARDS": str(tmp_path), "COHORT_CONFIG": ""}
    context = Context(load({"COHORT_CARDS": str(tmp_path)}), environ, Home(tmp_path), None)
    check = RuntimeCheck(context)
    (patches,) = await doctor.patches(check)
    assert patches.severity == "ok", patches
    found = await doctor.agent_cards(context, check)
    assert [finding.severity for finding in found] == ["problem"]
    assert "unknown_key" in found[0].seen
    assert (tmp_path / "started").read_text() == "started\n"


@pytest.mark.promise("doctor-says")
async def test_a_check_that_cannot_run_is_a_problem_of_both(tmp_path: Path) -> None:
    (tmp_path / "workers.py").write_text("raise SystemExit('no fast-agent here')\n")
    context = Context(load({}), {"PYTHONPATH": str(tmp_path)}, Home(tmp_path), None)
    check = RuntimeCheck(context)
    for part in ("patches", "cards"):
        problems, notes = await check.of(part)
        assert "no fast-agent here" in problems[-1]
        assert notes == []


@pytest.mark.promise("chat-rules")
async def test_doctor_checks_the_file_of_chats(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\nname: poet\n---\nYou.\n")
    file = tmp_path / "chats.yaml"
    settings = load({"COHORT_CHATS": str(file), "COHORT_CARDS": str(tmp_path), "COHORT_CONFIG": ""})
    assert await chats(here(settings)) == []
    file.write_text("chats:\n  -5: {agent: gone, model: claude-x, mention: always}\n  -6: {agent: poet}\n")
    found = [(one.severity, one.seen) for one in await chats(here(settings))]
    assert found[0] == ("ok", f"{file} has 2 rules")
    assert found[1:] == [
        ("warning", "chats.-5: no card is named gone; the default agent answers"),
        ("warning", "chats.-5: claude-x, but ANTHROPIC_API_KEY is not set"),
    ]
    (hears,) = hears_too_little(settings)
    assert "chats.-5: `mention: always`" in hears.seen
    file.write_text("chats:\n  -5: {agnt: gone}\n")
    (problem,) = await chats(here(settings))
    assert (problem.severity, "agnt" in problem.seen) == ("problem", True)


@pytest.mark.promise("chat-rules")
async def test_doctor_names_rules_of_roles_that_keep_no_command(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\nname: dice\ncommands: [roll]\n---\nYou.\n")
    file = tmp_path / "chats.yaml"
    given = {"COHORT_CHATS": str(file), "COHORT_CARDS": str(tmp_path), "COHORT_CONFIG": "", "COHORT_COMMANDS": "news"}
    file.write_text("roles:\n  commands: {compct: admin, /Roll: admin, news: member, 're*': admin, reset: owner}\n")
    _, wrong = await chats(here(load(given)))
    assert wrong.seen == "roles.commands.compct: fits no command, so it keeps nothing from anyone"
    assert wrong.do == "did you mean compact?"


@pytest.mark.promise("doctor-says")
def test_doctor_says_which_switch_of_botfather_is_missing_for_questions_elsewhere() -> None:
    on, off = load({"COHORT_INLINE": "1", "COHORT_GUESTS": "1", "COHORT_BUSINESS": "1"}), load({})
    all_of_them = {"supports_inline_queries": True, "supports_guest_queries": True, "can_connect_to_business": True}
    assert [(found.about, found.severity) for found in elsewhere(on, {})] == [
        ("inline", "warning"),
        ("guests", "warning"),
        ("business", "warning"),
    ]
    (ready,) = elsewhere(on, all_of_them)
    assert (ready.severity, "/setinlinefeedback" in ready.seen) == ("ok", True)
    assert elsewhere(off, {}) == []


@pytest.mark.promise("doctor-says")
def test_doctor_says_what_to_install_where_voice_messages_reach_no_model_that_hears() -> None:
    hears = {"COHORT_MODEL_READS": "generic.a=audio generic.b=audio,ogg generic.c=image generic.d=m4a"}
    (found,) = verdict(load(hears), installed=False)
    assert (found.severity, found.seen.partition(" takes")[0]) == ("warning", "generic.a")
    assert "pip install 'cohort[voice]'" in found.do
    (found,) = verdict(load({**hears, "COHORT_TRANSCRIBE": "whisper-1"}), installed=False)
    assert found.severity == "ok"
    assert verdict(load(hears), installed=True) == verdict(load({}), installed=False) == []
