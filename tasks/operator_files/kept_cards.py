"""The cards and the configuration that agents were last made of, copied into the state directory.

A worker that starts while a card is broken goes on with them: the workers that run do the same, and a start must not
depend on the moment. A copy is made only of what an agent was made of. The secrets file is not copied, but linked.
"""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.config.fastagent_config import CONFIGURATIONS
from tasks.config.settings import KEPT_CARDS, Settings
from tasks.operator_files.agent_files import SECRETS
from tasks.whole_file import write_whole

log = logging.getLogger("cohort.cards")

MOST_FILES = 2_000
"""Files that are looked at; a directory that holds more is no directory of cards alone."""
MOST_BYTES = 32 * 2**20
"""What a copy may take."""
_COPIES = 3
"""Of one directory; a worker that started with an older one may still make agents of it."""
_PASSED = frozenset({"__pycache__", "node_modules"})
_NOW = "current"


def files(directory: Path) -> Iterator[Path]:
    """What the directory and its folders hold, without hidden files and what editors write beside a file."""
    found = 0
    for folder, folders, names in os.walk(directory, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in _PASSED and not name.startswith("."))
        for name in sorted(names):
            if name.startswith((".", "#")) or name.endswith(("~", ".swp", ".tmp", ".pyc")):
                continue
            yield Path(folder, name)
            found += 1
            if found == MOST_FILES:
                return


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the files of a set of agents say at one moment."""

    cards: dict[str, bytes]
    """By their paths in the directory."""
    config: bytes | None

    @property
    def name(self) -> str:
        """The same for the same content."""
        seen = hashlib.sha256(b"-" if self.config is None else b"+" + self.config)
        for path, content in self.cards.items():
            seen.update(f"\0{path}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
        return seen.hexdigest()[:24]


def snapshot(settings: Settings) -> Snapshot | None:
    """What the files say now; None where they cannot be read, or are too much to copy."""
    cards = dict[str, bytes]()
    size = 0
    try:
        for path in files(settings.cards):
            if not path.is_file():  # a link to nowhere or in a circle, a pipe, a device
                continue
            with suppress(FileNotFoundError):  # gone again
                size += path.stat().st_size
                if size > MOST_BYTES:
                    return None
                cards[str(path.relative_to(settings.cards))] = path.read_bytes()
        return Snapshot(cards, _config_of(settings))
    except OSError:
        return None


def keep(settings: Settings, made_of: Snapshot | None) -> None:
    """Keep what agents were made of; where that is not known for certain any more, or the disk is full, nothing.

    Args:
        settings: With the directory and the configuration.
        made_of: What the files said before the agents were made. Files that were written since are kept the next time.
    """
    if made_of is None or not made_of.cards or snapshot(settings) != made_of:
        return
    place = _place(settings)
    try:
        if not (place / made_of.name).is_dir():
            _write(place, made_of, settings)
        _point(place, made_of.name)
        _thin_out(place, made_of.name)
    except OSError as problem:
        log.warning("cards.not_kept", extra={"problem": f"{place}: {problem.strerror or problem}"})


def kept(settings: Settings) -> Iterator[Settings]:
    """The same settings with what was kept: first with the cards alone, then with the configuration of then as well.

    Nothing where the files say what was kept: that would fail as they do.
    """
    place = _place(settings)
    try:
        found = place / (place / _NOW).read_text(encoding="ascii").strip()
        now = snapshot(settings)
        if not (found / "cards").is_dir() or (now is not None and now.name == found.name):
            return
        then = found / CONFIGURATIONS[0]
        cards = settings.model_copy(update={"cards": found / "cards"})
        yield cards
        if then.is_file() and then.read_bytes() != _config_of(settings):
            yield cards.model_copy(update={"config": then})
    except (OSError, ValueError):
        return


def _config_of(settings: Settings) -> bytes | None:
    try:
        return settings.config.read_bytes()
    except OSError:
        return None


def _place(settings: Settings) -> Path:
    """Where the copies of this directory are; a home may have several, and bots have their own."""
    named = os.fsencode(settings.cards.absolute())
    return settings.home.absolute() / KEPT_CARDS / hashlib.sha256(named).hexdigest()[:12]


def _write(place: Path, made_of: Snapshot, settings: Settings) -> None:
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=place, prefix=".") as begun:
        whole = Path(begun, "whole")
        (whole / "cards").mkdir(parents=True)
        for path, content in made_of.cards.items():
            target = whole / "cards" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if made_of.config is not None:
            (whole / CONFIGURATIONS[0]).write_bytes(made_of.config)
            for name in SECRETS:
                (whole / name).symlink_to(settings.config.absolute().with_name(name))
        if not (place / made_of.name).is_dir():  # another worker was faster
            whole.rename(place / made_of.name)


def _point(place: Path, name: str) -> None:
    """Have ``current`` name it, at once or not at all."""
    with suppress(OSError):
        if (place / _NOW).read_text(encoding="ascii") == name:
            return
    write_whole(place / _NOW, name.encode())


def _thin_out(place: Path, current: str) -> None:
    copies = [path for path in place.iterdir() if path.is_dir() and path.name[0] != "." and path.name != current]
    for old in sorted(copies, key=lambda path: path.stat().st_mtime)[: max(0, len(copies) - _COPIES + 1)]:
        shutil.rmtree(old, ignore_errors=True)
