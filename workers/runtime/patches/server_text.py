"""What MCP servers write: a text with half a surrogate pair, which JavaScript makes by cutting one, fails no message.

The client refuses the whole message then, and the call waits for its answer until its time is over. What is no message
at all (a server that prints to where its messages go) the client logs with a traceback a line, words and all; here it
is counted, and logged without its words every now and then.
"""

import logging
from time import monotonic
from typing import Any

from workers.runtime.streams.escapes import mended

log = logging.getLogger("cohort.runtime")

_SAY_EVERY_S = 60.0


class Mended:
    """The client's reader of messages, given whole text."""

    def __init__(self, adapter: Any) -> None:
        # It logs each line that is no message, words and all.
        logging.getLogger("mcp.client").setLevel(logging.CRITICAL)
        self._adapter = adapter
        self._said_at = float("-inf")
        self._unsaid = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def validate_json(self, data: str | bytes | bytearray, **kwargs: Any) -> Any:
        """A message of JSON."""
        text = data if isinstance(data, str) else data.decode(errors="replace")
        try:
            return self._adapter.validate_json(mended(text), **kwargs)
        except ValueError:
            self._note()
            raise

    def _note(self) -> None:
        self._unsaid += 1
        if monotonic() - self._said_at >= _SAY_EVERY_S:
            log.warning("server.wrote_no_message", extra={"lines": self._unsaid})
            self._said_at, self._unsaid = monotonic(), 0
