"""What MCP servers write: a text with half a surrogate pair, which JavaScript makes by cutting one, fails no message.

The client refuses the whole message then, and the call waits for its answer until its time is over.
"""

import sys
from typing import Any

import mcp_types

from workers.runtime.escapes import mended

_NAME = "jsonrpc_message_adapter"
_CLIENTS = ("mcp.client.stdio", "mcp.client.sse", "mcp.client.streamable_http")


class Mended:
    """The client's reader of messages, given whole text."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def validate_json(self, data: str | bytes | bytearray, **kwargs: Any) -> Any:
        """A message of JSON."""
        text = data if isinstance(data, str) else data.decode(errors="replace")
        return self._adapter.validate_json(mended(text), **kwargs)


def install() -> None:
    """In the clients that are loaded, by both names that they use. Cheap to call again."""
    for holder in (mcp_types, *(sys.modules[name] for name in _CLIENTS if name in sys.modules)):
        adapter = vars(holder).get(_NAME)
        if adapter is not None and not isinstance(adapter, Mended):
            setattr(holder, _NAME, Mended(adapter))
