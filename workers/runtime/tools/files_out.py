"""Files that a turn brings to its chat: from its tools' results, from ``attach`` in a Python tool, from the model.

A tool's result is a step, and an attached file is noted in it. So a turn that goes on after its worker died gives the
files of a finished call again, and the tool does not run again.
"""

import base64
import logging
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent
from pydantic import ValidationError

from tasks.envelope import Media, OutFile
from tasks.errors import Misconfigured, Terminal
from tasks.http.addresses import is_public
from tasks.text import clean, on_one_line, utf16, within
from workers import texts
from workers.outgoing import LARGEST, MOST, RoomInReplies, is_opus, kind_of, name_of, remove
from workers.pictures import moves, picture_bytes, pixels_of
from workers.runtime.conversation.file_types import HEAD_BYTES, TEXT, UNKNOWN, mime_by_content, mime_of

log = logging.getLogger("cohort.runtime")

FILE_META = "cohort.file"
"""The note on a block that stands for an attached file."""
NAME_META = "cohort.name"
"""The name of a file whose address the client took away; a server that writes it itself names its own file."""
SENT = "[sent to the chat: {}]"
NOT_SENT = "[a picture that was not sent]"
_SHOWN = ("data", "blob")
_MOST_LINKS = 4
_LONGEST_TITLE = 60
_CAPTION = 1024
"""Telegram's limit (Bot API, sendDocument)."""


class NotAttached(Terminal):
    """This file cannot be sent."""


@dataclass(slots=True)
class FilesOut:
    """Of one try of one turn."""

    folder: Path
    """For what is too large to stand in a reply."""
    files: list[OutFile] = field(default_factory=list[OutFile])
    left_out: int = 0
    """Files that were too many or too large."""
    unkept: int = 0
    """Files that there was no room for."""
    drawn: list[tuple[str, OutFile]] = field(default_factory=list[tuple[str, OutFile]])
    """The pictures that the model drew itself, each behind what stands for it in the answer."""
    promised: int = 0
    """Files that a tool was told are sent, and whose calls have not ended."""
    links: dict[str, str] = field(default_factory=dict[str, str])
    """Addresses of resources that tools named, with their titles."""
    _room: RoomInReplies = field(default_factory=RoomInReplies)

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user is told."""
        links = (f"{title}: {address}" for address, title in self.links.items())
        return *links, *texts.files_left_out(self.left_out, self.unkept)

    def take(self, blocks: Iterable[ContentBlock], *, shown: bool = True) -> list[str]:
        """Take the files among blocks of a result, or of a model's message. Blocking; returns the names of those taken.

        A file that its tool means for the model alone is left to the model. Without ``shown`` this goes for all but
        what a Python tool attached: such a tool says itself that it sends.
        """
        taken: list[str] = []
        for block in blocks:
            if shown and isinstance(block, ResourceLink):
                self._link(block)
            noted = self._noted(block)
            file = noted or (self._shown(block) if shown else None)
            if file is None:
                continue
            self.promised = max(0, self.promised - (noted is not None))
            if len(self.files) >= MOST:
                self.left_out += 1
                continue
            self.files.append(file)
            taken.append(file.name)
        return taken

    def draw(self, picture: bytes | str, mime: str) -> str:
        """Take a picture of the model's own, bytes or Base64. Blocking; returns what stands for it in the history.

        Its bytes would come back to the model with each turn; who wants it changed answers the photo.
        """
        if len(self.files) >= MOST:
            self.left_out += 1
            return NOT_SENT
        with self._counting_lost():
            return self._draws(self._room.taken(self.folder, self.keep(picture_bytes(picture), "", mime)))
        return NOT_SENT

    def draw_again(self, file: OutFile) -> None:
        """Take a picture that an earlier try drew. Blocking."""
        with self._counting_lost():
            if len(self.files) < MOST and file not in self.files:
                self._draws(self._room.taken(self.folder, file))

    def _draws(self, file: OutFile) -> str:
        self.files.append(file)
        self.drawn.append((SENT.format(file.name), file))
        return self.drawn[-1][0]

    def undrawn(self, text: str) -> str:
        """An answer's text as people read it: they see its pictures below."""
        if not self.drawn and NOT_SENT not in text:
            return text
        for mark in (*(mark for mark, _ in self.drawn), NOT_SENT):
            text = text.replace(mark, "")
        text = text.strip()
        return text or ("🖼" if self.drawn else "")

    def _link(self, block: ResourceLink) -> None:
        """The person gets the address, if it is one of the public web; the model keeps the link in any case."""
        address = str(block.uri)
        if is_public(address) and not _is_for_model(block) and len(self.links) < _MOST_LINKS:
            self.links.setdefault(address, title_of(block) or "Link")

    def _noted(self, block: ContentBlock) -> OutFile | None:
        note = (block.meta or {}).get(FILE_META)
        with suppress(ValidationError), self._counting_lost():
            return self._room.taken(self.folder, OutFile.model_validate(note)) if note is not None else None
        return None

    def _shown(self, block: ContentBlock) -> OutFile | None:
        holder: Any = getattr(block, "resource", block)
        encoded = next((found for name in _SHOWN if isinstance(found := getattr(holder, name, None), str)), None)
        if not encoded or _is_for_model(block):
            return None
        said = str(getattr(holder, "mime_type", None) or UNKNOWN)
        noted = (block.meta or {}).get(NAME_META)
        given = unquote(noted if isinstance(noted, str) else urlsplit(str(getattr(holder, "uri", None) or "")).path)
        with self._counting_lost():
            return self._room.taken(self.folder, self.keep(base64.b64decode(encoded, validate=True), given, said))
        return None

    @contextmanager
    def _counting_lost(self) -> Generator[None]:
        """Around what takes a file."""
        try:
            yield
        except ValidationError:
            raise
        except (ValueError, OSError, NotAttached) as problem:
            self.lose(problem)

    def lose(self, problem: Exception) -> None:
        """Note that a file cannot be kept, so that its person is told."""
        said = getattr(problem, "strerror", None) or type(problem).__name__
        log.warning("file.left_out", extra={"problem": said})
        unkept = isinstance(problem, OSError)
        self.unkept, self.left_out = self.unkept + unkept, self.left_out + (not unkept)

    def keep(self, body: bytes, name: str, mime: str = UNKNOWN, caption: str = "") -> OutFile:
        """Keep a file's bytes until it is delivered. Blocking.

        Raises:
            NotAttached: it is empty or too large.
            OSError: it cannot be written.
        """
        if not body:
            raise NotAttached("The file is empty.")
        if len(body) > LARGEST:
            raise NotAttached(f"The file is too large: at most {LARGEST >> 20} MiB can be sent.")
        told = mime_of(Media(kind="document", file_id="", name=name)) if mime == UNKNOWN else mime
        mime = mime_by_content(body[:HEAD_BYTES], told)
        kind = kind_of(mime, len(body), pixels_of(body), moving=moves(body), opus=is_opus(body))
        if kind != "document" and mime_by_content(body[:HEAD_BYTES], UNKNOWN) == TEXT:
            # The page of an error, saved as a film.
            kind, mime = "document", TEXT
        about = OutFile(
            kind=kind,
            name=name_of(name, mime, len(self.files) + 1),
            caption=within(clean(caption), _CAPTION),
        )
        return self._room.keep(self.folder, body, about)


