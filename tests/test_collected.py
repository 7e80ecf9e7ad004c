import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.nursery import PATHS

ROOT = Path(__file__).parents[1]
SHOWN = """
import sys
from tests.harness import collected

collected.load()
print([name for name in sys.modules if "one_of" in name])
"""


@pytest.mark.parametrize(("line", "loaded"), [("", True), ("raise RuntimeError", False)])
def test_a_file_of_tests_that_raises_is_left_to_the_processes_that_tell_it(
    tmp_path: Path, line: str, loaded: bool
) -> None:
    file = tmp_path / "test_one_of_them.py"
    file.write_text(f"def test_one() -> None: ...\n\n\n{line}\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    environ = os.environ | {PATHS: f'["{file}"]'}
    shown = subprocess.run(
        [sys.executable, "-c", SHOWN], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert (shown.stdout.strip() != "[]") == loaded, shown
