"""Names of the files in results of MCP servers: the client takes `file:` addresses away, and the names with them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from mcp_types import CallToolResult, ContentBlock, EmbeddedResource

from workers.runtime.tools.files_out import NAME_META


def named(original: Callable[..., CallToolResult]) -> Callable[..., CallToolResult]:
    """``MCPClientConnection._sanitize_call_tool_result``: an address that is taken away leaves its last part."""

    def _sanitize_call_tool_result(self: Any, result: CallToolResult) -> CallToolResult:
        safe = original(self, result)
        if safe is result:
            return result
        content = [_named(new, old) for new, old in zip(safe.content, result.content, strict=True)]
        return safe.model_copy(update={"content": content})

    return _sanitize_call_tool_result


def _named(new: ContentBlock, old: ContentBlock) -> ContentBlock:
    if new is old or not isinstance(new, EmbeddedResource) or not isinstance(old, EmbeddedResource):
        return new
    try:
        name = urlsplit(str(old.resource.uri).strip()).path.rpartition("/")[2]
    except ValueError:
        return new
    return new.model_copy(update={"meta": {**(new.meta or {}), NAME_META: name}})
