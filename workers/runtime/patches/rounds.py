"""Rounds of tool calls: how many are run at once, which are not run at all, and what of their results is passed on.

A model that goes wrong asks for a tool thousands of times in one answer, and fast-agent runs all of them at once.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fast_agent.types import PromptMessageExtended
from mcp_types import CallToolRequest, CallToolResult, TextContent

from workers.runtime.durable.place import tools_of_answer
from workers.runtime.streams.arguments import is_unreadable
from workers.runtime.tools.results import passed_on

CALLS_AT_ONCE = 32
"""Tool calls run in one round: models ask for a handful, and a worker's loop and connections take this many."""

TOO_MANY = "not run: too many calls at once; {asked} were asked for, and at most {most} are run"
NOT_READ = (
    "not run: the arguments of this call are not a JSON object. Send the call again, with valid JSON as its arguments."
)


def bounded(original: Callable[..., Awaitable[PromptMessageExtended]]) -> Callable[..., Any]:
    """``run_tools`` of an agent that runs what can be run, and tells the model of the rest."""

    async def run_tools(self: Any, request: PromptMessageExtended, request_params: Any = None) -> PromptMessageExtended:
        calls = request.tool_calls or {}
        told = _told(calls)
        with tools_of_answer():
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
