"""Pairing codes: their form, their digest, and the link that sends one (pure)."""

import re
from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe

LASTS = timedelta(hours=1)
"""A code that is not used for so long is void."""

GUESSES_AN_HOUR = 20
"""Wrong codes that a bot looks at. A code has 144 random bits; a new code starts the count again."""

_RANDOM_BYTES = 18
_FORM = re.compile(r"pair-[A-Za-z0-9_-]{24}")


def new_code() -> str:
    """A code as a person sends it. It fits into the ``start`` of a deep link, which takes 64 of these characters."""
    return f"pair-{token_urlsafe(_RANDOM_BYTES)}"


def is_code(text: str) -> bool:
    """Whether a text has the form of a code."""
    return _FORM.fullmatch(text) is not None


def digest(code: str) -> str:
    """What is stored of a code: who reads Redis or a backup does not learn it."""
    return sha256(code.encode()).hexdigest()


def link(username: str, code: str) -> str:
    """The address that opens the bot and sends it the code."""
    return f"https://t.me/{username}?start={code}"
