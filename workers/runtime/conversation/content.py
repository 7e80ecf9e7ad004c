"""From a session's messages to one user turn for the model, and back from references to files."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fast_agent.types import PromptMessageExtended
from mcp_types import BlobResourceContents, ContentBlock, EmbeddedResource, ImageContent, TextContent

from tasks.envelope import Inbound, Media
from tasks.errors import Retryable, Terminal
from tasks.text import clean
from workers.interfaces import MediaSource
from workers.runtime.conversation.documents import DocumentReader, is_document
from workers.runtime.conversation.file_budget import FileAllowance, FileBudget, encoded
from workers.runtime.conversation.file_types import (
    HEAD_BYTES,
    UNKNOWN,
    cannot,
    decoded,
    is_text,
    mime_by_content,
    mime_of,
)
from workers.runtime.conversation.frames import (
    USER_TAG,
    body,
    closing,
    introduction,
    label,
    opening,
    overheard,
    text_file,
    transcript,
)
from workers.runtime.conversation.hearing import Hearing, is_recording
from workers.runtime.conversation.stored import MEDIA_KEY

TEXT_FILE_CHARS = 100_000
"""A longer text file is cut: 100,000 characters are some 25,000 tokens."""
_TEXT_BYTES = TEXT_FILE_CHARS * 4
TRANSCRIPT_KEY = "cohort.transcript"
"""Key in the ``_meta`` of a block that says what a recording says: it stays as it is in the history."""
FILES_KEPT_OPEN = 4
"""The last files of a history are sent again with each turn; older ones by name, as an image costs a page of text."""
NO_FILES = "I can't open files here, so I only read your text."


def neutral(text: str) -> str:
    """Change text that fast-agent would take for a control word: these start with three stars."""
    return f" {text}" if text.startswith("***") else text


def text_block(text: str, meta: dict[str, Any] | None = None) -> TextContent:
    """Make a text block. Text of users becomes a block here only."""
    return TextContent(type="text", text=neutral(text), _meta=meta)


class ModelFiles:
    """Opens files for one model. A file is fetched only if the model reads its type; text files are sent as text."""

    def __init__(  # noqa: PLR0913 - what opens files of each kind, and how many
        self,
        source: MediaSource | None,
        reads: Callable[[str], bool],
        budget: FileBudget,
        share: FileAllowance,
        *,
        documents: DocumentReader | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        """Open files within a turn's allowance.

        Args:
            source: Telegram's files; None opens no file.
            reads: Tells whether the model reads a MIME type.
            budget: The worker's.
            share: What this turn may still open.
            documents: Reads office files for models that do not; None leaves them names.
            hearing: Writes down recordings that the model does not hear; None leaves them names.
        """
        self._source = source
        self._reads = reads
        self._budget = budget
        self._share = share
        self._documents = documents
        self._hearing = hearing
        self.notices: list[str] = []

    async def blocks(self, media: Media) -> list[ContentBlock]:
        """Make blocks of a file: its name, and its content if it can be opened.

        Raises:
            Retryable: Telegram did not answer.
        """
        meta = _meta(media)
        content = await self._content(media, meta)
        if content is None:
            return [named(media)]
        if isinstance(content, TextContent) or not (media.name or media.caption):
            return [content]
        return [text_block(label(media)), content]

    async def _content(self, media: Media, meta: dict[str, Any]) -> ContentBlock | None:
        if self._source is None:
            self._tell(NO_FILES)
        elif not _worth_opening(media, self._reads, hears=self._hearing is not None):
            self._tell(cannot(media, mime_of(media), self._reads))
        elif not self._share.try_one(weight(media, 0)):
            self._tell(self._share.why_not)
        else:
            try:
                return await self._opened(await self._source.fetch(media), media, meta)
            except Terminal as problem:
                self._tell(str(problem))
        return None

    async def _opened(self, path: Path, media: Media, meta: dict[str, Any]) -> ContentBlock | None:
        # The size and the type that Telegram states are only hints.
        size, mime = await asyncio.to_thread(_looked_at, path, media)
        document = self._documents if not self._reads(mime) and is_document(mime, size) else None
        reads = is_text(mime) or self._reads(mime) or document is not None
        heard = self._hearing if not reads and is_recording(media, mime) else None
        if not reads and heard is None:
            self._tell(cannot(media, mime, self._reads))
            return None
        if not self._share.take(min(size, _TEXT_BYTES) if is_text(mime) or document is not None else size):
            self._tell(self._share.why_not)
            return None
        if document is not None:
            text = await document.text(path, TEXT_FILE_CHARS + 1)
            return text_block(text_file(media, text[:TEXT_FILE_CHARS], cut=len(text) > TEXT_FILE_CHARS), meta)
        if heard is not None:
            words = await heard.words(path, media)
            return text_block(transcript(media, words), {**meta, TRANSCRIPT_KEY: True})
        async with self._budget.encoding():
            return await asyncio.to_thread(_read, path, mime, media, meta)

    def _tell(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.append(notice)


def weight(media: Media, unknown: int) -> int:
    """Bytes that a file takes when it is opened; ``unknown`` if Telegram does not state its size."""
    size = media.size_bytes or unknown
    return min(size, _TEXT_BYTES) if is_text(mime_of(media)) else size


def _worth_opening(media: Media, reads: Callable[[str], bool], *, hears: bool = False) -> bool:
    """Whether a file is fetched: the model reads its type, or it is a small one of no known type and may be text.

    With ``hears`` a recording is, too: it is written down.
    """
    mime = mime_of(media)
    small = media.size_bytes is not None and media.size_bytes <= _TEXT_BYTES
    opens = is_text(mime) or reads(mime) or is_document(mime, 0)
    return opens or (mime == UNKNOWN and small) or (hears and is_recording(media, mime))


def weigh(
    messages: Sequence[Inbound],
    past: Sequence[PromptMessageExtended],
    reads: Callable[[str], bool],
    unknown: int,
    *,
    hears: bool = False,
) -> int:
    """Bytes of all files that a turn would open: those of its messages, and the last few of its history."""
    new = [media for inbound in messages for media in inbound.media]
    opened = [media for media in new if _worth_opening(media, reads, hears=hears)]
    opened += [media for media in _files_in(past)[-FILES_KEPT_OPEN:] if _worth_opening(media, reads)]
    return sum(weight(media, unknown) for media in opened)


def _files_in(messages: Sequence[PromptMessageExtended]) -> list[Media]:
    return [media for message in messages for block in message.content if (media := _closed(block)) is not None]


async def user_turn(
    messages: Sequence[Inbound], files: ModelFiles, past: Sequence[PromptMessageExtended] | None = None
) -> PromptMessageExtended:
    """Make one user message of all messages to answer, with their files.

    Args:
        messages: What people wrote.
        files: Opens their files.
        past: What the model reads before it. Where it does not say who writes, the message does. None: it does.

    Raises:
        Retryable: Telegram did not hand out a file.
    """
    blocks: list[ContentBlock] = []
    for inbound in messages:
        files_of_it = [block for media in inbound.media for block in await files.blocks(media)]
        blocks.extend(_said(inbound, files_of_it))
    if past is not None and (told := _introduction(messages, past)):
        first = blocks[0] if blocks else None
        if isinstance(first, TextContent) and media_of(first) is None:
            blocks[0] = text_block(f"{told}\n{first.text}")
        else:
            blocks.insert(0, text_block(told))
    return PromptMessageExtended(role="user", content=blocks or [text_block("(an empty message)")])


def _introduction(messages: Sequence[Inbound], past: Sequence[PromptMessageExtended]) -> str:
    """Who writes, unless the conversation says so already."""
    line = next((told for inbound in messages if (told := introduction(inbound))), "")
    texts = (block.text for message in reversed(past) for block in message.content if isinstance(block, TextContent))
    last = next((text for text in texts if text.startswith(USER_TAG)), "") if line else ""
    return "" if last.partition("\n")[0] == line else line


def user_turn_by_names(messages: Sequence[Inbound]) -> PromptMessageExtended:
    """The same without opening files, as a history holds it."""
    blocks = [block for inbound in messages for block in _said(inbound, [*map(named, inbound.media)])]
    return PromptMessageExtended(role="user", content=blocks or [text_block("(an empty message)")])


def named(media: Media) -> ContentBlock:
    """A file by its name; it can be opened again."""
    return text_block(label(media), _meta(media))


def _meta(media: Media) -> dict[str, Any]:
    return {MEDIA_KEY: media.model_dump(mode="json", exclude_defaults=True)}


def _said(inbound: Inbound, files: list[ContentBlock]) -> list[ContentBlock]:
    """Make blocks of a message; its files stand within its frame."""
    words, end = overheard(inbound) + opening(inbound) + body(inbound), closing(inbound)
    if not files:
        words, end = words + end, ""
    said: list[ContentBlock] = [text_block(words)] if words.strip() else []
    return [*said, *files, *([text_block(end)] if end else [])]


async def with_files(messages: list[PromptMessageExtended], files: ModelFiles) -> list[PromptMessageExtended]:
    """Open the last few files of a stored history again; a file that cannot be opened stays a name."""
    places = [
        (number, place, media)
        for number, message in enumerate(messages)
        for place, block in enumerate(message.content)
        if (media := _closed(block)) is not None
    ]
    opened = list(messages)
    # The newest first: if there is not room for all, the user most likely asks about that one.
    for number, place, media in reversed(places[-FILES_KEPT_OPEN:]):
        try:
            *_, content = await files.blocks(media)
        except Retryable:
            continue
        blocks = list(opened[number].content)
        blocks[place] = content
        opened[number] = opened[number].model_copy(update={"content": blocks})
    return opened


def _looked_at(path: Path, media: Media) -> tuple[int, str]:
    """The file's size, and its type by its content (in a thread)."""
    with path.open("rb") as file:
        return path.stat().st_size, mime_by_content(file.read(HEAD_BYTES), mime_of(media))


