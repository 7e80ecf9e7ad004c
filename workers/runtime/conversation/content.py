"""From a session's messages to one user turn for the model, and back from references to files."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fast_agent.types import PromptMessageExtended
from mcp_types import BlobResourceContents, ContentBlock, EmbeddedResource, ImageContent, TextContent

from tasks.envelope import Inbound, Media
from tasks.errors import Terminal
from tasks.text import clean
from workers.interfaces import MediaSource
from workers.runtime.conversation.documents import DocumentReader, is_document
from workers.runtime.conversation.file_budget import FileAllowance, FileBudget, encoded
from workers.runtime.conversation.file_types import (
    HEAD_BYTES,
    cannot,
    is_recording,
    is_text,
    mime_by_content,
    mime_of,
)
from workers.runtime.conversation.hearing import Hearing
from workers.runtime.conversation.message_tags import (
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
from workers.runtime.conversation.numbers import as_read, numbered
from workers.runtime.conversation.sounds import WAV, NotConverted
from workers.runtime.conversation.stored import MEDIA_KEY
from workers.runtime.conversation.text_encoding import decoded
from workers.runtime.conversation.weighing import TEXT_BYTES, TEXT_FILE_CHARS, Opens

SPOKEN = ("voice", "video_note")
TRANSCRIPT_KEY = "cohort.transcript"
"""Key in the ``_meta`` of a block that says what a recording says: it stays as it is in the history."""
FILES_KEPT_OPEN = 4
"""The last files of a history are sent again with each turn; older ones by name, as an image costs a page of text."""
SOUND_ALONE = {"note": "only its sound follows"}
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
        opens: Opens,
        budget: FileBudget,
        share: FileAllowance,
        *,
        documents: DocumentReader | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        """Open files within a turn's allowance.

        Args:
            source: Telegram's files; None opens no file.
            opens: What is made of them.
            budget: The worker's.
            share: What this turn may still open.
            documents: Reads office files for models that do not; None leaves them names.
            hearing: Writes down recordings that the model does not hear; None leaves them names.
        """
        self._source = source
        self._opens = opens
        self._reads = opens.reads
        self._budget = budget
        self._share = share
        self._documents = documents
        self._hearing = hearing
        self.notices: list[str] = []
        self.unread: set[str] = set()
        """Those among them about kinds of files that the model does not read."""

    async def blocks(self, media: Media) -> list[ContentBlock]:
        """Make blocks of a file: its name, and its content if it can be opened.

        Raises:
            Retryable: Telegram did not answer.
        """
        meta, told = _meta(media), len(self.notices)
        content = await self._content(media, meta)
        if content is None:
            if media.kind == "sticker" or media.ours:
                # A sticker's emoji stands in the text; of a file that the bot sent it was not asked to read it.
                del self.notices[told:]
            return [named(media)]
        # Of a film that a model cannot see it is told that there was one.
        note = SOUND_ALONE if media.kind == "video_note" and _is_wav(content) else {}
        if isinstance(content, TextContent) or not (media.name or media.caption or note):
            return [content]
        return [text_block(label(media, **note)), content]

    async def _content(self, media: Media, meta: dict[str, Any]) -> ContentBlock | None:
        if self._source is None:
            self._tell(NO_FILES)
        elif not self._opens.worth(media):
            self._unread(media, mime_of(media))
        elif not self._share.try_one(stated := self._opens.weight(media, 0)):
            self._tell(self._share.why_not(stated))
        else:
            try:
                return await self._opened(await self._source.fetch(media), media, meta)
            except Terminal as problem:
                self._tell(str(problem))
        return None

    async def _opened(self, path: Path, media: Media, meta: dict[str, Any]) -> ContentBlock | None:
        # The size and the type that Telegram states are only hints.
        size, mime = await asyncio.to_thread(_looked_at, path, media)
        sounds = self._opens.sounds
        if sounds is not None and sounds.converts(media, mime, self._reads):
            try:
                path = await sounds.wav(path, media)
            except NotConverted:
                # What writes recordings down may still know the format.
                if self._hearing is None:
                    raise
            else:
                size, mime = (await asyncio.to_thread(path.stat)).st_size, WAV
        document = self._documents if not self._reads(mime) and is_document(mime, size) else None
        reads = is_text(mime) or self._reads(mime) or document is not None
        heard = self._hearing if not reads and is_recording(media, mime) else None
        if not reads and heard is None:
            self._unread(media, mime)
            return None
        size = min(size, TEXT_BYTES) if is_text(mime) or document is not None else size
        if not self._share.take(size):
            self._tell(self._share.why_not(size))
            return None
        if document is not None:
            text = await document.text(path, TEXT_FILE_CHARS + 1)
            return text_block(text_file(media, text[:TEXT_FILE_CHARS], cut=len(text) > TEXT_FILE_CHARS), meta)
        if heard is not None:
            words = await heard.words(path, media)
            return text_block(transcript(media, words), {**meta, TRANSCRIPT_KEY: True})
        async with self._budget.encoding():
            return await asyncio.to_thread(_read, path, mime, media, meta)

    def _unread(self, media: Media, mime: str) -> None:
        notice = cannot(media, mime, self._reads)
        self.unread.add(notice)
        self._tell(notice)

    def _tell(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.append(notice)


def weigh(new: Sequence[Media], past: Sequence[PromptMessageExtended], opens: Opens, unknown: int) -> int:
    """Bytes of all files that a turn would open: those of its messages, and the last few of its history."""
    past_ones = replace(opens, hears=False).weigh(files_in(past)[-FILES_KEPT_OPEN:], unknown)
    return opens.weigh(new, unknown) + past_ones


def files_in(messages: Sequence[PromptMessageExtended]) -> list[Media]:
    """The files of a history's messages, as they can be opened again."""
    return [media for message in messages for block in message.content if (media := closed_file(block)) is not None]


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
    for inbound in messages if past is None else as_read(messages, past):
        files_of_it = [block for media in inbound.media for block in await files.blocks(media)]
        blocks.extend(_said(inbound, files_of_it))
    if past is not None and (told := _introduction(messages, past)):
        first = blocks[0] if blocks else None
        if isinstance(first, TextContent) and media_of(first) is None:
            blocks[0] = text_block(f"{told}\n{first.text}")
        else:
            blocks.insert(0, text_block(told))
    return _of_people(messages, blocks)