@dataclass(slots=True)
class _Attached:
    """Of one tool call."""

    files: list[OutFile] = field(default_factory=list[OutFile])
    over: bool = False
    """The call has ended: a thread that it left behind adds nothing."""


files_of_turn: ContextVar[FilesOut | None] = ContextVar("files_of_turn", default=None)
_attached: ContextVar[_Attached | None] = ContextVar("_attached", default=None)
"""What the tool call that runs has attached."""


def title_of(block: ResourceLink) -> str:
    """What a link is called."""
    return on_one_line(block.title or block.name)[:_LONGEST_TITLE]


def _is_for_model(block: ContentBlock) -> bool:
    audience = getattr(getattr(block, "annotations", None), "audience", None)
    return bool(audience) and "user" not in audience


def attach(file: str | Path | bytes | bytearray | memoryview, name: str = "", caption: str = "") -> str:
    """Send a file to the chat with the turn's answer: as a photo, sound, film or document, by its content.

    It blocks while it reads and writes; from an async tool call it with ``asyncio.to_thread``.

    Args:
        file: A path, or the bytes. An address of the web is none: what stands there is not fetched.
        name: What the chat sees as its name; by default the path's.
        caption: A line below it, of 1,024 characters at most.

    Returns:
        A sentence for the model: that it is sent, or why it is not.

    Raises:
        Misconfigured: no tool call of Cohort is running here.
    """
    out, attached = files_of_turn.get(), _attached.get()
    if out is None or attached is None:
        raise Misconfigured("attach only works inside a tool call of Cohort")
    if attached.over:
        return "Not sent: the tool call has ended."
    if len(out.files) + out.promised >= MOST:
        out.left_out += 1
        return f"Not sent: at most {MOST} files are sent with one answer."
    try:
        body, own = (_read(Path(file)), Path(file).name) if isinstance(file, str | Path) else (bytes(file), "")
    except (OSError, ValueError):  # a path with NUL or half a surrogate pair in it
        address = isinstance(file, str) and "://" in file
        return f"Not sent: {'attach takes a path or bytes, no address.' if address else 'the file cannot be read.'}"
    try:
        kept_file = out.keep(body, name or own, caption=caption)
    except NotAttached as problem:
        return f"Not sent: {problem}"
    except OSError as problem:
        out.lose(problem)
        return "Not sent: this machine could not keep the file; its disk may be full."
    attached.files.append(kept_file)
    out.promised += 1
    cut = f" Its caption is cut at {_CAPTION} characters." if utf16(caption) > _CAPTION else ""
    return f"{kept_file.name} is sent to the chat with the answer.{cut}"


def _read(path: Path) -> bytes:
    """A file, as far as it shows that it is too large."""
    with path.open("rb") as opened:
        return opened.read(LARGEST + 1)


@contextmanager
def attaching() -> Generator[list[OutFile]]:
    """Around a tool call: what it attaches. Of one that is ended nothing is sent; a function's error is a result."""
    attached = _Attached()
    token = _attached.set(attached)
    try:
        yield attached.files
    except BaseException:
        if (out := files_of_turn.get()) is not None:
            out.promised = max(0, out.promised - len(attached.files))
            remove(out.folder, attached.files)
        raise
    finally:
        attached.over = True
        _attached.reset(token)


def with_attached(result: CallToolResult, files: Sequence[OutFile]) -> CallToolResult:
    """A result with what its call attached. A note of that name that is not ours goes: a server may have written it."""
    blocks = [_without_note(block) for block in result.content]
    blocks += [
        TextContent(type="text", text=SENT.format(file.name), _meta={FILE_META: file.model_dump(exclude_defaults=True)})
        for file in files
    ]
    return result.model_copy(update={"content": blocks})


def _without_note(block: ContentBlock) -> ContentBlock:
    if FILE_META not in (block.meta or {}):
        return block
    notes = {name: note for name, note in (block.meta or {}).items() if name != FILE_META}
    return block.model_copy(update={"meta": notes})
