"""The hooks of `make hooks` run on the files that they are for, wherever these have moved."""

import re

import pytest
import yaml

from tests.support.tree import ROOT, named, tracked


@pytest.mark.promise("docs-true")
def test_each_file_that_a_hook_is_for_exists() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    wanted = [path for hook in hooks if "files" in hook for path in re.findall(r"[\w/]+\\\.\w+", hook["files"])]
    assert wanted
    assert [path for path in wanted if path.replace("\\", "") not in named(tracked())] == []
