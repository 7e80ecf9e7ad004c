"""What a model is told of the files and links that a tool gave."""

from collections.abc import Sequence

from mcp_types import CallToolResult, ResourceLink, TextContent

from workers.runtime.tools.files_out import SENT, title_of


def told(result: CallToolResult, names: Sequence[str]) -> CallToolResult:
    """A result that says to the model which of its files the person got, and where its links lead.

    Of a link, a model that reads no documents is given nothing else.
    """
    said = {block.text for block in result.content if isinstance(block, TextContent)}
    links = (f"[link: {title_of(block)} {block.uri}]" for block in result.content if isinstance(block, ResourceLink))
    lines = [line for line in (*map(SENT.format, names), *links) if line not in said]
    notes = [TextContent(type="text", text=line) for line in lines]
    return result.model_copy(update={"content": [*result.content, *notes]}) if notes else result
