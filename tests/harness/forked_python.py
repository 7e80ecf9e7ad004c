"""``python -IS forked_python.py NURSERY -u -c CODE``: stands for the Python that a listening nursery forks.

pytest-xdist starts each process of a run as a Python that it talks to over stdin and stdout. This one gives them away
and waits; it takes 10 MiB, and what it stands for shares 350 MiB of loaded modules with the others.
"""

import json
import os
import socket
import sys
from pathlib import Path


def main() -> int:
    """The exit status of the process that was forked; it is killed when this one is."""
    name, _, *argv = sys.argv[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
        control.connect(f"\0{name}")
        order = {"argv": argv, "environ": dict(os.environ), "cwd": str(Path.cwd())}
        socket.send_fds(control, [json.dumps(order).encode()], (1, 2, 0))
        os.close(0)
        os.close(1)
        while said := control.recv(2**18):
            told = json.loads(said)
            if "ended" in told:
                return 128 - told["status"] if told["status"] < 0 else told["status"]
    return 1


if __name__ == "__main__":
    sys.exit(main())
