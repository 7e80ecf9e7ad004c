"""Wrong passwords, counted by address: after ten at once an address has one more every six seconds (pure).

That is 14,400 a day of an address, and each one waits its turn, so that a password of twelve characters is not found.
The right password does not empty the count, because behind a proxy all people come from one address.
"""

from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from tasks.bounded_dict import BoundedDict

AT_ONCE = 10
EACH_S = 6.0
_REMEMBERED = 4096
_NETWORK_BITS = 64
"""Of an IPv6 address: a house has all that are behind them."""


@dataclass(slots=True)
class PasswordGuesses:
    """The counts of one process, in bounded memory."""

    _paid_until: BoundedDict[str, float] = field(default_factory=lambda: BoundedDict[str, float](_REMEMBERED))
    """Address -> when its wrong guesses are forgotten, in seconds of a monotonic clock."""

    def wait_s(self, address: str, now: float) -> float:
        """How long this address has to wait before its next password is looked at; 0: it may guess now."""
        return max(0.0, self._paid_until.get(_named(address), 0.0) - now - (AT_ONCE - 1) * EACH_S)

    def wrong(self, address: str, now: float) -> int:
        """Count a wrong password.

        Returns:
            How many this address has had, as far as they are remembered.
        """
        name = _named(address)
        until = max(now, self._paid_until.get(name, 0.0)) + EACH_S
        self._paid_until[name] = until
        return round((until - now) / EACH_S)


def _named(address: str) -> str:
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(read, IPv6Address):
        return str(read.ipv4_mapped or int(read) >> (128 - _NETWORK_BITS))
    return str(read)
