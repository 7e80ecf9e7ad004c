"""``python -P -u -m ops.up.template CONTROL PARENT MODULE``: loads modules once, and forks processes that have them.

A worker's modules take some three seconds of processor time and 120 MiB. A process that is forked has both at once, and
shares the memory until it writes there. The template itself does nothing else: it starts no thread, opens no
connection and never reads an order. Each child reads its own from a socket of its own, so no secret of one is in
another's memory.

The child is forked twice, so that the supervisor is its parent (``ops.up.orphans``): the template may end at any time
and no child notices. When the code on disk has changed, the template starts itself again before the next fork. A child
of old modules would mix them with new ones that it loads later.

``MODULE`` is loaded first; its function ``load`` loads the rest.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from ops.up.die_with_parent import die_with
from ops.up.fresh_pools import use_up_gaps
from tasks.process import title
from tasks.process.ending import run_forked

HEADER = 8
"""Bytes before an order: its length."""
GO = b"!"
_TASKS = Path("/proc/self/task")


def main(control: int, parent: int, module: str) -> socket.socket | None:
    """Load, then fork one child for each socket that arrives.

    Returns the child's socket in each child, and None in the template when the supervisor has closed its end.
    """
    die_with(parent, signal.SIGKILL)
    # Here, as the place of the title is found by the first environment only; a fork replaces it.
    title.show("template")
    set_before = dict(os.environ)
    # What is loaded here stays to the end: searching it for garbage costs time, and writes to memory that is shared.
    gc.disable()
    importlib.import_module(module).load()
    told.update({name: value for name, value in os.environ.items() if set_before.get(name) != value})
    if len(list(_TASKS.iterdir())) > 1:
        print("cohort: a module has started a thread, so no process can be forked", file=sys.stderr)
        sys.exit(1)
    gc.collect()
    filled.extend(use_up_gaps())
    gc.freeze()
    files = _files()
    loaded = _stamp(files)
    with socket.socket(fileno=control) as orders:
        while True:
            select.select([orders], [], [])
            if _stamp(files) != loaded:
                os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - ourselves, with the same arguments
            said, handles, _, _ = socket.recv_fds(orders, 1, 1)
            if not said:
                return None
            if (own := _forked(handles[0], orders)) is not None:
                return own


told: dict[str, str] = {}
"""Variables that loaded modules have set, as they would in a started process."""

filled: list[object] = []
"""Kept to the end, in the processes that are forked, too."""


def _files() -> bytes:
    """The files of the loaded modules, in one piece.

    What the template writes between two forks is no longer shared with the processes of before, and a mere look at an
    object writes its count of references: a look at each module cost each process 15 MiB.
    """
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return b"\0".join(sorted(os.fsencode(file) for file in files if isinstance(file, str)))


def _stamp(files: bytes) -> int:
    """A number that changes with these files."""
    stamp = begin = 0
    while begin < len(files):
        end = files.find(b"\0", begin)
        end = end if end >= 0 else len(files)
        try:
            seen = os.stat(files[begin:end])  # noqa: PTH116 - thousands, at each fork
            stamp = hash((stamp, seen.st_mtime_ns, seen.st_size))
        except OSError:
            stamp = hash((stamp, begin))
        begin = end + 1
    return stamp


def _forked(handle: int, orders: socket.socket) -> socket.socket | None:
    """Fork a grandchild. Returns its socket there, and None here when its parent is the supervisor."""
    waiting, releasing = os.pipe()
    between = os.fork()
    if between == 0:
        if os.fork() != 0:
            os._exit(0)
        os.close(releasing)
        os.read(waiting, 1)  # its end: the process between has ended and was waited for
        os.close(waiting)
        orders.close()
        return socket.socket(fileno=handle)
    os.waitpid(between, 0)
    for number in (waiting, releasing, handle):
        os.close(number)
    return None


def become(own: socket.socket, parent: int) -> None:
    """Be the process that is ordered through the socket; returns when that has ended.

    The order is JSON, ``{"arguments": ["-m", "workers"], "env": {...}, "signal": 9}``, with its length before it and
    the descriptors of its output beside it.
    """
    os.setsid()
    with own:
        try:
            order, output = _ordered(own, parent)
        except (OSError, ValueError):  # the supervisor has given the fork up, or has ended; it has said so itself
            os._exit(1)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(told | order["env"])
    time.tzset()
    _, module, *arguments = order["arguments"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _ordered(own: socket.socket, parent: int) -> tuple[dict[str, Any], int]:
    """What is to be run, and the descriptor of its output.

    Raises:
        OSError, ValueError: the supervisor does not want it any more.
    """
    header, (output,), _, _ = socket.recv_fds(own, HEADER, 1)
    order: dict[str, Any] = json.loads(_received(own, int.from_bytes(header)))
    die_with(parent, signal.Signals(order["signal"]))
    own.sendall(str(os.getpid()).encode())
    if own.recv(1) != GO:
        raise BrokenPipeError
    return order, output


def _received(own: socket.socket, size: int) -> bytes:
    """So many bytes."""
    parts: list[bytes] = []
    while size > 0:
        part = own.recv(size)
        if not part:
            raise BrokenPipeError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    given = (int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    if (mine := main(*given)) is not None:
        own_socket = mine
        run_forked(lambda: become(own_socket, given[1]))
