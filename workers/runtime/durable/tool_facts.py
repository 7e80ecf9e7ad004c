"""What is known of a tool before it is called: what a card or a server's settings say of it, and its own hints.

In a card, an entry of ``function_tools`` may say more than its file, and ``approve`` may stand for all of the agent's
tools; in fastagent.config.yaml a server's settings may:

    approve: ["pay*", execute]            # or "pay*", or true; false: not even a shell's commands
    function_tools:
      - entrypoint: booking.py:book
        approve: true
        in_doubt: ask                     # run | ask | fail
      - entrypoint: lookup.py:price
        replay: safe
    ...
    mcp:
      servers:
        shop:
          command: shop-server
          approve: ["pay*", refund]       # or "pay*", or true; false: not even what calls itself destructive
          in_doubt: fail                  # or for some of its tools: { "pay*": fail, "*": run }
          files: keep                     # send | keep; by pattern as `in_doubt`

fast-agent ignores what is ours in a server, and refuses it in a card (``patches.card_entries``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from inspect import unwrap
from typing import Any, cast

from fast_agent.constants import HUMAN_INPUT_TOOL_NAME
from mcp_types import Tool

OURS = "cohort"
"""Where a tool's metadata holds what its card says to us."""

KEYS = ("approve", "files", "in_doubt", "replay")
"""Of a card's entry or a server's settings, what is said to us."""
CARD_MARK = "cohort_approve"
"""The attribute of an agent's configuration that holds its card's own ``approve``; copies of the agent have it, too."""
_ASKS_FOR_KEY = "current_call"
_ASK = "ask_user"

_YES_OR_NO = frozenset({"", "true", "false", "yes", "no", "on", "off"})
CHOICES = ("run", "ask", "fail")
FILES = ("send", "keep")


class LoginTool(Tool):
    """Has a person log in at a server (``workers.runtime.logins``). No server can bring one of this class."""


@dataclass(slots=True)
class _Process:
    """What one process's configuration says."""

    servers: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    destructive: bool = True


_process = _Process()


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """Of one tool of one agent."""

    says: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the card's entry or the server's settings say."""
    card: Any = None
    """What the card says in ``approve`` of all of its tools, where the tool's own entry says nothing of it."""
    hints: Any = None
    """The server's, None for a function."""
    takes_key: bool = False
    """It is a function that asks for the call's key."""
    runs_commands: bool = False
    """It is the shell of a card with `shell: true`."""
    name: str = ""
    """What it is called at its server, or in its file. Models may know it by another name, which all providers take."""

    @property
    def is_harmless(self) -> bool:
        """Whether it may run twice, as far as is known."""
        hints = self.hints
        return self.says.get("replay") == "safe" or (
            hints is not None and bool(hints.read_only_hint or hints.idempotent_hint)
        )

    @property
    def is_read_only(self) -> bool:
        """Whether it changes nothing, as far as it says; what the card or the settings let run twice counts as well."""
        hints = self.hints
        return self.says.get("replay") == "safe" or (hints is not None and bool(hints.read_only_hint))

    @property
    def is_destructive(self) -> bool:
        """Whether it says so itself, and that counts here; a shell always is.

        A server that says two things is taken at the worse one.
        """
        says_so = self.hints is not None and self.hints.destructive_hint is True
        return _process.destructive and (says_so or self.runs_commands)


_ONLY_ASKS = ToolFacts({"replay": "safe"})


def wrong(says: Mapping[str, Any]) -> str | None:
    """What is wrong with what a card's entry or a server's settings say; None when it can be used."""
    for key, known in (("in_doubt", CHOICES), ("files", FILES)):
        choice = says.get(key, known[0])
        choices = list(cast("dict[str, Any]", choice).values()) if isinstance(choice, dict) else [choice]
        if not choices or any(one not in known for one in choices):
            return f"{key} is one of {', '.join(known)}, or says so by pattern"
    approve = says.get("approve", False)
    patterns = cast("list[Any]", approve) if isinstance(approve, list) else []
    listed = bool(patterns) and all(isinstance(one, str) for one in patterns)
    if not isinstance(approve, bool) and not listed and not _is_pattern(approve):
        return 'approve is true, false, or patterns of tool names: "pay*", or a list of such; "*" is every tool'
    return None if says.get("replay", "safe") == "safe" else "replay can only be `safe`"


