"""The last that each MCP server's program said on its standard error, for the operator's line about why it ended."""

import re

_KEPT = 4096
"""Bytes of each."""
_SERVERS = 256
"""Chats may have servers of their own; the oldest are forgotten."""
_SHOWN = 200
_MASK = "•••"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f\x7f-\x9f]")
_SECRET = re.compile(
    r"(?<=://)[^\s/@]+(?=@)"  # user and password in an address
    r"|(?:(?<=bearer )|(?<=basic ))\S+"
    r"|(?i:(?P<name>(?:key|token|secret|passw\w{0,8}|credential|auth)\w{0,20}[\"']{0,2}\s{0,3}[:=]\s{0,3}))\S+"
    r"|(?=[\w+/=.-]{0,200}\d)(?=[\w+/=.-]{0,200}[A-Za-z])[\w+/=-]{20,}",
    re.IGNORECASE,
)
"""What may be one: it stands in logs and in the chats of admins."""

kept: dict[str, bytes] = {}


def heard(server: str, said: bytes) -> None:
    """Keep the end of what a server says."""
    before = kept.pop(server, b"")
    if len(kept) >= _SERVERS:
        del kept[next(iter(kept))]
    kept[server] = (before + said)[-_KEPT:]


def begun(server: str) -> None:
    """It starts again: what it said before is no reason any more."""
    kept.pop(server, None)


def last(server: str) -> str:
    """The last line that says something, short and without what looks like a secret; empty if there is none."""
    lines = (_CONTROL.sub("", line).strip() for line in kept.get(server, b"").decode(errors="replace").split("\n"))
    said = [line for line in lines if line]
    if not said:
        return ""
    shown = _SECRET.sub(lambda found: (found["name"] or "") + _MASK, said[-1])
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
