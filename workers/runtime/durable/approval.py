"""Whether a person has to allow a tool call before it is made, and what the model reads when none did."""

from typing import Any, cast

from mcp_types import CallToolResult, TextContent

from workers.runtime.durable.tool_facts import ToolFacts, fits
from workers.steps import PersonsAnswer

INLINE = (
    "Not carried out: in this kind of chat only tools that change nothing may be used. Answer without it, and say so."
)
DENIED = "Not carried out: the person did not allow this call. Do not make it again unless they ask for it."
NO_ONE = "Not carried out: a person has to allow this call, and there is no person to ask here."
WROTE = "Not carried out: the person did not allow this call. They wrote instead: {words}"
NO_WORDS = (
    "Not carried out: the person did not answer, and did something else. Do not make this call again by yourself."
)


def is_needed(facts: ToolFacts, tool: str) -> bool:
    """Whether a person has to allow it: one of the card and the server's settings says so, or the tool is destructive.

    What is said to be asked about is asked about, whatever the other one says.
    """
    said = {_said(facts, facts.says.get("approve"), tool), _said(facts, facts.card, tool)}
    return True in said or (False not in said and facts.is_destructive)


def _said(facts: ToolFacts, approve: Any, tool: str) -> bool | None:
    """What ``approve`` says of a tool; None where it says nothing."""
    match approve:
        case bool():
            return approve
        case str():
            return fits(facts, tool, approve) or None
        case list():
            return any(fits(facts, tool, pattern) for pattern in cast("list[str]", approve)) or None
        case _:
            return None


def scope(agent: Any, tool: str) -> str:
    """What "always" allows: this tool of this agent, with any arguments."""
    return f"{agent.name}:{tool}"


def refused(answer: PersonsAnswer | None) -> CallToolResult:
    """What the model reads in place of a result; None: there was no person to ask."""
    if answer is None:
        text = NO_ONE
    elif answer.verdict == "no":
        text = DENIED
    else:
        text = WROTE.format(words=answer.words) if answer.words else NO_WORDS
    return told(text)


def told(text: str) -> CallToolResult:
    """Words in place of a result."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)
