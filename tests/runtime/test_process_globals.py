"""What is one per process in fast-agent: nothing of a chat stands there, and leaving the runtime leaves nothing."""

import asyncio
import inspect
import json
import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import fast_agent.config as fast_config
import fast_agent.context as fast_context
import pytest
from fast_agent.core.logging.transport import AsyncEventBus
from fast_agent.session import session_manager
from opentelemetry import trace

from tests.runtime.support import Configure, Open, Screen, ask
from tests.support.model import Model
from workers.interfaces import TurnFailed

SECRET = "swordfish"


def files(directory: Path) -> list[str]:
    return sorted(str(path) for path in directory.rglob("*"))


async def some_turns(engine: object) -> None:
    async with asyncio.TaskGroup() as group:
        for chat in range(6):
            group.create_task(engine.run(ask(chat, f"{SECRET} {chat}"), Screen()), name=f"chat-{chat}")


async def test_the_settings_are_one_object_that_no_turn_changes(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        settings = fast_config._settings
        before = settings.model_dump_json()
        await some_turns(engine)
        await engine.run(ask(1, "x", model="generic.other"), Screen())
        assert fast_config._settings is settings
        assert settings.model_dump_json() == before
    assert settings.llm_retries == 0
    assert settings.session_history is False


@pytest.mark.parametrize("address", ["http://127.0.0.1:8081/v1", "http://127.0.0.1:8081", "http://127.0.0.1:8081/v1/"])
async def test_anthropics_address_keeps_the_ones_at_its_end(runtime: Open, configure: Configure, address: str) -> None:
    configure({"anthropic": {"api_key": "x", "base_url": address}})
    async with runtime(COHORT_MODEL="anthropic.claude-haiku-4-5"):
        assert fast_config._settings.anthropic.base_url == "http://127.0.0.1:8081"


async def test_the_context_is_global_only_while_the_runtime_runs(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        await some_turns(engine)
        context = fast_context._global_context
        assert SECRET not in repr(context)
    assert fast_context._global_context is None


async def test_no_log_event_is_queued_and_no_task_serves_a_log(runtime: Open, model: Model) -> None:
    async with runtime(COHORT_LANES="2") as engine:
        await some_turns(engine)
        bus = AsyncEventBus.get()
        assert getattr(bus, "_queue", None) is None
        # The loop also ends what clients leave: generators of streams that they stop reading at "[DONE]".
        coroutines = [task for task in asyncio.all_tasks() if inspect.iscoroutine(task.get_coro())]
        ours = [task for task in coroutines if "HttpServer" not in str(task.get_coro())]
        names = {task.get_name() for task in ours} - {"lane-0", "lane-1", "servers", "refused servers", "chats"}
        assert names == {asyncio.current_task().get_name()}


async def test_no_task_is_pending_when_the_runtime_is_left(runtime: Open, model: Model) -> None:
    before = asyncio.all_tasks()
    async with runtime() as engine:
        await some_turns(engine)
    assert asyncio.all_tasks() == before


async def test_no_session_is_opened_and_no_file_written_but_for_the_kept_cards(
    runtime: Open, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = files(tmp_path)
    async with runtime() as engine:
        await some_turns(engine)
    assert session_manager._session_manager is None
    kept = str(tmp_path / "home")
    assert [path for path in files(tmp_path) if not path.startswith(kept)] == before


async def test_fast_agent_sets_up_no_telemetry_even_when_its_configuration_says_so(
    runtime: Open, model: Model, configure: Configure
) -> None:
    generic = {"base_url": f"{model.url}/v1", "api_key": "x"}
    configure({"generic": generic, "otel": {"enabled": True, "console_debug": True}})
    provider = trace.get_tracer_provider()
    async with runtime() as engine:
        await some_turns(engine)
    assert trace.get_tracer_provider() is provider


async def test_what_fast_agent_logs_and_prints_is_logged_without_its_words(
    runtime: Open, model: Model, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    from fast_agent.core.logging.logger import get_logger
    from fast_agent.ui.console import console, error_console

    with caplog.at_level(logging.DEBUG, "cohort"):
        async with runtime() as engine:
            model.fault(status=500, times=3)
            with pytest.raises(TurnFailed):
                await engine.run(ask(1, SECRET), Screen())
            get_logger("x").error(SECRET, data={"error_type": "Boom"})
            console.print(SECRET)
            error_console.print(SECRET)
    assert capfd.readouterr() == ("", "")
    said = json.dumps([{**vars(record), "args": None} for record in caplog.records], default=str)
    assert "fast_agent.printed" in said
    assert "Boom" in said
    assert SECRET not in said


SCRIPT = """
    import asyncio, json, logging, sys
    from tasks.clock import SystemClock
    from tasks.config.settings import load
    import workers.runtime
    assert "fast_agent" not in sys.modules, "importing the package is cheap"
    from tests.runtime.support import Screen, ask
    from workers.runtime.engine import Engine

    async def main():
        async with Engine(load(), SystemClock()) as engine:
            async with asyncio.TaskGroup() as group:
                for chat in range(5):
                    group.create_task(engine.run(ask(chat, f"hello {chat}"), Screen()), name=f"chat-{chat}")
                cut = group.create_task(engine.run(ask(9, "HOLD:for-ever"), Screen()), name="cut")
                while not engine.busy:
                    await asyncio.sleep(0)
                cut.cancel()
        left = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        terminal = [name for name in ("prompt_toolkit", "textual") if name in sys.modules]
        tracing = [name for name in ("opentelemetry.sdk.trace", "tasks.telemetry.span_export") if name in sys.modules]
        print(json.dumps({"left": left, "terminal": terminal, "tracing": tracing}))

    asyncio.run(main())
"""


@pytest.mark.promise("traces-cost-nothing")
async def test_a_process_of_its_own_says_nothing_and_ends_cleanly(
    model: Model, cards: Path, config: Path, tmp_path: Path
) -> None:
    environ = {
        "COHORT_CARDS": str(cards), "COHORT_CONFIG": str(config), "COHORT_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"], "HOME": str(tmp_path),
        "PYTHONWARNINGS": "default::ResourceWarning",
    }  # fmt: skip
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT)]
    run = asyncio.to_thread(
        subprocess.run, command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    ran = await run
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout) == {"left": [], "terminal": [], "tracing": []}
