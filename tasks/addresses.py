"""Addresses that servers listen on (pure)."""

from ipaddress import ip_address


def is_loopback(address: str) -> bool:
    """Whether a server on this address is reached from this machine alone."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"
