"""The output of all processes, on the terminal and in files. A stopped terminal blocks no process."""

import os
import queue
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from ops.terminal import own
from tasks.text import printable

_WAITING = 2000
_FILE_LIMIT = 10 * 1024 * 1024
_COLOURS = (36, 35, 34, 33, 32)
_NAME_WIDTH = 11
OWN = "cohort"


class LogFile:
    """A log file of about ``limit`` bytes, and one older file beside it.

    It may be moved away or deleted while it is written: the next line begins a file of the old name.
    """

    def __init__(self, path: Path, limit: int = _FILE_LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._file: TextIO | None = None
        self._size = 0

    def write(self, line: str) -> None:
        """Add a line.

        Raises:
            OSError: it is lost, because the file cannot be written now; the next line is tried.
        """
        if self._file is not None and self._was_moved(self._file):
            self.close()
        if self._file is not None and self._size > self._limit:
            with suppress(OSError):  # then it grows, which is better than a line that is lost
                self._path.replace(self._path.with_suffix(".log.1"))
            self.close()
        file = self._file or self._opened()
        self._size += file.write(line + "\n")
        file.flush()

    def _opened(self) -> TextIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A path that is no UTF-8 may stand in a line.
        file = self._file = self._path.open("a", encoding="utf-8", errors="backslashreplace")
        self._size = os.fstat(file.fileno()).st_size
        return file

    def _was_moved(self, file: TextIO) -> bool:
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(file.fileno()))
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Close the file; a line that a full disk did not take is lost."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()


class Console:
    """Writes from its own thread: after Ctrl-S a write to the terminal blocks, and the event loop must not."""

    def __init__(self, logs: Path, stream: TextIO, *, colour: bool | None = None) -> None:
        self._logs = logs
        self._stream = stream
        self.colour = (stream.isatty() and "NO_COLOR" not in os.environ) if colour is None else colour
        self._files: dict[str, LogFile] = {}
        self._last: dict[str, deque[str]] = {}
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._dropped = 0

    @contextmanager
    def writing(self) -> Generator[None]:
        """Write while inside the block; at its end, pending lines are written if the terminal takes them."""
        writer = threading.Thread(target=self._write, name="console", daemon=True)
        writer.start()
        try:
            yield
        finally:
            try:
                self._lines.put(None, timeout=1)
                writer.join(timeout=2)
            except queue.Full:
                pass  # the terminal is stopped; the files hold every line
            for file in self._files.values():
                file.close()

    def child(self, name: str, line: str, *, echo: bool) -> None:
        """Take one line of a process's output."""
        line = printable(line)
        self._keep(name, line)
        if echo:
            self._put(f"{self._label(name)} {line}")

    def say(self, line: str) -> None:
        """Print a line of the supervisor's own."""
        line = printable(line)
        self._keep(OWN, line)
        self._put(f"{self._label(OWN)} {line}")

    def show(self, text: str) -> None:
        """Print text without a name in front (the banner, whose colours are ours)."""
        self._put(text)

    def last(self, name: str) -> list[str]:
        """The last lines of a process."""
        return list(self._last.get(name, ()))

    def forget(self, name: str) -> None:
        """Drop the last lines of a process: a new run begins."""
        self._last.pop(name, None)

    def _keep(self, name: str, line: str) -> None:
        self._last.setdefault(name, deque(maxlen=12)).append(line)
        try:
            if name not in self._files:
                self._files[name] = LogFile(self._logs / f"{name}.log")
            self._files[name].write(line)
        except OSError:
            pass  # a full disk must not stop the system; the terminal still shows the line

    def _label(self, name: str) -> str:
        text = f"{name:<{_NAME_WIDTH}}|"
        if not self.colour:
            return text
        # The same name has the same colour in every run.
        number = 1 if name == OWN else _COLOURS[sum(name.encode()) % len(_COLOURS)]
        return f"\x1b[{number}m{text}\x1b[0m"

    def _put(self, line: str) -> None:
        try:
            if self._dropped:
                self._lines.put_nowait(f"({self._dropped} lines not shown; they are in {self._logs})")
                self._dropped = 0
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                return  # the reader closed the pipe


def stdout_console(logs: Path) -> Console:
    """The console on standard output."""
    return Console(logs, own())
