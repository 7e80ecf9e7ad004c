"""filelock without its audit hook, which Python calls for each file, socket, import and frame that any code asks for.

The hook refuses a fork in the middle of filelock's own bookkeeping. It takes 2 % of a run's processor time (4 % of the
collection), and none can be taken out once it is there.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import patch


def load() -> None:
    """Load it."""
    add = sys.addaudithook

    def add_others(hook: Callable[[str, tuple[Any, ...]], object]) -> None:
        if hook.__module__ != "filelock._api":
            add(hook)

    with patch.object(sys, "addaudithook", add_others):
        importlib.import_module("filelock")
