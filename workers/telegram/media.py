"""Telegram's files for the runtime (``workers.interfaces.MediaSource``): fetched once, cached on disk within bounds."""

import asyncio
import errno
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Self
from uuid import uuid4

from telegram import File
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError
from telegram.ext import ExtBot

from botapi.pacing import Priority
from botapi.refusals import said
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.envelope import Media
from tasks.errors import Retryable
from tasks.outage import Outage
from tasks.phrases import phrase
from tasks.session_files import media_name
from workers import texts
from workers.byte_budget import Weights
from workers.interfaces import MediaUnavailable

log = logging.getLogger("cohort.media")

_MIB = 1024 * 1024
_AT_ONCE = 24 * _MIB
"""Bytes of the downloads at the same time in a worker: each is held in memory as a whole, twice."""
_DOWNLOAD_TIMEOUT = 60.0
_UNFINISHED = ".part"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNFINISHED_FOR = 3600.0
"""Seconds after which an unfinished file was left by a process that died."""


class MediaUnreachable(Retryable):
    """Telegram does not hand out this file right now."""


class TelegramMedia:
    """One for each worker; the directory may be shared by all workers of a machine."""

    def __init__(self, bot: ExtBot[Priority], settings: Settings, clock: Clock) -> None:
        self._bot = bot
        self._cache = Cache(
            settings.home / "media",
            most=settings.media_cache_mib * _MIB,
            keep=settings.turn_timeout.total_seconds(),
            clock=clock,
        )
        self._most = settings.media_max_mib * _MIB
        self._downloads = Weights(_AT_ONCE)
        self._outage = Outage(clock.monotonic)
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    def of(self, bot: ExtBot[Priority]) -> Self:
        """The same for another bot: one cache, and one bound on the downloads of all."""
        other = copy(self)
        other._bot = bot  # noqa: SLF001 - a copy of our own
        return other

    async def fetch(self, media: Media) -> Path:
        """A local copy, kept for the turn at least.

        Raises:
            MediaUnavailable: too large or gone, or the disk takes no file; the message is for the user.
            MediaUnreachable: Telegram did not answer.
        """
        self._check_size(media.size_bytes)
        name = media_name(media)
        async with self._only_one(name):
            found = await asyncio.to_thread(self._cache.find, name)
            if found is not None:
                return found
            async with self._downloads.hold(media.size_bytes or self._most):
                data = await self._download(media)
            self._check_size(len(data))
            try:
                path = await asyncio.to_thread(self._cache.store, name, data)
            except OSError as problem:
                if self._outage.began():
                    log.error("media.not_kept", extra={"problem": problem.strerror or type(problem).__name__})  # noqa: TRY400 - the operator's disk
                raise MediaUnavailable(phrase("file-no-room")) from None
            if (lasted := self._outage.ended()) is not None:
                log.warning("media.kept_again", extra={"after_s": lasted})
            return path

    def _check_size(self, size: int | None) -> None:
        if size is not None and size > self._most:
            raise MediaUnavailable(texts.file_too_large(size / _MIB, self._most // _MIB))

    async def _download(self, media: Media) -> bytearray:
        try:
            file = await self._bot.get_file(media.file_id, rate_limit_args=Priority.CONTROL)
            self._check_size(file.file_size)
            return await self._bytes(file)
        except (BadRequest, Forbidden) as error:
            log.info("media.refused", extra={"kind": media.kind, "said": said(error)})
            if "too big" in error.message.lower():
                raise MediaUnavailable(phrase("file-not-handed-out")) from error
            raise MediaUnavailable(phrase("file-gone")) from error
        except (TelegramError, OSError) as error:
            # Without the error's words: a file's address holds the token.
            log.warning("media.unreachable", extra={"kind": media.kind, "problem": type(error).__name__})
            raise MediaUnreachable from None

    async def _bytes(self, file: File) -> bytearray:
        if not file.file_path:
            raise MediaUnavailable(phrase("file-gone"))
        try:
            return await file.download_as_bytearray(read_timeout=_DOWNLOAD_TIMEOUT)
        except InvalidToken:
            # PTB's word for a 404; the token was good a moment ago.
            raise MediaUnavailable(phrase("file-gone")) from None

    @asynccontextmanager
    async def _only_one(self, name: str) -> AsyncGenerator[None]:
        """A second turn that wants a file waits while the first one fetches it."""
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(name)
            if users > 1:
                self._locks[name] = (lock, users - 1)


class Cache:
    """Files in one directory, the least recently used going first. Blocking: call it from a thread.

    What was used within ``keep`` seconds may be in use by a turn and stays, until the directory holds twice ``most``
    bytes: a flood of files must not fill the disk.
    """

    def __init__(self, folder: Path, *, most: int, keep: float, clock: Clock) -> None:
        self._folder = folder
        self._most = most
        self._keep = keep
        self._clock = clock

    def find(self, name: str) -> Path | None:
        """The file, which counts as used now."""
        path = self._folder / name
        now = self._clock.now()
        try:
            os.utime(path, (now, now))
        except OSError:  # there is none, or the disk is read-only
            return path if path.is_file() else None
        return path

    def store(self, name: str, data: bytes | bytearray) -> Path:
        """Keep ``data`` under ``name``; other processes see the whole file or none.

        Raises:
            OSError: the disk is full, also without what no turn uses, or it takes nothing.
        """
        try:
            return self._store(name, data)
        except OSError as problem:
            if problem.errno not in _FULL:
                raise
            self._evict(self._folder / name, 0)
            return self._store(name, data)

    def _store(self, name: str, data: bytes | bytearray) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self._folder / f"{uuid4().hex}{_UNFINISHED}"
        now = self._clock.now()
        try:
            unfinished.write_bytes(data)
            os.utime(unfinished, (now, now))
            path = unfinished.replace(self._folder / name)
        finally:
            unfinished.unlink(missing_ok=True)
        self._evict(path, self._most)
        return path

    def _evict(self, newest: Path, most: int) -> None:
        now = self._clock.now()
        held: list[tuple[float, int, Path]] = []
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):
                about = entry.stat()
                if not entry.name.endswith(_UNFINISHED):
                    held.append((about.st_mtime, about.st_size, Path(entry.path)))
                elif now - about.st_mtime > _UNFINISHED_FOR:
                    Path(entry.path).unlink(missing_ok=True)
        total = sum(size for _, size, _ in held)
        for used_at, size, path in sorted(held):
            if path == newest:
                continue
            if total <= most:
                break
            if now - used_at < self._keep and total <= 2 * self._most:
                break
            path.unlink(missing_ok=True)
            total -= size
