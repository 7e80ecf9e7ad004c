"""Putting something of ours in place of a vendor's function, once."""

from collections.abc import Callable
from typing import Any

_MARK = "cohort"


def replace_once(holder: Any, name: str, wrap: Callable[[Any], Any], *, static: bool = False) -> None:
    """Have ``holder`` (a module or class) use ``wrap(original)``; nothing happens if it does, or has no such name.

    ``static``: a class's static method.
    """
    original = getattr(holder, name, None)
    if original is None or _MARK in original.__dict__:
        return
    ours = wrap(original)
    ours.__dict__[_MARK] = True
    setattr(holder, name, staticmethod(ours) if static else ours)
