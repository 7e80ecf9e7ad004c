"""Collects the tests once in the process that the processes of a run are forked from.

Each of them collects for itself as well, but finds the tests' modules loaded: two seconds of processor time in the
place of twelve (of twenty, where pytest has not written its bytecode yet), and memory that is shared.
"""

import contextlib
import io
import json
import os
import sys

import anthropic._models
import openai._models
import pytest
from anthropic.types.beta import BetaRawMessageStreamEvent
from openai.types.responses import ResponseStreamEvent

from tests.harness.nursery import PATHS


def load() -> None:
    """Have the tests' modules loaded: all, or not one.

    pytest leaves a module that raised among the loaded ones. The processes that run the tests would find it there, with
    the tests above the line that raised and no error, so they load everything by themselves then, and tell it.
    """
    # What these build at the first answer takes each process half a second and 40 MiB.
    openai._models.construct_type(type_=ResponseStreamEvent, value={"type": "response.completed", "response": {}})
    anthropic._models.construct_type(type_=BetaRawMessageStreamEvent, value={"type": "message_start", "message": {}})
    before = set(sys.modules)
    paths = json.loads(os.environ.get(PATHS, "[]"))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        ended = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *paths])
    if ended != pytest.ExitCode.OK:
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and not file.startswith((sys.prefix, sys.base_prefix)):
                del sys.modules[name]
