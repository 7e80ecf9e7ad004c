"""Which program holds a port of this machine (Linux), for the line that says that it is taken."""

from collections.abc import Iterator
from pathlib import Path

_LISTENS = "0A"
"""The state of such a socket in /proc/net/tcp."""


def holder_of(port: int, proc: Path = Path("/proc")) -> str:
    """`` (by nginx, pid 123)``; empty where this system, or a program of another user, does not tell.

    The program's name alone: its arguments may hold a password.
    """
    wanted = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    for process in proc.glob("[0-9]*") if wanted else ():
        try:
            if any(str(file.readlink()) in wanted for file in (process / "fd").iterdir()):
                return f" (by {(process / 'comm').read_text().strip()}, pid {process.name})"
        except OSError:  # it is another user's, or has just ended
            continue
    return ""


def _inodes(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]
