"""Seals what must not be read in Redis or in a backup: AES and an HMAC under ``COHORT_SECRET_KEY`` (Fernet)."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class NotOurs(ValueError):  # noqa: N818 - a state
    """No key of these has sealed it, or it was changed since."""


class SecretBox:
    """Seals with the first key, and opens with each: a further one in front of the list rotates them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = MultiFernet([Fernet(_derived(key)) for key in keys])

    def seal(self, text: str) -> str:
        """Letters, digits, ``-``, ``_`` and ``=`` that say nothing of the text but its length and its time."""
        return self._keys.encrypt(text.encode()).decode()

    def open(self, sealed: str | bytes) -> str:
        """The text.

        Raises:
            NotOurs: see there.
        """
        try:
            return self._keys.decrypt(sealed).decode()
        except (InvalidToken, ValueError):
            raise NotOurs from None


def _derived(key: str) -> bytes:
    """A Fernet key of what the operator wrote."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"cohort secret box")
    return base64.urlsafe_b64encode(derived.derive(key.encode()))