def _introduction(messages: Sequence[Inbound], past: Sequence[PromptMessageExtended]) -> str:
    """Who writes, unless the conversation says so already."""
    line = next((told for inbound in messages if (told := introduction(inbound))), "")
    texts = (block.text for message in reversed(past) for block in message.content if isinstance(block, TextContent))
    last = next((text for text in texts if text.startswith(USER_TAG)), "") if line else ""
    return "" if last.partition("\n")[0] == line else line


def user_turn_by_names(
    messages: Sequence[Inbound], past: Sequence[PromptMessageExtended] = ()
) -> PromptMessageExtended:
    """The same without opening files, as a history holds it."""
    read = as_read(messages, past)
    return _of_people(messages, [block for inbound in read for block in _said(inbound, [*map(named, inbound.media)])])


def _of_people(messages: Sequence[Inbound], blocks: list[ContentBlock]) -> PromptMessageExtended:
    said = PromptMessageExtended(role="user", content=blocks or [text_block("(an empty message)")])
    return numbered(said, (number for inbound in messages for number in (inbound.message_id, *inbound.parts)))


def named(media: Media) -> ContentBlock:
    """A file by its name; it can be opened again."""
    return text_block(label(media), _meta(media))


def _meta(media: Media) -> dict[str, Any]:
    return {MEDIA_KEY: media.model_dump(mode="json", exclude_defaults=True)}


def _said(inbound: Inbound, files: list[ContentBlock]) -> list[ContentBlock]:
    """Make blocks of a message; its files stand within its tag."""
    words, end = overheard(inbound) + opening(inbound) + body(inbound), closing(inbound)
    if not files:
        words, end = words + end, ""
    said: list[ContentBlock] = [text_block(words)] if words.strip() else []
    return [*said, *files, *([text_block(end)] if end else [])]


def _looked_at(path: Path, media: Media) -> tuple[int, str]:
    """The file's size, and its type by its content (in a thread)."""
    with path.open("rb") as file:
        return path.stat().st_size, mime_by_content(file.read(HEAD_BYTES), mime_of(media))


def _read(path: Path, mime: str, media: Media, meta: dict[str, Any]) -> ContentBlock:
    """Read the file (in a thread)."""
    if is_text(mime):
        with path.open("rb") as file:
            text = clean(decoded(file.read(TEXT_BYTES)))
        return text_block(text_file(media, text[:TEXT_FILE_CHARS], cut=len(text) > TEXT_FILE_CHARS), meta)
    data = encoded(path)
    if mime.startswith("image/"):
        return ImageContent(type="image", data=data, mime_type=mime, _meta=meta)
    resource = BlobResourceContents(uri=f"telegram://file/{media.unique_id or 'file'}", mime_type=mime, blob=data)
    return EmbeddedResource(type="resource", resource=resource, _meta=meta)


def _is_wav(block: ContentBlock) -> bool:
    return isinstance(block, EmbeddedResource) and block.resource.mime_type == WAV


def closed_file(block: ContentBlock) -> Media | None:
    """The file that a block of a history stands for and can be opened as; what a recording says is there already."""
    return None if is_transcript(block) else media_of(block)


def is_transcript(block: ContentBlock) -> bool:
    """Whether a block says what a recording says."""
    return TRANSCRIPT_KEY in (getattr(block, "meta", None) or {})


def is_spoken(message: PromptMessageExtended) -> bool:
    """Whether one of its files is a spoken message."""
    return any(media.kind in SPOKEN for block in message.content if (media := media_of(block)) is not None)


def media_of(block: ContentBlock) -> Media | None:
    """The file that a block was made of; None for other blocks."""
    meta: dict[str, Any] = getattr(block, "meta", None) or {}
    return Media.model_validate(meta[MEDIA_KEY]) if MEDIA_KEY in meta else None
