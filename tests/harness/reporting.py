"""What a process of a run tells pytest-xdist of its tests: of one that passed, its result and that it is done.

pytest-xdist sends six messages of each test with all that pytest knows of it. To write and to read them takes 0.8 ms of
processor time a test, of cores that the tests want.
"""

import argparse
from typing import Any, override

import pytest
from xdist.remote import WorkerInteractor


class Telling(WorkerInteractor):
    """As pytest-xdist's own, which it is in a run that shows more of its tests than a dot each."""

    def __init__(self, config: pytest.Config, channel: Any) -> None:
        super().__init__(config, channel)
        self._all = self._shown = shows_more(config.option)

    @override
    @pytest.hookimpl
    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        if self._all:
            super().pytest_runtest_logstart(nodeid, location)

    @override
    @pytest.hookimpl
    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        if self._all:
            super().pytest_runtest_logfinish(nodeid, location)

    @override
    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "setup":
            self._shown = self._all
        if not report.passed or hasattr(report, "wasxfail"):
            self._shown = True  # Its end is told, too, with what was printed there.
        if self._shown:
            super().pytest_runtest_logreport(report)
        elif report.when == "call":
            super().pytest_runtest_logreport(_result_of(report))


def _result_of(report: pytest.TestReport) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=report.nodeid,
        location=report.location,
        keywords={},
        outcome=report.outcome,
        longrepr=None,
        when=report.when,
        duration=report.duration,
        start=report.start,
        stop=report.stop,
    )


def shows_more(options: argparse.Namespace) -> bool:
    """Whether a run shows of tests that passed when they begin, how long each part took, or what they printed."""
    listed = {*options.reportchars} & {"A", "P", "p"}
    return bool(options.verbose > 0 or options.durations or options.xmlpath or listed)
