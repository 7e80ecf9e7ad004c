"""From a session's messages to one user turn for the model, and back from references to files."""

import asyncio
import base64
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fast_agent.types import PromptMessageExtended
from mcp_types import BlobResourceContents, ContentBlock, EmbeddedResource, ImageContent, TextContent

from tasks.envelope import Inbound, Media
from tasks.errors import Terminal
from workers.ports import MediaSource

MEDIA_KEY = "cohort.media"
"""Where a block made of a file keeps the file's name at Telegram (in the block's ``_meta``)."""

# A text file that fills a context window alone is cut; 100,000 characters are some 25,000 tokens.
TEXT_FILE_CHARS = 100_000
_DEFAULT_MIME = {
    "photo": "image/jpeg",
    "sticker": "image/webp",
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "video_note": "video/mp4",
    "animation": "video/mp4",
}
_TEXT_MIME = frozenset({"application/json", "application/xml", "application/x-yaml", "application/javascript"})
NO_FILES = "I cannot open files here, so I only read your words."


@dataclass(slots=True)
class UserTurn:
    """What goes to the model, and what the user must be told about it."""

    message: PromptMessageExtended
    notices: list[str] = field(default_factory=list)


def neutral(text: str) -> str:
    """Text that fast-agent cannot take for a control word: those start with three stars."""
    return f" {text}" if text.startswith("***") else text


def text_block(text: str, meta: dict[str, Any] | None = None) -> TextContent:
    """The only place where words of users become a text block."""
    return TextContent(type="text", text=neutral(text), _meta=meta)


def mime_of(media: Media) -> str:
    """The file's type as Telegram said, else by its name, else by its kind."""
    guess = mimetypes.guess_type(media.name or "")[0]
    return media.mime or guess or _DEFAULT_MIME.get(media.kind, "application/octet-stream")


def label(media: Media) -> str:
    """How a file is called in a conversation: ``[document report.pdf]``."""
    return f"[{media.kind.replace('_', ' ')}{f' {media.name}' if media.name else ''}]"


def _words(inbound: Inbound) -> str:
    """The message's words, with what it answers and, in a group, who says them."""
    parts: list[str] = []
    if inbound.quote:
        quoted = "\n".join(f"> {line}" for line in inbound.quote.splitlines())
        parts.append(f"(in reply to)\n{quoted}\n")
    text = inbound.text
    if inbound.kind == "reminder":
        parts.append("(a reminder that was asked for earlier is due now; pass it on)")
    if inbound.chat_type != "private" and inbound.sender is not None:
        name = inbound.sender.name or inbound.sender.username or str(inbound.sender.id)
        # A name is the sender's choice: without line ends it cannot pass for somebody else's message.
        text = f"{' '.join(name.split())}: {text}"
    parts.append(text)
    return "\n".join(parts)


async def user_turn(messages: Sequence[Inbound], source: MediaSource | None) -> UserTurn:
    """One user message of all that is to be answered, files included.

    Raises:
        Retryable: Telegram did not hand out a file.
    """
    turn = UserTurn(PromptMessageExtended(role="user", content=[]))
    blocks: list[ContentBlock] = []
    for inbound in messages:
        words = _words(inbound)
        if words.strip():
            blocks.append(text_block(words))
        for media in inbound.media:
            blocks.extend(await file_blocks(media, source, turn.notices))
    turn.message.content = blocks or [text_block("(an empty message)")]
    return turn


async def file_blocks(media: Media, source: MediaSource | None, notices: list[str]) -> list[ContentBlock]:
    """A file as blocks for the model: its name, and its content where it can be had.

    Raises:
        Retryable: Telegram did not answer.
    """
    meta = {MEDIA_KEY: media.model_dump(mode="json", exclude_defaults=True)}
    if source is None:
        if NO_FILES not in notices:
            notices.append(NO_FILES)
        return [text_block(label(media), meta)]
    try:
        path = await source.fetch(media)
    except Terminal as problem:
        notices.append(str(problem))
        return [text_block(label(media), meta)]
    content = await asyncio.to_thread(_content, path, media, meta)
    return [text_block(label(media)), content] if media.name else [content]


def _content(path: Path, media: Media, meta: dict[str, Any]) -> ContentBlock:
    """Read the file (in a thread)."""
    mime = mime_of(media)
    if mime.startswith("text/") or mime in _TEXT_MIME:
        text = path.read_bytes()[: TEXT_FILE_CHARS * 4].decode(errors="replace")
        cut = "\n[cut here]" if len(text) > TEXT_FILE_CHARS else ""
        return text_block(text[:TEXT_FILE_CHARS] + cut, meta)
    data = base64.b64encode(path.read_bytes()).decode()
    if mime.startswith("image/"):
        return ImageContent(type="image", data=data, mime_type=mime, _meta=meta)
    resource = BlobResourceContents(uri=f"telegram://file/{media.unique_id or 'file'}", mime_type=mime, blob=data)
    return EmbeddedResource(type="resource", resource=resource, _meta=meta)


def media_of(block: ContentBlock) -> Media | None:
    """The file a block was made of, if it was."""
    meta: dict[str, Any] = getattr(block, "meta", None) or {}
    return Media.model_validate(meta[MEDIA_KEY]) if MEDIA_KEY in meta else None
