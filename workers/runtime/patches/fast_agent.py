"""Where fast-agent makes agents and calls models: every call is watched, every tool ends, no text is a command."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from tasks.errors import without_frames
from workers.runtime import half_made, process_state, spans
from workers.runtime.askers import askers_of_turn
from workers.runtime.call_log import CallLog, ModelCall, call_log_of_turn, message_in, unusable, usage_listener
from workers.runtime.durable import model_calls
from workers.runtime.patches import connections
from workers.runtime.servers import call_limit
from workers.runtime.servers.answers import taken_name
from workers.runtime.streams.meter import metering
from workers.runtime.tools import results as tool_results
from workers.runtime.tools.schemas import input_schema
from workers.usage import Usage, tokens

type _Async = Callable[..., Awaitable[Any]]

limits = {"tool": 120.0}
"""Seconds that a card's Python function may take."""


def noted(original: Callable[..., None]) -> Callable[..., None]:
    """``LlmDecorator.__init__``: every agent's constructor passes here."""

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made = half_made.begun.get()
        if made is not None:
            made.append(self)
        original(self, *args, **kwargs)

    return init


def imported(original: Callable[..., Any]) -> Callable[..., Any]:
    """``load_callable_from_file_spec``: a card's module is imported, and the process stays as it was."""

    def load_callable(spec: str, **kwargs: Any) -> Any:
        with process_state.unchanged():
            return original(spec, **kwargs)

    return load_callable


def watched_execute(original: _Async) -> _Async:
    """``FastAgentLLM._execute_with_retry``: every provider call of every agent passes here."""

    async def once(self: Any, call_log: CallLog, *args: Any, **kwargs: Any) -> tuple[ModelCall, Any]:
        with spans.model_call(self, args) as traced, call_log.timed(str(self.model_name or "")):
            with call_log.call(self.name or "", str(self.provider.config_name)) as call, connections.call():
                result = await call_limit.within(call_log, call, self, original, *args, traced=traced, **kwargs)
            call.took(message_in(result))
            if traced is not None:
                traced.ended(call, message_in(result))
        return call, result

    async def execute_with_retry(self: Any, *args: Any, **kwargs: Any) -> Any:
        call_log = call_log_of_turn.get()
        if call_log is None:
            return await original(self, *args, **kwargs)
        if (askers := askers_of_turn.get()) is not None:
            await askers.enter(self.name or "")

        async def live() -> tuple[ModelCall, Any]:
            call, result = await once(self, call_log, *args, **kwargs)
            message = message_in(result)
            # OpenAI's providers do this themselves. It is the call that is repeated, not the turn with its tools.
            if message is not None and unusable(message):
                call.fault = None
                call, result = await once(self, call_log, *args, **kwargs)
            return call, result

        return await model_calls.kept(self, call_log, live, *args)

    return execute_with_retry


def let_go(original: _Async) -> _Async:
    """``FastAgentLLM._handle_exhausted_retries``: an error that became an answer is held by no frame of its own."""

    async def handle_exhausted_retries(self: Any, last_error: Exception, *args: Any) -> Any:
        answer = await original(self, last_error, *args)
        without_frames(last_error)
        return answer

    return handle_exhausted_retries


def watched_finalize(original: Callable[..., None]) -> Callable[..., None]:
    """``FastAgentLLM._finalize_turn_usage``: every provider's token count passes here, once."""

    def finalize_turn_usage(self: Any, turn_usage: Any, **kwargs: Any) -> None:
        call_log = call_log_of_turn.get()
        if call_log is not None and call_log.calls:
            # Parallel calls of one agent do not exist: the last call of this agent is the one being counted.
            call = next(
                (call for call in reversed(call_log.calls) if call.agent == (self.name or "")), call_log.calls[-1]
            )
            prompt = turn_usage.prompt
            parts = (prompt.uncached, prompt.cache_read, prompt.cache_write)
            given = tokens(prompt.total) if prompt.total is not None else sum(tokens(part) for part in parts)
            made = tokens(turn_usage.completion.total)
            if (meter := metering.get()) is not None and meter.uncounted != (0, 0):
                given, made = given + meter.uncounted[0], made + meter.uncounted[1]
                meter.uncounted = (0, 0)
            call.input_tokens += given
            call.output_tokens += made
            call.model = turn_usage.model
            usage_listener.get()(Usage(given, made, turn_usage.model))
        original(self, turn_usage, **kwargs)

    return finalize_turn_usage


def noted_snapshot(original: Any) -> Callable[..., Any]:
    """``CurrentUserMessage``: its copy of a message, for its own tools, is emptied when the turn ends."""

    def current_user_message(content: tuple[Any, ...]) -> Any:
        snapshot = original(content=content)
        call_log = call_log_of_turn.get()
        if call_log is not None:
            call_log.snapshots.append(snapshot)
        return snapshot

    return current_user_message


def timed_tool(original: Callable[..., Any]) -> Callable[..., Any]:
    """``build_default_function_tool``: a card's Python function as a tool that ends."""

    def build_default_function_tool(function: Any, *args: Any, **kwargs: Any) -> Any:
        tool = original(tool_results.clean_function(function), *args, **kwargs)
        tool.timeout = limits["tool"]
        tool.name = taken_name(tool.name)
        # What the model is told. The function's own types check what it gives.
        tool.parameters = input_schema(tool.parameters) or {"type": "object", "properties": {}}
        return tool

    return build_default_function_tool


def left_behind(original: _Async) -> _Async:
    """``run_sync_in_threadpool``: a thread that hangs is left behind, not waited for."""

    async def run_sync_in_threadpool(function: Any, *args: Any, **how: Any) -> Any:
        return await original(function, *args, **{"abandon_on_cancel": True, **how})

    return run_sync_in_threadpool


def unguessable(_: str) -> str:
    """In place of words with which a user's (or a model's) text commands fast-agent to write files or call tools."""
    return f"\0{secrets.token_hex(32)}"
