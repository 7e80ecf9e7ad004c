"""What Celery's own remote control says of actions that mean nothing to doorbells."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from celery import Celery
from celery.worker.control import Panel

from tasks.app import make_app
from tasks.config.settings import Settings
from tasks.doorbell import Doorbells
from tasks.session import SessionKey
from tasks.telemetry.logs import session_hash
from tasks.turn import bind
from tests.workers.celery_worker import LoopSide, working
from workers.process.celery_worker import bind_commands

ACTIONS = {
    "pool_grow": {"n": 1},
    "pool_shrink": {"n": 1},
    "pool_restart": {},
    "add_consumer": {"queue": "chats.05"},
    "cancel_consumer": {"queue": "chats.05"},
    "rate_limit": {"task_name": "chat.turn", "rate_limit": "1/m"},
    "time_limit": {"task_name": "chat.turn", "hard": 1, "soft": 1},
    "revoke": {"task_id": "4242-1", "terminate": True},
}


@pytest.fixture(autouse=True)
def _commands_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery has one set of commands in a process, which other tests use as well."""
    for kept in ("data", "meta"):
        monkeypatch.setattr(Panel, kept, dict(getattr(Panel, kept)))


def answer(app: Celery, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the worker says; one that is ready may listen to commands a little later, and what came before is lost."""
    while not (answers := app.control.broadcast(command, arguments=arguments, reply=True, timeout=2, limit=1)):
        pass
    (said,) = answers[0].values()
    return said


@pytest.mark.promise("flower-lists")
async def test_an_action_that_means_nothing_says_what_to_do_instead(settings: Settings) -> None:
    app, side = make_app(settings), LoopSide()
    bind_commands(side.host, lambda: None)
    with working(app, side.host, limit=1):
        for action, arguments in ACTIONS.items():
            said = answer(app, action, arguments)
            assert list(said) == ["error"], action
            assert any(word in said["error"] for word in ("COHORT_", "/stop", "cohort drain", "its slots"))
            assert "Error(" not in said["error"]
    side.host.drain()
    side.thread.join()


@pytest.mark.promise("drain")
async def test_the_button_that_shuts_a_worker_down_drains_it(settings: Settings) -> None:
    app, side, drained = make_app(settings), LoopSide(), threading.Event()
    bind_commands(side.host, lambda: cast("Any", SimpleNamespace(begin_drain=drained.set)))
    with working(app, side.host, limit=1):
        assert answer(app, "shutdown", {}) == {"ok": "draining"}
    assert drained.is_set()
    side.host.drain()
    side.thread.join()


@pytest.mark.promise("flower-wordless")
def test_the_page_of_a_worker_names_no_chat_in_the_doorbells_that_wait(settings: Settings) -> None:
    app, side, chat = make_app(settings), LoopSide(), SessionKey(4242, 700)
    bind(app, side.host)
    bind_commands(side.host, lambda: None)
    with working(app, side.host, limit=1) as worker:
        Doorbells(app, slots=64).send([(chat, 1), (chat, 2)])
        assert side.one_came()
        inspect = app.control.inspect([worker.hostname], timeout=60, limit=1)
        while not (waiting := inspect.reserved()[worker.hostname]):
            pass
        assert [task["args"] for task in waiting] == [f"(session {session_hash(str(chat))}, slot 07, update 2)"]
        side.let_go()
    side.host.drain()
    side.thread.join()
