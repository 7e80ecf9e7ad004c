"""What the playground's starter chooses, in the process's environment; ``cohort playground`` reads ``.env`` for it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from playground import BOT
from playground.errors import CannotServe

_KEY = re.compile(r"[A-Za-z0-9_-]{16,256}")
"""What may stand in a URL and in a cookie as it is."""
_PORT = 8081
_PORTS = range(65536)


@dataclass(frozen=True, slots=True)
class Options:
    """A blank variable is the same as none."""

    port: int = _PORT
    """COHORT_PLAYGROUND_PORT, on 127.0.0.1; 0 takes a free one."""
    key: str | None = field(default=None, repr=False)
    """COHORT_PLAYGROUND_KEY opens the page and the control API. None: the playground makes one."""
    token: str | None = field(default=None, repr=False)
    """TELEGRAM_BOT_TOKEN, if it is one of the playground's bot. A real bot's token must not end up here."""

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the environment.

        Raises:
            CannotServe: a variable has a value that cannot be used.
        """
        given = os.environ if environ is None else environ
        port, key, token = (
            given.get(name, "").strip()
            for name in ("COHORT_PLAYGROUND_PORT", "COHORT_PLAYGROUND_KEY", "TELEGRAM_BOT_TOKEN")
        )
        if port and not (port.isascii() and port.isdigit() and int(port) in _PORTS):
            raise CannotServe("COHORT_PLAYGROUND_PORT: must be a number from 0 to 65535")
        if key and not _KEY.fullmatch(key):
            raise CannotServe("COHORT_PLAYGROUND_KEY: must be 16 to 256 characters of A-Z a-z 0-9 _ -")
        return cls(int(port or _PORT), key or None, token if token.startswith(f"{BOT}:") else None)
