"""Remote control: the command waits for every worker and tells the operator for which."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ops.commands import remote
from tasks.app import RELOAD, make_app
from tasks.config.settings import Settings


@contextmanager
def worker(settings: Settings, name: str, answer: Callable[[], dict[str, str]]) -> Iterator[None]:
    """What of a worker remote control sees, in a thread."""
    app = make_app(settings)
    ready, stop = threading.Event(), threading.Event()

    def serve() -> None:
        with app.connection() as connection:
            node = app.control.mailbox(connection).Node(f"{name}@here", handlers={RELOAD: lambda _state: answer()})
            node.channel = connection.channel()
            with node.listen(callback=node.handle_message):
                while not stop.is_set():
                    # It subscribes when it listens for the first time; what is said before is not heard.
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=0.2)
                    ready.set()

    thread = threading.Thread(target=serve, name=name)
    thread.start()
    try:
        assert ready.wait(60)
        yield
    finally:
        stop.set()
        thread.join(20)
        app.close()


def test_a_worker_that_takes_long_over_a_reload_is_named_and_waited_for(settings: Settings) -> None:
    told = threading.Event()
    waited: list[str] = []
    heard: list[remote.WorkerAnswer] = []

    def waiting(names: list[str]) -> None:
        waited.extend(names)
        told.set()

    def slow() -> dict[str, str]:
        # It answers only after the one who waits was told of it.
        return {"ok": f"agents: a ({told.wait(60)})"}

    with worker(settings, "w-slow", slow), worker(settings, "w-quick", lambda: {"error": "no such model"}):
        silent = remote.reload(settings, ["w-quick@here", "w-slow@here"], heard=heard.append, waiting=waiting)
    assert silent == []
    assert waited == ["w-slow@here"]
    assert heard == [
        remote.WorkerAnswer("w-quick@here", "no such model", refused=True),
        remote.WorkerAnswer("w-slow@here", "agents: a (True)"),
    ]
    assert [answer.line() for answer in heard] == [
        "w-quick@here: refused: no such model",
        "w-slow@here: agents: a (True)",
    ]
