"""`playground.pytest_plugin`: what docs/agents.md shows of it is run, as an author of agents would."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.processes import ROOT
from tests.harness.product import CONFIG


def shown(title: str) -> dict[str, str]:
    """The files of a chapter of docs/agents.md: those whose first line names them."""
    chapter = (ROOT / "docs/agents.md").read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)
    return dict(blocks)


@pytest.mark.soak  # It starts a whole `cohort up`: 12 s of processor time.
def test_what_the_documents_show_of_testing_agents_is_so(tmp_path: Path) -> None:
    (tmp_path / "agent-cards").mkdir()
    (tmp_path / "fastagent.config.yaml").write_text(CONFIG)
    # A bot that this project runs otherwise.
    (tmp_path / ".env").write_text("TELEGRAM_BOT_TOKEN=1234:not-for-tests\n")
    card = "---\nname: croupier\nfunction_tools: [dice.py:roll]\n---\nRoll, and never make a number up.\n"
    (tmp_path / "agent-cards/croupier.md").write_text(card)
    for name, text in (shown("The first agent") | shown("Testing it")).items():
        (tmp_path / name).write_text(text)
    assert sorted(path.name for path in tmp_path.glob("**/*.py")) == ["conftest.py", "dice.py", "test_croupier.py"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    arguments = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", ".")
    done = subprocess.run(arguments, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr
