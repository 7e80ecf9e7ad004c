"""Tables of names, and the names that programmers write with two underscores around (pure)."""

import re


def names(text: str) -> frozenset[str]:
    """The words of ``text``."""
    return frozenset(text.split())


def table(pairs: str) -> dict[str, str]:
    """Every second word by the one before it."""
    words = pairs.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_OF_PYTHON = frozenset(
    name.strip("_")
    for kind in (object, type, int, float, str, list, dict, set, property, BaseException, open, re)
    for name in dir(kind)
    if name.startswith("__")
)
_KNOWN = _OF_PYTHON | names(
    "main all version author pycache post_init future annotations slots enter exit aenter aexit await aiter anext call "
    "del getattr delete missing copy deepcopy fspath index func function line date time dir dirname filename attribute "
    "declspec proto typename mypy debug path import bytes complex round trunc floor ceil prepare"
)


def is_dunder(name: str) -> bool:
    """Whether ``__name__`` is a name of Python, C or JavaScript, and no bold text."""
    return "_" in name or name in _KNOWN or (name.isupper() and name.lower() in _KNOWN)
