"""Resets a lane's agents to the state in which they were made.

fast-agent's ``clear`` empties histories and token counts. A turn leaves more: another model, its request parameters,
the last messages, tool call ids, statistics. A ``Baseline`` records every object of fast-agent that an agent reaches,
with its values, and puts all of them back. Objects that the turn made are then unreachable, so a lane after a turn
equals the lane before it, whatever the turn did.
"""

from collections import deque
from collections.abc import Iterable
from enum import Enum
from functools import cache
from operator import is_
from types import CellType, FunctionType, MethodType
from typing import Any

_OPEN = ("fast_agent.", "fastmcp.tools.")
_CLOSED = (
    # One per process: the configuration, its context, its servers, skills and loggers.
    "fast_agent.config",
    "fast_agent.context",
    "fast_agent.core.executor.",
    "fast_agent.core.logging.",
    "fast_agent.mcp_server_registry",
    "fast_agent.session.",
    "fast_agent.skills.",
    # Never changed after it is made.
    "fast_agent.llm.model_database",
    "fast_agent.llm.model_factory",
    "fast_agent.llm.resolved_model",
    # Connections and processes: a counter put back would give an old request's answer to a new one.
    "fast_agent.llm.provider.openai.responses_websocket",
    "fast_agent.mcp.mcp_connection_manager",
    "fast_agent.tools.local_shell_executor",
)

KEPT: dict[str, frozenset[str]] = {
    # A server may tell of new tools at any time, and a session's own servers come and go between turns.
    "MCPAggregator": frozenset({
        "server_names", "_attached_server_names", "_attachment_configs", "_attachment_locks", "_namespaced_tool_map",
        "_server_to_tool_map", "_prompt_cache", "_capabilities_cache", "_app_integration_configs",
        "_mcp_skill_registries", "_staged_discovery_tools",
    }),
    # A session's processes run on between its turns; no other session gets their lane.
    "ShellRuntime": frozenset({
        "_managed_processes", "_waiting_process_ids", "_next_process_id", "_retained_output_directory",
        "_retained_output_next_id",
    }),
}  # fmt: skip
"""Class -> attributes that ``restore`` leaves alone, because they belong to connections and processes, not to turns."""

_GONE = object()


class Baseline:
    """A record of everything that can be reached from ``root`` now; ``restore`` puts all of it back."""

    def __init__(self, root: object, outside: Iterable[object] = ()) -> None:
        """Record.

        Args:
            root: Where the walk over objects starts.
            outside: Objects that several lanes share; the walk does not enter them.
        """
        # An object's id is its own only while the object is held.
        self._held: list[object] = list(outside)
        self._attributes: list[tuple[Any, dict[str, Any], frozenset[str]]] = []
        self._slots: list[tuple[Any, str, Any]] = []
        self._lists: list[tuple[Any, list[Any]]] = []
        self._maps: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._sets: list[tuple[set[Any], set[Any]]] = []
        self._cells: list[tuple[CellType, Any]] = []
        self._walk(root)

    def __len__(self) -> int:
        """How many objects are recorded."""
        return sum(map(len, (self._attributes, self._slots, self._lists, self._maps, self._sets, self._cells)))

    def restore(self) -> None:
        """Give every recorded object its values back. Writing all of them is cheaper than comparing them first."""
        for thing, saved, kept in self._attributes:
            (now := thing.__dict__).update(saved)
            if len(now) != len(saved):
                _take_out(now, saved, kept)
        for now, saved in self._maps:
            # Not a Counter's own ``update``, which adds.
            dict.update(now, saved)
            if len(now) != len(saved):
                _take_out(now, saved)
        for thing, name, value in self._slots:
            if getattr(thing, name, _GONE) is not value:
                object.__setattr__(thing, name, value)
        for cell, value in self._cells:
            cell.cell_contents = value
        self._restore_lists_and_sets()

    def _restore_lists_and_sets(self) -> None:
        for thing, saved in self._lists:
            if len(thing) != len(saved) or not all(map(is_, thing, saved)):
                thing.clear()
                thing.extend(saved)
        for thing, saved in self._sets:
            if thing != saved:
                thing.clear()
                thing.update(saved)

    def _walk(self, root: object) -> None:
        seen = set(map(id, self._held))
        places = deque[Any]([root])
        while places:
            thing = places.popleft()
            kind = _kind(type(thing))
            if kind is not None and id(thing) not in seen:
                seen.add(id(thing))
                places.extend(self._record(kind, thing))

    def _record(self, kind: type, thing: Any) -> Iterable[Any]:
        """Record an object, and return the objects that it reaches."""
        if kind is dict:
            self._maps.append((thing, dict(thing)))
            return thing.values()
        if kind is list:
            self._lists.append((thing, list(thing)))
        elif kind is set:
            self._sets.append((thing, set(thing)))
        else:
            self._held.append(thing)
            if kind is MethodType:
                return (thing.__self__,)
            if kind is FunctionType:
                return self._record_closure(thing)
            if kind is object:
                return self._record_object(thing)
        return thing

    def _record_closure(self, function: Any) -> Iterable[Any]:
        """Record the closure of a function that fast-agent made; an operator's functions keep their own state."""
        made = function.__module__.startswith("fast_agent.") and "<locals>" in function.__qualname__
        for cell in (made and function.__closure__) or ():
            try:
                self._cells.append((cell, cell.cell_contents))
            except ValueError:  # not filled yet
                continue
            yield cell.cell_contents

    def _record_object(self, thing: Any) -> Iterable[Any]:
        found: list[Any] = []
        if hasattr(thing, "__dict__"):
            kept = KEPT.get(type(thing).__name__, frozenset())
            saved = {name: value for name, value in thing.__dict__.items() if name not in kept}
            self._attributes.append((thing, saved, kept))
            found.extend(saved.values())
        for name in _slots_of(type(thing)):
            value = getattr(thing, name, _GONE)
            if value is not _GONE:
                self._slots.append((thing, name, value))
                found.append(value)
        return found


def _take_out(now: dict[Any, Any], saved: dict[Any, Any], kept: frozenset[str] = frozenset()) -> None:
    """What came since."""
    for name in now.keys() - saved.keys() - kept:
        del now[name]


@cache
def _kind(of: type) -> type | None:
    """The kind as which an object of this type is recorded; None leaves it alone."""
    for kind in (dict, list, set, tuple, frozenset, MethodType):
        if issubclass(of, kind):
            return kind
    if issubclass(of, deque):
        return list
    if issubclass(of, FunctionType):
        return FunctionType
    module = f"{of.__module__}."
    ours = module.startswith(_OPEN) and not module.startswith(_CLOSED)
    return object if ours and not issubclass(of, type | Enum) else None


@cache
def _slots_of(kind: type) -> tuple[str, ...]:
    names: list[str] = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += (slots,) if isinstance(slots, str) else slots
    return tuple(name for name in names if name not in {"__dict__", "__weakref__"})
