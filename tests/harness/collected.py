"""Collects the tests of a run once, in the process that the processes of the run are forked from.

pytest-xdist has each of its processes collect for itself: three seconds of processor time (six more, where pytest has
not written its bytecode yet), and 80 MiB that they do not share. What it executes in them is a hook's to say, and this
goes on there where the collection ended.
"""

import functools
import inspect
import json
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xdist.remote
from hypothesis.internal.entropy import deterministic_PRNG

from tasks.process.ending import run_forked
from tasks.process.stack_room import with_room
from tests.harness import nursery
from tests.harness.reporting import Telling

EXECUTED = "from tests.harness.collected import collection; collection().go_on(channel)"
"""What pytest-xdist executes in each process of a run; ``channel`` is its way back."""
STAND_IN = Path(__file__).parent / "forked_python.py"
ARGUMENTS = "TEST_NURSERY_ARGUMENTS"
"""The environment's name, as JSON, for modules, the directory that pytest was started in, and its arguments."""


class Collection:
    """A session whose tests were collected, and what could not be."""

    def __init__(self) -> None:
        self.session: pytest.Session | None = None
        self._failed: list[pytest.CollectReport] = []
        self._then: Callable[[], object] = list

    def collect(self, arguments: Sequence[str], then: Callable[[], object]) -> None:
        """Call ``then`` with the session open; without one, if pytest refuses what it was given.

        pytest leaves a module that raised among the loaded ones. A process that collects for itself would find it
        there, with the tests above the line that raised and no error.
        """
        self._then = then
        before = set(sys.modules)
        with Path(os.devnull).open("w") as unseen, redirect_stdout(unseen), redirect_stderr(unseen):
            pytest.main([*arguments, "-n", "0"], plugins=[self])
        if self.session is None:
            for name in set(sys.modules) - before:
                file = getattr(sys.modules[name], "__file__", None)
                if file is not None and not file.startswith((sys.prefix, sys.base_prefix)):
                    del sys.modules[name]
            then()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self._failed.append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """In the place of running the tests; a process that is forked here goes on with its own loop."""
        if self.session is not None:
            return None
        self.session = session
        _capture(session).stop_global_capturing()
        self._then()
        return True

    def go_on(self, channel: Any) -> None:
        """Run the tests that pytest-xdist tells of, and tell it of them."""
        if self.session is None:
            executed = compile(inspect.getsource(xdist.remote), xdist.remote.__file__, "exec")
            exec(executed, {"__name__": "__channelexec__", "channel": channel})
            return
        session, config = self.session, self.session.config
        told, _, options, _ = channel.receive()
        os.environ["PYTEST_XDIST_TESTRUNUID"] = told["testrunuid"]
        os.environ["PYTEST_XDIST_WORKER"] = told["workerid"]
        os.environ["PYTEST_XDIST_WORKER_COUNT"] = str(told["workercount"])
        xdist.remote.setup_config(config, options.get("basetemp"))
        vars(config).update(workerinput=told, workeroutput={})
        _shows_nothing(config)
        running = Telling(config, channel)
        xdist.remote.__dict__.update(interactor=running)  # One of its methods looks for it there.
        _capture(session).start_global_capturing()
        _capture(session).suspend_global_capture()
        running.pytest_sessionstart(session)
        running.pytest_collection()
        for report in self._failed:
            running.pytest_collectreport(report)
        running.pytest_collection_finish(session)
        try:
            with_room(config.hook.pytest_runtestloop)(session=session)
        finally:
            config.hook.pytest_sessionfinish(session=session, exitstatus=session.exitstatus)


def _capture(session: pytest.Session) -> Any:
    return session.config.pluginmanager.getplugin("capturemanager")


def _shows_nothing(config: pytest.Config) -> None:
    """Each result would be written to a file that is never read; pytest-timeout asks for the writer alone."""
    reporter: Any = config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(SimpleNamespace(_tw=reporter._tw), "terminalreporter")


@functools.cache
def collection() -> Collection:
    """The one of this process and of those that are forked from it."""
    return Collection()


def fork_processes(config: pytest.Config, shared: str, modules: Sequence[str] = nursery.TESTING) -> None:
    """Have the processes of a run forked from one, in which the tests are collected once.

    That one is forked from the run's nursery, ``shared``; ``modules`` are what the tests load besides.
    """
    stack = ExitStack()
    config.add_cleanup(stack.close)
    server = stack.enter_context(nursery.Nursery(shared=shared))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind("")
        listener.listen()
        arguments = [modules, str(Path.cwd()), *map(str, config.invocation_params.args)]
        environ = os.environ | {ARGUMENTS: json.dumps(arguments)}
        server.begin(["-c", f"from {__name__} import main; main()"], environ, 1, 2, listener.fileno())
        name = listener.getsockname()[1:].decode()
    config.option.tx = [f"popen//python={sys.executable} -IS {STAND_IN} {name}"] * len(config.option.tx)


def main() -> None:
    """Collect the tests of a run, and be what its processes are forked from."""
    modules, directory, *arguments = json.loads(os.environ[ARGUMENTS])
    with deterministic_PRNG():
        pass  # Here Hypothesis makes its generator, and finds what holds it. What stays for good is not found.
    nursery.load(modules)
    os.chdir(directory)
    with socket.socket(fileno=0) as listener:
        collection().collect(arguments, lambda: run_forked(lambda: nursery.run(listener, ())))
