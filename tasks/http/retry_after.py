"""When a server wants to be asked again, by the headers of its refusal (pure)."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite


def wait_in(headers: Mapping[str, str], now: float) -> float:
    """Seconds until a server wants to be asked again; 0 where its headers do not say it.

    Args:
        headers: With names in small letters, or of any case where the mapping does not mind.
        now: Seconds since 1970, for a date.
    """
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return sane(float(milliseconds) / 1000)
        after = headers.get("retry-after") or ""
        return sane(parsedate_to_datetime(after).timestamp() - now if "," in after else float(after or 0))
    except (ValueError, OverflowError, TypeError):
        return 0.0


def sane(seconds: float) -> float:
    """A wait that can be waited: neither negative nor without end."""
    return max(seconds, 0.0) if isfinite(seconds) else 0.0
