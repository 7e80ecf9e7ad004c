"""What `cohort doctor` says of the parts of other libraries that are replaced."""

import sys
from pathlib import Path

import pytest

from ops.commands.doctor import command as doctor
from ops.commands.doctor.runtime_check import RuntimeCheck
from ops.context import Context
from ops.home import Home
from tasks.config.settings import load
from tests.harness.command import python_with

ROOT = Path(__file__).parents[2]

OTHER = "from fast_agent.tools import function_tool_loader as it\nit.build_default_function_tool = lambda tool: tool\n"
LONGER = "import pydantic\npydantic.BaseModel.__deepcopy__ = lambda self, memo=None, more=None: self\n"


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ("", "ok       patches: "),
        (OTHER, "PROBLEM  patches: fast_agent.tools.function_tool_loader:build_default_function_tool is `def (tool)`"),
        (LONGER, "warning  patches: fast_agent.types:PromptMessageExtended.__deepcopy__ is `def (self, memo, more)"),
    ],
)
async def test_doctor_says_whether_the_patches_fit_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: str, said: str
) -> None:
    monkeypatch.setattr(sys, "executable", python_with(tmp_path, installed))
    given = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    (found,) = await doctor.patches(RuntimeCheck(Context(load(given), given, Home(tmp_path), None)))
    assert found.line().startswith(said), found.line()
