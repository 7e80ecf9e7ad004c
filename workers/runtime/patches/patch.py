"""Puts in place what ``manifest.toml`` names. No other module replaces a part of another library."""

import inspect
import logging
from collections.abc import Collection, Iterator
from functools import cache
from importlib import import_module, metadata
from typing import Any

from tasks.errors import Misconfigured
from workers.runtime.patches.manifest import ABSENT, Patch, patches, shape_of, tried

log = logging.getLogger("cohort.runtime")

LIBRARY = "fast-agent-mcp"
_PACKAGE = __name__.rpartition(".")[0]

_originals: dict[str, Any] = {}
"""Target -> what stood there before ours."""
_replacements: list[Any] = []
"""Ours. A module that is loaded later may import one of them by the name that it replaces."""
_shapes: dict[tuple[str, bool], tuple[Any, str]] = {}
"""Target, and whether its source counts -> what was looked at there, and its shape."""
_settled: set[str] = set()
"""Targets that have ours by now, or keep their own."""
_chosen = {"speed": True}


@cache
def version(library: str) -> str:
    """What is installed: reading it takes a tenth of the time in which an engine opens."""
    return metadata.version(library)


def choose(*, speed: bool) -> None:
    """Whether patches for speed are put in place from now on (``COHORT_PATCHES``).

    Raises:
        Misconfigured: a patch that is needed does not fit this release of fast-agent, which was never tried.
    """
    _chosen["speed"] = speed
    if version(LIBRARY) in tried():
        return
    # Libraries that are not loaded yet are looked at, too: a turn with a model that is chosen later is no time for it.
    wrong = [(patch, seen) for patch, seen in mismatches() if patch.kind == "needed"]
    if wrong:
        raise Misconfigured(_refusal(wrong))


def apply(only: Collection[str] = ()) -> None:
    """Put in place what is due and not there yet. Cheap to call again.

    Args:
        only: Modules of this package whose patches are meant; none means all.

    Raises:
        Misconfigured: a patch that is needed does not fit.
    """
    for patch in patches():
        if patch.target in _settled or not patch.due or (patch.kind == "speed" and not _chosen["speed"]):
            continue
        if only and patch.by.partition(".")[0] not in only:
            continue
        found, seen = _looked_at(patch)
        if any(found is ours for ours in _replacements):
            pass
        elif patch.fits(seen):
            _replace(patch)
        elif patch.kind == "needed":
            raise Misconfigured(_refusal([(patch, seen)]))
        else:
            log.warning("patch.stepped_aside", extra={"target": patch.target, "shape": seen})
        _settled.add(patch.target)


def look() -> None:
    """Look at the shapes of all that is due, for the processes that are forked from this one."""
    for patch in patches():
        if patch.due:
            patch.fits(_looked_at(patch)[1])


def mismatches() -> Iterator[tuple[Patch, str]]:
    """The patches that do not fit what is installed, each with the shape that is there. Loads every library."""
    for patch in patches():
        _, seen = _looked_at(patch)
        if not patch.fits(seen):
            yield patch, seen


def original(target: str) -> Any:
    """What stands in the library, replaced or not."""
    return _originals[target] if target in _originals else _found(*_place(target))


def _place(target: str) -> tuple[Any, str]:
    """What holds a target, and its name there. Loads its module."""
    module, _, path = target.partition(":")
    *holders, name = path.split(".")
    try:
        holder: Any = import_module(module)
    except ImportError:
        return ABSENT, name
    for part in holders:
        holder = getattr(holder, part, ABSENT)
    return holder, name


def _found(holder: Any, name: str) -> Any:
    return getattr(holder, name, ABSENT)


def _looked_at(patch: Patch) -> tuple[Any, str]:
    """What stands in the library, and its shape: all of them take a quarter of the time in which an engine opens."""
    found = original(patch.target)
    place = patch.target, patch.by_source
    if place not in _shapes or _shapes[place][0] is not found:
        _shapes[place] = found, shape_of(found, with_source=patch.by_source)
    return _shapes[place]


def _replace(patch: Patch) -> None:
    holder, name = _place(patch.target)
    found = _originals[patch.target] = _found(holder, name)
    module, _, function = patch.by.partition(".")
    ours = getattr(import_module(f"{_PACKAGE}.{module}"), function)(found)
    _replacements.append(ours)
    static = isinstance(inspect.getattr_static(holder, name), staticmethod)
    setattr(holder, name, staticmethod(ours) if static else ours)


def _refusal(wrong: list[tuple[Patch, str]]) -> str:
    patch, seen = wrong[0]
    more = f" ({len(wrong) - 1} more: `cohort doctor`)" if len(wrong) > 1 else ""
    return (
        f"{patch.target} is `{seen}`, and its patch needs `{'` or `'.join(patch.shapes)}`{more}; "
        f"install {LIBRARY} {tried()[0]} to {tried()[-1]} ({version(LIBRARY)} is installed)"
    )
