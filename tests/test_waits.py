"""Tests wait for events, and long: what takes a moment here may take half a minute on a machine that does much else."""

import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
LEAST_S = 60
_WAITS = re.compile(
    r"(?:asyncio\.timeout\(|\.wait\(|[( ]timeout=|\bSOON(?:_S)? = |\bPATIENCE(?:_S)? = )(\d+)(?:\.0)?(?![\d.])"
)
"""A wait for what another task or process does, which has an end only so that a test that fails does not hang."""
_NO_WAITS = re.compile(r"getUpdates|get_updates|aiohttp|connect\(|assert PATIENCE_S|chaos/askers")
"""Long polls that are to end empty, and limits that a test is about."""
_ASKED_AGAIN = 2
"""A wait of so many seconds is one of many in a loop."""


def sources() -> Iterator[tuple[str, int, str]]:
    """File, number and text of each line of the tests that `make test` runs, and of what they use."""
    left_out = {"soak", "rehearsal", "bench", Path(__file__).name}
    for path in sorted(HERE.rglob("*.py")):
        name = path.relative_to(HERE).as_posix()
        if not left_out & {name.partition("/")[0]}:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                yield name, number, line


def test_no_test_gives_up_on_another_process_or_task_within_a_minute() -> None:
    short = [
        f"{name}:{number}: {line.strip()}"
        for name, number, line in sources()
        for seconds in _WAITS.findall(line)
        if _ASKED_AGAIN < int(seconds) < LEAST_S and not _NO_WAITS.search(f"{name} {line}")
    ]
    assert short == [], f"waits of at least {LEAST_S} s cost nothing where all is well"


def test_ports_that_are_known_before_their_server_starts_come_from_one_place() -> None:
    makers = [f"{name}:{number}" for name, number, line in sources() if re.search(r"def _?free_port", line)]
    assert len(makers) == 1, makers
    assert makers[0].startswith("support/ports.py")
