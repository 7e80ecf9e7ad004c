"""A tool call that was under way when its worker died: run it again, ask, or say that its outcome is unknown."""

from typing import Any, Literal

from mcp_types import CallToolResult, TextContent

from workers.runtime.durable.tool_facts import CHOICES, ToolFacts, by_pattern

type Choice = Literal["run", "ask", "fail"]

UNKNOWN = (
    "The outcome of this call is unknown: the worker that made it ended while the call was under way. It may have been"
    " carried out, and it may not. It was not made again. Find out which before you repeat it, or ask the person."
)
LOST = (
    "This call was carried out, but what it gave is lost: the worker that made it ended, and the result was too large"
    " to be kept. It was not made again. Find out what it did before you repeat it, or ask the person."
)
SAID = " The person was asked whether to make it again, and said: {words}"


def decide(facts: ToolFacts, tool: str, *, asks: bool, approved_once: bool) -> Choice:
    """What becomes of a call in doubt.

    Args:
        facts: What is known of the tool.
        tool: Its name.
        asks: There is a person to ask.
        approved_once: A person had to allow the call. That is used up: it is asked about again.
    """
    pattern, choice = _chosen(facts, facts.says.get("in_doubt"), tool)
    # A hint is the server's word. Who names the tool knows better.
    if facts.says.get("replay") == "safe" or (facts.is_harmless and pattern == "*"):
        choice = "run"
    if choice is None:
        choice = "run" if facts.takes_key else "ask"
    if choice == "run" and approved_once:
        choice = "ask"
    return "fail" if choice == "ask" and not asks else choice


def _chosen(facts: ToolFacts, says: Any, tool: str) -> tuple[str, Choice | None]:
    pattern, choice = by_pattern(facts, says, tool)
    return pattern, choice if choice in CHOICES else None


def told(words: str) -> CallToolResult:
    """The outcome is unknown, which is no error: a model takes an error for a call that was not carried out."""
    return CallToolResult(content=[TextContent(type="text", text=words)])
