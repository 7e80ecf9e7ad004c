"""The state directory (COHORT_HOME): one ``cohort up`` at a time, and what the other commands find it by."""

import fcntl
import json
import os
import stat
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.errors import Misconfigured

_OTHERS = 0o077
"""What a mode gives to anybody but the owner."""


class Running(BaseModel):
    """The system that runs in this home (``run.json``, readable by its owner only: it holds secrets).

    ``control``/``secret``: port on 127.0.0.1 and password of the supervisor's control door. ``env``: what it adds to
    the environment of its processes (REDIS_URL, COHORT_MODEL, ...), so that other commands see the same system.
    ``playground_url``: with its key.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    started: float
    control: int
    secret: str
    env: dict[str, str] = {}
    playground_url: str | None = None
    flower_url: str | None = None
    model: str = ""


def _busy(path: Path) -> bool:
    """Whether a living process holds this lock file."""
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _make_private(path: Path) -> None:
    try:
        seen = path.lstat()
        if seen.st_uid == os.geteuid() and not stat.S_ISLNK(seen.st_mode) and seen.st_mode & _OTHERS:
            path.chmod(stat.S_IMODE(seen.st_mode) & ~_OTHERS)
    except OSError:
        pass  # it went meanwhile, or this file system knows no modes


class Home:
    """Paths in the state directory."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.valkey = self.root / "valkey"
        self.logs = self.root / "logs"
        self.media = self.root / "media"
        self.sessions = self.root / "sessions"
        self._lock = self.root / "lock"
        self._run = self.root / "run.json"

    def tighten(self) -> None:
        """Take from other users of the machine what an earlier release left open to them (new files are private).

        Only what is ours: nothing else that may stand in this directory, nothing of another owner, no link's target.
        """
        _make_private(self.root)
        for path in (self._lock, self._run, self.valkey, self.logs, self.media, self.sessions):
            _make_private(path)
            if not path.is_symlink():
                for folder, folders, files in path.walk():
                    for name in (*folders, *files):
                        _make_private(folder / name)

    @contextmanager
    def hold(self) -> Generator[None]:
        """Be the only supervisor here; the lock ends with the process, however that ends.

        Raises:
            Misconfigured: another one runs here, or the directory cannot be written.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            lock = self._lock.open("a+", encoding="ascii", errors="replace")
            self.tighten()
        except OSError as problem:
            raise Misconfigured(f"COHORT_HOME: {self.root} cannot be written ({problem.strerror})") from problem
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                other = lock.read().strip() or "?"
                raise Misconfigured(
                    f"Cohort already runs in {self.root} (pid {other}): stop that one, or set another COHORT_HOME"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self._run.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._run.unlink(missing_ok=True)

    def announce(self, running: Running) -> None:
        """Write ``run.json``; readers see the old one or the new one, never a part."""
        draft = self._run.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(running.model_dump(), indent=2) + "\n", encoding="utf-8")
        draft.replace(self._run)

    def running(self) -> Running | None:
        """The system that runs here now, or None."""
        if not _busy(self._lock):
            return None  # what a killed supervisor left behind
        try:
            return Running.model_validate_json(self._run.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None  # it is just starting


def joined(environ: Mapping[str, str], running: Running | None) -> dict[str, str]:
    """The environment of a command that joins the running system; what the operator set himself wins."""
    return {**(running.env if running else {}), **environ}
