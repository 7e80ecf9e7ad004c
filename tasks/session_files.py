"""Files of a session under COHORT_HOME: its own directory, and its files from Telegram in the cache of the machine."""

import hashlib
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from hashlib import blake2s
from pathlib import Path

from tasks.envelope import Media
from tasks.session import SessionKey

_HARMLESS = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
# What models tell kinds of files by, for those that Telegram gives no name.
_SUFFIXES = {
    "photo": ".jpg",
    "voice": ".ogg",
    "audio": ".mp3",
    "video": ".mp4",
    "video_note": ".mp4",
    "animation": ".mp4",
    "sticker": ".webp",
}


_OUT = "out"
WORDS = ".words"
"""Behind a cached file's name, that of what was read of it."""
SOUND = ".wav"
"""Behind a cached file's name, that of its sound for models that take it so."""


def slug(session: SessionKey) -> str:
    """The session as part of a path or a name: digits, small letters, ``-`` and ``_``, whatever its parts hold.

    A business connection id is another party's string. It is hashed whatever it looks like, because a rule for harmless
    looks has gaps: ``..`` is a directory, ``A`` and ``a`` are one file on some systems.
    """
    plain = _written(session.bot, session.chat, session.topic)
    if session.inline is not None:
        plain = f"{plain}_i{_hashed(session.inline)}"
    return plain if session.business is None else f"{plain}_h{_hashed(session.business)}"


def _hashed(ident: str) -> str:
    return blake2s(ident.encode(errors="surrogatepass"), digest_size=10).hexdigest()


def _written(bot: int, chat: int, topic: int | None) -> str:
    return f"{bot}_{chat}" + (f"_t{topic}" if topic is not None else "")


def where(home: Path, session: SessionKey) -> Path:
    """The session's own directory."""
    return _sessions(home) / slug(session)


@cache
def _sessions(home: Path) -> Path:
    """Resolved once: the path is asked for in each turn, and to resolve it reads every folder above it."""
    return (home / "sessions").resolve()


def _former(own: Path, session: SessionKey) -> Path | None:
    """The directory that an earlier release named by a harmless business id."""
    if session.business is None or not _HARMLESS.fullmatch(session.business):
        return None
    return own.parent / f"{_written(session.bot, session.chat, session.topic)}_b{session.business}"


def place(home: Path, session: SessionKey) -> Path:
    """The session's own directory, made if need be; one of an earlier release is renamed."""
    own = where(home, session)
    former = _former(own, session)
    if former is not None and former.is_dir() and not own.exists():
        former.rename(own)
    own.mkdir(parents=True, exist_ok=True)
    return own


def outgoing(home: Path, session: SessionKey) -> Path:
    """Where files stand that are on their way to a session's chat. It is made with the first one."""
    return where(home, session) / _OUT


def tidy(home: Path, *, before: float) -> int:
    """Remove files on their way to chats that were written before that time; gives how many.

    What wrote them was stopped or died, or another machine has delivered them. Blocking: call it from a thread.
    """
    gone = 0
    for path in _sessions(home).glob(f"*/{_OUT}/*"):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
                gone += 1
    return gone


def move(home: Path, old: SessionKey, new: SessionKey) -> None:
    """A group became a supergroup, which goes on with its directory; what the supergroup has already stays.

    Blocking: call it from a thread.
    """
    if (theirs := where(home, old)).is_dir():
        _merge(theirs, where(home, new))


def _merge(theirs: Path, ours: Path) -> None:
    if not ours.exists():
        theirs.rename(ours)
        return
    for one in theirs.iterdir():
        there = ours / one.name
        if one.is_dir() and not one.is_symlink():
            _merge(one, there)
        elif not there.exists():
            one.rename(there)


def media_name(media: Media) -> str:
    """The name of a file in the cache: the same for the same file in all chats; it tells only the kind of the file."""
    given = Path(media.name or "").suffix
    suffix = given.lower() if _SUFFIX.fullmatch(given) else _SUFFIXES.get(media.kind, ".bin")
    return hashlib.sha256((media.unique_id or media.file_id).encode()).hexdigest()[:40] + suffix


def remove(home: Path, sessions: Iterable[SessionKey], media: Iterable[str] = ()) -> int:
    """Remove the directories of sessions, and files of the cache by their names; gives how many there were.

    Blocking: call it from a thread.
    """
    gone = 0
    for session in sessions:
        own = where(home, session)
        for directory in (own, _former(own, session)):
            if directory is not None and directory.is_dir():
                shutil.rmtree(directory, ignore_errors=True)
                gone += not directory.exists()
    for name in media:
        for kept in (f"{Path(name).name}{behind}" for behind in ("", WORDS, SOUND)):
            with suppress(OSError):
                (home / "media" / kept).unlink()
                gone += 1
    return gone
