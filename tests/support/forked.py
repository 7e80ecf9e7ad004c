"""What a template of tests loads, and what is run in its forks: ``python -m tests.support.forked KIND``."""

import json
import os
import random
import secrets
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import uuid
from pathlib import Path


def load() -> None:
    """What a module does when it is loaded."""
    os.environ["SET_BY_A_MODULE"] = "yes"


def _facts() -> dict[str, object]:
    descriptors = [*Path("/proc/self/fd").iterdir()]
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "session": os.getsid(0),
        "threads": threading.active_count(),
        "environ": dict(os.environ),
        "open": sorted(str(file.readlink()) for file in descriptors if file.is_symlink()),
        "chance": [
            random.random(),
            secrets.token_hex(8),
            str(uuid.uuid4()),
            ssl.RAND_bytes(8).hex(),
            next(tempfile._get_candidate_names()),
        ],
    }


def said(**facts: object) -> None:
    """A line for the test."""
    sys.stdout.write(json.dumps(facts) + "\n")


def main(kind: str) -> None:
    said(**_facts())
    if kind == "parent":
        # It leads a process session of its own, as an MCP server does, and outlives the one that started it.
        reader = [sys.executable, "-c", "print(input())"]
        helper = subprocess.Popen(reader, stdin=subprocess.PIPE, start_new_session=True)
        said(helper=helper.pid)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
