"""What Flower hears of a worker that drains."""

import asyncio
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from celery import Celery

from tasks.app import make_app
from tests.harness.scene import scene


class TaskEvents:
    """The task events of a deployment, collected in a thread as Flower does it."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._kinds: dict[str, list[str]] = {}
        self._changed = threading.Event()
        self._receiver: Any = None
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._receiver.should_stop = True
        self._thread.join()

    def _listen(self) -> None:
        with self._app.connection_for_read() as connection:
            self._receiver = self._app.events.Receiver(connection, handlers={"*": self._note})
            self._receiver.capture(limit=None, timeout=None, wakeup=True)

    def _note(self, event: dict[str, Any]) -> None:
        self._kinds.setdefault(event.get("uuid", ""), []).append(event["type"])
        self._changed.set()

    def of(self, task: str) -> list[str]:
        return self._kinds.get(task, [])

    def something(self) -> None:
        """Wait for an event, a second at most."""
        self._changed.wait(1)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._changed.clear()
                await asyncio.to_thread(self._changed.wait, 0.2)


@pytest.mark.promise("flower-lists")
async def test_no_task_stays_started_when_a_drain_hands_its_turn_back(tmp_path: Path) -> None:
    async with scene(tmp_path, COHORT_DRAIN_GRACE="0") as stage:
        await stage.start()
        with TaskEvents(make_app(stage.harness.settings())) as heard:
            chat = await stage.chat()
            # Until it listens, events go to no one.
            task = ""
            while "task-succeeded" not in heard.of(task):
                said = await stage.say(chat)
                await stage.answered(chat, said)
                task = f"{bot_of(said.session)}-{said.update_id}"
                await asyncio.to_thread(heard.something)
            said = await stage.say(chat, "HOLD:events@1")
            await stage.model.held("events")
            task = f"{bot_of(said.session)}-{said.update_id}"
            await heard.until(lambda: "task-started" in heard.of(task))
            worker = await stage.owner(chat)
            worker.signal(signal.SIGTERM)
            await asyncio.to_thread(worker.wait_line, "worker.draining")
            assert await asyncio.to_thread(worker.wait) == 0
            await heard.until(lambda: "task-succeeded" in heard.of(task))


def bot_of(session: object) -> str:
    return str(session).partition(":")[0]
