"""The state directory (COHORT_HOME): it holds one ``cohort up`` at a time, and tells other commands how to reach it."""

import asyncio
import errno
import fcntl
import json
import logging
import os
import re
import shutil
import stat
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.errors import CohortError, Misconfigured, Retryable
from tasks.whole_file import keeps_no_files, write_whole

log = logging.getLogger("cohort.supervisor")

_FOUND_EVERY_S = 5.0

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What a full disk, a used-up quota and a read-only file system say."""

_LEAST_ROOM = 1 << 20
"""Bytes; a store whose disk has less takes no further message soon."""

_OTHERS = 0o077
"""The bits of a file's mode that concern all users but its owner."""

_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and what Python makes of bytes that are no UTF-8."""


class Scale(BaseModel):
    """How many workers `cohort up` keeps."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    wanted: int
    least: int
    most: int
    auto: bool = False
    """The load decides between ``least`` and ``most``."""
    why: str = ""
    """Of the last change, in words."""


class Running(BaseModel):
    """The system that runs in this home: the content of ``run.json``.

    Only the file's owner may read it, because it holds secrets::

        {
          "pid": 4711, "started": 1800000000.0, "control": 40123, "secret": "...",
          "env": {"REDIS_URL": "redis://...", "COHORT_MODEL": "..."},
          "playground_url": "http://127.0.0.1:8081/?key=...", "flower_url": "http://127.0.0.1:5555",
          "console_url": "http://127.0.0.1:5556", "model": "haiku",
          "scale": {"wanted": 2, "least": 1, "most": 4, "auto": true, "why": "load 0.93"}
        }
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    """Of the supervisor."""
    started: float
    """Seconds since the epoch."""
    control: int
    """The control server's port on 127.0.0.1 (``ops.control``)."""
    secret: str
    """The control server's password."""
    env: dict[str, str] = {}
    """What ``cohort up`` adds to the environment of its processes; other commands add it and see the same system."""
    playground_url: str | None = None
    """With the playground's key."""
    flower_url: str | None = None
    console_url: str | None = None
    model: str = ""
    """The title of the model that answers."""
    scale: Scale | None = None
    """None: it is of a release before."""


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
        pass  # the file was removed meanwhile, or this file system has no modes


def unwritable(said: str, problem: OSError) -> CohortError:
    """What is raised where a file cannot be written. No setting mends a full disk: the same start works later."""
    return Retryable(said) if problem.errno in FULL else Misconfigured(said)


def keep(file: Path, text: str) -> None:
    """Write a file for its owner only, in one step: a reader sees the old text or the new one.

    Raises:
        Misconfigured: it cannot be written.
        Retryable: the disk is full.
    """
    try:
        write_whole(file, text.encode(), 0o600)
    except OSError as problem:
        raise unwritable(f"COHORT_HOME: {file} cannot be written ({problem.strerror})", problem) from problem


def full_disk(problem: OSError) -> str:
    """One line for a disk that takes no more."""
    where = f"{problem.filename}: " if problem.filename else ""
    return f"{where}cannot be written ({problem.strerror}); free space there, or set another COHORT_HOME"


def out_of_room(directory: Path) -> str | None:
    """That the disk of a directory is full; None: it is not, or there is no such directory."""
    try:
        free = shutil.disk_usage(directory).free
    except OSError:
        return None
    return None if free >= _LEAST_ROOM else f"the disk of {directory} is full: free space there"


class Home:
    """Paths in the state directory."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.valkey = self.root / "valkey"
        self.logs = self.root / "logs"
        self.media = self.root / "media"
        self.sessions = self.root / "sessions"
        self._held: list[int] = []
        """Locks that were taken again; closed with the process."""
        self._lock = self.root / "lock"
        self._run = self.root / "run.json"

    def takes_no_files(self) -> str | None:
        """Why files of chats cannot be kept here, as a line; None: they can."""
        return keeps_no_files(self.root)

    def tighten(self) -> None:
        """Make files private that an earlier release left readable to other users (new files are private anyway).

        It changes only our own files: no other content of this directory, no file of another owner, no link's target.
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
        """Be the only supervisor of this home. The kernel drops the lock when the process ends, however it ends.

        Raises:
            Misconfigured: another one runs here, or the directory cannot be written, or not be named in a file.
            Retryable: the disk is full.
        """
        if _UNWRITABLE.search(str(self.root)):
            # The store's configuration, run.json and log lines name it.
            named = ascii(str(self.root))
            raise Misconfigured(f"COHORT_HOME: {named} has a control character or is no UTF-8: set another directory")
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            lock = self._lock.open("a+", encoding="ascii", errors="replace")
            self.tighten()
        except OSError as problem:
            raise unwritable(f"COHORT_HOME: {self.root} cannot be written ({problem.strerror})", problem) from problem
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                other = lock.read().strip() or "?"
                raise Misconfigured(
                    f"Cohort already runs in {self.root} (pid {other}): stop that one, or set another COHORT_HOME"
                ) from None
            try:
                # Not through the file's buffer: what a full disk does not take would be written again when it closes.
                if lock.tell():
                    os.ftruncate(lock.fileno(), 0)
                os.write(lock.fileno(), str(os.getpid()).encode())
                self._run.unlink(missing_ok=True)
            except OSError as problem:
                raise unwritable(
                    f"COHORT_HOME: {self.root} cannot be written ({problem.strerror})", problem
                ) from problem
            try:
                yield
            finally:
                self._run.unlink(missing_ok=True)

    def announce(self, running: Running) -> None:
        """Write ``run.json`` in one step: readers see the old file or the new one."""
        keep(self._run, json.dumps(running.model_dump(), indent=2) + "\n")

    async def stay_found(self, running: Callable[[], Running | None], every_s: float = _FOUND_EVERY_S) -> None:
        """Of the holder: write ``lock`` and ``run.json`` again where someone has removed them, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            now = running()
            with suppress(CohortError, OSError):  # a full disk, or no directory; it is tried again
                if now is None or (self._lock.exists() and self._run.exists()):
                    continue
                self.logs.mkdir(parents=True, exist_ok=True)
                if not self._lock.exists():
                    self._take_again()
                self.announce(now)
                log.warning("home.restored", extra={"home": str(self.root)})

    def _take_again(self) -> None:
        """Lock a new file. The one that is held has no name any more, so no other supervisor would find it locked.

        Raises:
            BlockingIOError: another supervisor was faster.
        """
        again = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(again, str(os.getpid()).encode())
        except OSError:
            os.close(again)
            raise
        self._held.append(again)

    def running(self) -> Running | None:
        """The system that runs here now, or None."""
        if not _busy(self._lock):
            return None  # a killed supervisor left its run.json behind
        try:
            return Running.model_validate_json(self._run.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None  # the supervisor has not written it yet


def joined(environ: Mapping[str, str], running: Running | None) -> dict[str, str]:
    """The environment of a command that joins the running system; the operator's own variables win."""
    return {**(running.env if running else {}), **environ}
