"""How many notices of an MCP server are read: one that tells of each step of 20,000 keeps a worker busy for seconds."""

import json
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

_BURST = 64
_A_SECOND = 20.0
"""A person sees a few a second; nothing else reads them."""
_NOTICES = "notifications/"
_MARK = b'"notifications/'
_CHANGED = frozenset({f"{_NOTICES}{of}/list_changed" for of in ("tools", "prompts", "resources")})
_ALWAYS = _CHANGED | {f"{_NOTICES}cancelled", f"{_NOTICES}elicitation/complete", f"{_NOTICES}tasks/status"}
"""What the client acts on."""
_LONGEST = 2**16
"""Bytes of a notice that is looked at as one."""


class NoticeBudget:
    """Of one connection. What is shown at most (progress, log lines, unknown notices) is dropped beyond the measure."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._left = float(_BURST)
        self._at = now()

    def passes(self, method: Any) -> bool:
        """Whether a notice of this name is read."""
        if method in _ALWAYS:
            return True
        now = self._now()
        self._left = min(self._left + (now - self._at) * _A_SECOND, float(_BURST))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def read(self, lines: Iterable[bytes]) -> list[bytes]:
        """The messages to pass on, of those that came at once: of lists that changed, the first says it for all."""
        changed = set[str]()
        return [line for line in lines if _MARK not in line or self._passes_line(line, changed)]

    def _passes_line(self, line: bytes, changed: set[str]) -> bool:
        if len(line) > _LONGEST:
            return True
        try:
            said: Any = json.loads(line)
        except ValueError:
            return True
        method: Any = said.get("method") if type(said) is dict and "id" not in said else None
        if type(method) is not str or not method.startswith(_NOTICES):
            return True
        if method in _CHANGED:
            repeated = method in changed
            changed.add(method)
            return not repeated
        return self.passes(method)