def _read(path: Path, mime: str, media: Media, meta: dict[str, Any]) -> ContentBlock:
    """Read the file (in a thread)."""
    if is_text(mime):
        with path.open("rb") as file:
            text = clean(decoded(file.read(_TEXT_BYTES)))
        return text_block(text_file(media, text[:TEXT_FILE_CHARS], cut=len(text) > TEXT_FILE_CHARS), meta)
    data = encoded(path)
    if mime.startswith("image/"):
        return ImageContent(type="image", data=data, mime_type=mime, _meta=meta)
    resource = BlobResourceContents(uri=f"telegram://file/{media.unique_id or 'file'}", mime_type=mime, blob=data)
    return EmbeddedResource(type="resource", resource=resource, _meta=meta)


def _closed(block: ContentBlock) -> Media | None:
    """The file that a block of a history stands for and can be opened as; what a recording says is there already."""
    return None if is_transcript(block) else media_of(block)


def is_transcript(block: ContentBlock) -> bool:
    """Whether a block says what a recording says."""
    return TRANSCRIPT_KEY in (getattr(block, "meta", None) or {})


def media_of(block: ContentBlock) -> Media | None:
    """The file that a block was made of; None for other blocks."""
    meta: dict[str, Any] = getattr(block, "meta", None) or {}
    return Media.model_validate(meta[MEDIA_KEY]) if MEDIA_KEY in meta else None
