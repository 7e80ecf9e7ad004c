"""Rounds of tool calls: how many are run at once, which are not run at all, and what of their results is passed on.

A model that goes wrong asks for a tool thousands of times in one answer, and fast-agent runs all of them at once.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fast_agent.agents.mcp_agent import McpAgent
from fast_agent.agents.tool_agent import ToolAgent
from fast_agent.agents.workflow.agents_as_tools_agent import AgentsAsToolsAgent
from fast_agent.types import PromptMessageExtended
from mcp_types import CallToolRequest, CallToolResult, TextContent

from tasks.text import clean, cleaned
from workers.runtime.call_log import CallLog, call_log_of_turn
from workers.runtime.conversation.frames import unframed
from workers.runtime.patches.patch import replace_once
from workers.runtime.streams.arguments import is_unreadable
from workers.runtime.streams.meter import limits

CALLS_AT_ONCE = 32
"""Tool calls run in one round: models ask for a handful, and a worker's loop and connections take this many."""

TOO_MANY = "not run: too many calls at once; {asked} were asked for, and at most {most} are run"
NOT_READ = (
    "not run: the arguments of this call are not a JSON object. Send the call again, with valid JSON as its arguments."
)
LEFT_OUT = "[a file of {} MiB from a tool, left out: too much in one turn]"
_CUT = "\n[cut here]"
_OURS = "cohort."
"""What our own notes on a block are called by; a server's are none of them."""


def _bounded(original: Callable[..., Awaitable[PromptMessageExtended]]) -> Callable[..., Any]:
    """``run_tools`` of an agent that runs what can be run, and tells the model of the rest."""

    async def run_tools(self: Any, request: PromptMessageExtended, request_params: Any = None) -> PromptMessageExtended:
        calls = request.tool_calls or {}
        told = _told(calls)
        if not told:
            return passed_on(await original(self, request, request_params))
        few = {number: call for number, call in calls.items() if number not in told}
        done = PromptMessageExtended(role="user", tool_results={})
        if few:
            done = await original(self, request.model_copy(update={"tool_calls": few}), request_params)
        results = {**(done.tool_results or {}), **told}
        done.tool_results = {number: results[number] for number in calls if number in results}
        return passed_on(done)

    return run_tools


def _told(calls: dict[str, CallToolRequest]) -> dict[str, CallToolResult]:
    """The results of the calls that are not run."""
    unread = {number: _not_run(NOT_READ) for number, call in calls.items() if is_unreadable(call.params.arguments)}
    rest = [number for number in calls if number not in unread][CALLS_AT_ONCE:]
    return {**unread, **dict.fromkeys(rest, _not_run(TOO_MANY.format(asked=len(calls), most=CALLS_AT_ONCE)))}


def _not_run(why: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=why)], is_error=True)


def passed_on(message: PromptMessageExtended) -> PromptMessageExtended:
    """Results as clean text of a bounded length: a tool's answer without end is none better than a model's."""
    call_log = call_log_of_turn.get() or CallLog()
    for result in (message.tool_results or {}).values():
        left = limits["answer"]
        for place, block in enumerate(result.content):
            if any(name.startswith(_OURS) for name in block.meta or ()):
                block.meta = {name: note for name, note in (block.meta or {}).items() if not name.startswith(_OURS)}
            holder: Any = getattr(block, "resource", block)
            if isinstance(text := getattr(holder, "text", None), str):
                fits = text if len(text) <= left else text[:left] + _CUT
                left = max(left - len(text), 0)
                holder.text = unframed(clean(fits))
            elif size := len(getattr(holder, "data", None) or getattr(holder, "blob", None) or ""):
                if size <= call_log.files:
                    call_log.files -= size
                else:
                    result.content[place] = TextContent(type="text", text=LEFT_OUT.format(size // 2**20))
        # The same again, for programs: models read the content.
        if _length(result.structured_content, limits["answer"]) > limits["answer"]:
            result.structured_content = None
        if result.structured_content is not None:
            result.structured_content = cleaned(result.structured_content)
    return message


def _length(value: Any, most: int) -> int:
    """Characters and places of a JSON value, counted until there are more than ``most``."""
    count, waiting = 0, [value]
    while waiting and count <= most:
        one = waiting.pop()
        count += 1 + (len(one) if isinstance(one, str) else 0)
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
    return count


def clean_function[**P](function: Callable[P, Any]) -> Callable[P, Any]:
    """A tool's function whose result any message can hold: a Python text can have half a surrogate pair."""
    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            return cleaned(await function(*args, **kwargs))

        return awaited

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> Any:
        return cleaned(function(*args, **kwargs))

    return called


def install() -> None:
    """Cheap to call again."""
    for kind in (ToolAgent, McpAgent, AgentsAsToolsAgent):
        replace_once(kind, "run_tools", _bounded)
