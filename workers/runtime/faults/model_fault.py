"""A fault of a model as fast-agent reports it: its kind, its status, its words (pure)."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from workers.runtime.faults.error_codes import status_in

_END = 50_000
"""Characters of a message's beginning and of its end that are read; between them a provider quotes the request.

A server may send an error page without end, and to search ten million characters holds up a worker's chats for seconds.
"""


@dataclass(frozen=True, slots=True)
class ModelFault:
    """A fault of a model, or of a card's hook."""

    kinds: tuple[str, ...]
    """Names of the error's class and of its bases."""
    status: int | None = None
    """The HTTP status, where there is one."""
    text: str = ""
    """The error's message in lower case. It is searched, never shown: it may quote the user."""
    hook: str = ""
    """The hook that raised, in words; empty for a fault of the model."""
    wait: float = 0.0
    """Seconds until the server wants to be asked again."""
    sent: str = ""
    """What the request said, in lower case. A provider that rejects it may quote it, so words in it prove nothing."""

    @classmethod
    def of(cls, error: BaseException) -> "ModelFault":
        """Read an exception, and also its cause where fast-agent reports every refusal of Google's as a wrong key.

        The HTTP status stands in ``status_code`` (SDKs), ``status`` or ``code`` (Google).
        """
        chain = [error]
        if type(error).__name__ == "ProviderKeyError" and error.__cause__ is not None:
            chain.append(error.__cause__)
        names = ("status_code", "status", "code")
        found = (getattr(link, name, None) for link in chain for name in names)
        # An error within a stream has the status of the stream, which began well.
        known = (value for value in found if isinstance(value, int) and value >= HTTPStatus.MULTIPLE_CHOICES)
        status = next(known, None) or next((said for link in chain if (said := status_in(link)) is not None), None)
        more = ("code", "body", "error_code")
        parts = (part for link in chain for part in (link, *(getattr(link, name, "") or "" for name in more)))
        words = (_ends(str(part)) for part in parts)
        kinds = tuple(kind.__name__ for kind in type(error).__mro__[:-2])
        return cls(kinds, status, " ".join(words).casefold(), str(getattr(error, "hook", "")))

    def says(self, *needles: str) -> bool:
        """Whether the provider's own words hold one of these."""
        return any(needle in self.text and needle not in self.sent for needle in needles)

    def finds(self, pattern: re.Pattern[str]) -> bool:
        """Whether the provider's own words match."""
        return any(found[0] not in self.sent for found in pattern.finditer(self.text))

    @property
    def detail(self) -> str:
        """For operators: the kind and the status, without the message, which may quote the user or a key."""
        name = self.kinds[0] if self.kinds else "unknown error"
        return name if self.status is None else f"{name} (HTTP {self.status})"


def _ends(text: str) -> str:
    return text if len(text) <= 2 * _END else f"{text[:_END]} {text[-_END:]}"
