"""Blocks that no standard of Markdown knows, as blocks of Markdown that show the same (pure)."""

from workers.telegram.markdown.containers import as_quotes
from workers.telegram.markdown.html.blocks import without_frames


def plain_blocks(source: str, *, grows: bool = False) -> str:
    """A text with them in Markdown. ``grows``: what has no end yet is read as what it becomes."""
    return without_frames(as_quotes(source, grows=grows), grows=grows)
