"""The files of a stored history, which holds their names: the last few are opened again for the model."""

from collections.abc import Sequence
from contextlib import suppress

from fast_agent.types import PromptMessageExtended
from mcp_types import ContentBlock, TextContent

from tasks.envelope import Media
from tasks.errors import Retryable
from workers.runtime.conversation.content import (
    FILES_KEPT_OPEN,
    SOUND_ALONE,
    ModelFiles,
    closed_file,
    media_of,
    named,
    text_block,
)
from workers.runtime.conversation.message_tags import label


async def with_files(
    messages: list[PromptMessageExtended], files: ModelFiles, most: int = FILES_KEPT_OPEN
) -> list[PromptMessageExtended]:
    """Open the last few files of a stored history again; a file that cannot be opened stays a name."""
    places = [
        (number, place, media)
        for number, message in enumerate(messages)
        for place, block in enumerate(message.content)
        if (media := closed_file(block)) is not None
    ]
    opened = list(messages)
    # The newest first: if there is not room for all, the user most likely asks about that one.
    for newer, (number, place, media) in enumerate(reversed(places)):
        blocks: list[ContentBlock] = [named(media)]
        if newer < most:
            with suppress(Retryable):
                blocks = await files.blocks(media)
        content = opened[number].content
        before = _without_label(content[:place], media)
        opened[number] = opened[number].model_copy(update={"content": [*before, *blocks, *content[place + 1 :]]})
    return opened


def _without_label(blocks: Sequence[ContentBlock], media: Media) -> list[ContentBlock]:
    """What stands before a file, without the name that it had while it was open: its block has one, or is one."""
    before, last = list(blocks[:-1]), next(reversed(blocks), None)
    if isinstance(last, TextContent) and media_of(last) is None:
        for name in (label(media), label(media, **SOUND_ALONE)):
            if last.text == name:
                return before
            if last.text.endswith(f"\n{name}"):
                return [*before, text_block(last.text.removesuffix(f"\n{name}"), last.meta)]
    return list(blocks)