def _is_pattern(said: object) -> bool:
    """A word that was meant as yes or no would match no tool, and ask about none."""
    return isinstance(said, str) and said.strip().casefold() not in _YES_OR_NO


def read_process(declarations: Mapping[str, Any], *, destructive: bool) -> None:
    """What the configuration says of its servers, and whether a tool's own word that it is destructive counts."""
    _process.destructive = destructive
    _process.servers = {
        name: {key: value for key in KEYS if (value := getattr(server, key, None)) is not None}
        for name, server in declarations.items()
    }


def facts_of(agent: Any, tool: str) -> ToolFacts:
    """What is known of this agent's tool."""
    card = getattr(getattr(agent, "config", None), CARD_MARK, None)
    if tool == HUMAN_INPUT_TOOL_NAME:
        return _ONLY_ASKS
    function = getattr(agent, "_execution_tools", {}).get(tool)
    if function is not None:
        code = getattr(unwrap(function.fn), "__code__", None)
        names = getattr(code, "co_names", ())
        says = dict((function.meta or {}).get(OURS, {}))
        only_asks = _ASK in names and getattr(code, "co_name", "") == _ASK
        if only_asks:
            # The shipped tool does nothing but ask.
            says.setdefault("replay", "safe")
        card = None if only_asks or "approve" in says else card
        named = getattr(function.fn, "__name__", "")
        return ToolFacts(says, card, takes_key=_ASKS_FOR_KEY in names, name=named)
    shell = getattr(agent, "_shell_runtime", None)
    if shell is not None and shell._is_execute_tool(tool):  # noqa: SLF001 - its tool has another name for each model
        return ToolFacts(card=card, runs_commands=True)
    aggregator = getattr(agent, "_aggregator", None)
    entry = getattr(aggregator, "_namespaced_tool_map", {}).get(tool)
    if entry is None:
        return ToolFacts(card=card)
    if isinstance(entry.tool, LoginTool):
        return _ONLY_ASKS
    return ToolFacts(_of_server(entry.server_name), card, entry.tool.annotations, name=entry.tool.name)


def _of_server(name: str) -> Mapping[str, Any]:
    """A chat's own server is attached as ``name_hash`` (``mcp_isolation``)."""
    return _process.servers.get(name) or _process.servers.get(name.rpartition("_")[0], {})


def own_name(tool: str) -> str:
    """A tool's name at its server: patterns mean that one, whatever the server is called."""
    return tool.rpartition("__")[2]


def fits(facts: ToolFacts, tool: str, pattern: str) -> bool:
    """Whether a pattern means a tool: by its name at its server, or by what models call it."""
    return any(fnmatchcase(name, pattern) for name in (facts.name, own_name(tool)) if name)


def by_pattern(facts: ToolFacts, said: Any, tool: str) -> tuple[str, Any]:
    """The pattern that fits the tool, "*" for all tools, and what is said of it; None where nothing is."""
    if not isinstance(said, dict):
        return "*", said
    # Of several patterns that fit, the longest one holds.
    choices = cast("dict[Any, Any]", said)
    fitting = [str(pattern) for pattern in choices if fits(facts, tool, str(pattern))]
    longest = max(fitting, key=len, default="*")
    return longest, choices.get(longest)


def keeps_files(facts: ToolFacts, tool: str) -> bool:
    """Whether pictures, sounds and files in the tool's results are for the model alone."""
    return by_pattern(facts, facts.says.get("files"), tool)[1] == "keep"
