"""A tool call that was under way when its worker died: run it again, ask, or say that its outcome is unknown.

In a card, an entry of ``function_tools`` may say more than its file; in fastagent.config.yaml a server's settings may:

    function_tools:
      - entrypoint: booking.py:book
        in_doubt: ask                     # run | ask | fail
      - entrypoint: lookup.py:price
        replay: safe
    ...
    mcp:
      servers:
        shop:
          command: shop-server
          in_doubt: fail                  # or for some of its tools: { "pay*": fail, "*": run }

fast-agent ignores what is ours in a server, and refuses it in a card (``patches.card_entries``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from inspect import unwrap
from typing import Any, Literal

from mcp_types import CallToolResult, TextContent

type Choice = Literal["run", "ask", "fail"]

CHOICES: tuple[Choice, ...] = ("run", "ask", "fail")
OURS = "cohort"
"""Where a tool's metadata holds what its card says to us."""

KEYS = ("in_doubt", "replay")
"""Of a card's entry or a server's settings, what is said to us."""
_ASKS_FOR_KEY = "current_call"

UNKNOWN = (
    "The outcome of this call is unknown: the worker that made it ended while the call was under way. It may have been"
    " carried out, and it may not. It was not made again. Find out which before you repeat it, or ask the person."
)
LOST = (
    "This call was carried out, but what it gave is lost: the worker that made it ended, and the result was too large"
    " to be kept. It was not made again. Find out what it did before you repeat it, or ask the person."
)


@dataclass(slots=True)
class _Servers:
    """What their settings say; of one process's configuration."""

    says: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


_servers = _Servers()


def wrong(says: Mapping[str, Any]) -> str | None:
    """What is wrong with what a card's entry or a server's settings say; None when it can be used."""
    choice = says.get("in_doubt", "fail")
    choices = list(choice.values()) if isinstance(choice, dict) else [choice]
    if not choices or any(one not in CHOICES for one in choices):
        return f"in_doubt is one of {', '.join(CHOICES)}, or says so by pattern"
    return None if says.get("replay", "safe") == "safe" else "replay can only be `safe`"


def read_servers(declarations: Mapping[str, Any]) -> None:
    """What the servers of the configuration say; names they have there."""
    _servers.says = {
        name: {key: value for key in KEYS if (value := getattr(server, key, None)) is not None}
        for name, server in declarations.items()
    }


def decide(agent: Any, tool: str, *, asks: bool) -> Choice:
    """What becomes of a call in doubt of this agent's tool; ``asks``: there is a person to ask."""
    says, hints, takes_key = _about(agent, tool)
    pattern, choice = _chosen(says.get("in_doubt"), tool)
    harmless = hints is not None and (hints.read_only_hint or hints.idempotent_hint)
    # A hint is the server's word. Who names the tool knows better.
    if says.get("replay") == "safe" or (harmless and pattern == "*"):
        return "run"
    if choice is None:
        choice = "run" if takes_key else "ask"
    return "fail" if choice == "ask" and not asks else choice


def _about(agent: Any, tool: str) -> tuple[Mapping[str, Any], Any, bool]:
    """What the card or the server's settings say, the server's hints, and whether it takes an idempotency key."""
    function = getattr(agent, "_execution_tools", {}).get(tool)
    if function is not None:
        code = getattr(unwrap(function.fn), "__code__", None)
        return (function.meta or {}).get(OURS, {}), None, _ASKS_FOR_KEY in getattr(code, "co_names", ())
    aggregator = getattr(agent, "_aggregator", None)
    entry = getattr(aggregator, "_namespaced_tool_map", {}).get(tool)
    if entry is None:
        return {}, None, False
    return _of_server(entry.server_name), entry.tool.annotations, False


def _of_server(name: str) -> Mapping[str, Any]:
    """A chat's own server is attached as ``name_hash`` (``mcp_isolation``)."""
    return _servers.says.get(name) or _servers.says.get(name.rpartition("_")[0], {})


def _chosen(says: Any, tool: str) -> tuple[str, Choice | None]:
    """The pattern that fits the tool, "*" for all tools, and what is said of it."""
    if not isinstance(says, dict):
        return "*", says if says in CHOICES else None
    # A pattern means the tool's own name, whatever its server is called; of several that fit, the longest one holds.
    own = tool.rpartition("__")[2]
    fitting = [str(pattern) for pattern in says if fnmatchcase(own, str(pattern))]
    longest = max(fitting, key=len, default="*")
    return longest, says.get(longest)


def told(words: str) -> CallToolResult:
    """The outcome is unknown, which is no error: a model takes an error for a call that was not carried out."""
    return CallToolResult(content=[TextContent(type="text", text=words)])
