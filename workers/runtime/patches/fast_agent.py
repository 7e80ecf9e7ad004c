"""Private names of fast-agent 0.10.46, each with what it is for; ``stream_end``, ``chunks``, ``shortcuts`` have theirs.

``tests/runtime/test_vendor_contract.py`` names what an upgrade changes.
"""

import contextlib
import copy
import io
import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from fast_agent import FastAgent
from fast_agent import config as fast_config
from fast_agent.agents import current_user_message, llm_decorator
from fast_agent.core.exceptions import FastAgentError
from fast_agent.core.harness import AgentHarness
from fast_agent.core.logging import logger as fast_logging
from fast_agent.llm import fastagent_llm
from fast_agent.llm.internal import passthrough
from fast_agent.tools import function_tool_loader
from fast_agent.ui import console as fast_console
from fast_agent.ui import console_display
from fastmcp.server import dependencies, sessions
from fastmcp.tools import function_tool
from fastmcp.utilities import async_utils
from fastmcp.utilities import types as fastmcp_types
from pydantic import ValidationError

from tasks.errors import Misconfigured
from tasks.settings import Settings
from workers.interfaces import Usage, tokens
from workers.runtime import call_limit, hardening
from workers.runtime.call_log import CallLog, ModelCall, call_log_of_turn, message_in, unusable, usage_listener
from workers.runtime.patches import (
    card_hooks,
    card_reading,
    connections,
    counts,
    half_made,
    harness_tools,
    private_servers,
    quiet,
    rounds,
    server_calls,
    server_text,
    shells,
    shortcuts,
)
from workers.runtime.streams.meter import ANSWER_MAX, limits

if TYPE_CHECKING:
    from fast_agent.core.fastagent import AgentInstance

VERSION = "0.10.46"

_execute = fastagent_llm.FastAgentLLM._execute_with_retry  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
_finalize = fastagent_llm.FastAgentLLM._finalize_turn_usage  # pyright: ignore[reportPrivateUsage] # noqa: SLF001


async def _watched_execute(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Every provider call of every agent passes here."""
    call_log = call_log_of_turn.get()
    if call_log is None:
        return await _execute(self, *args, **kwargs)
    call, result = await _noted_execute(self, call_log, *args, **kwargs)
    message = message_in(result)
    # OpenAI's providers do this themselves. It is the call that is repeated, not the turn with its tools.
    if message is not None and unusable(message):
        call.fault = None
        _, result = await _noted_execute(self, call_log, *args, **kwargs)
    return result


async def _noted_execute(self: Any, call_log: CallLog, *args: Any, **kwargs: Any) -> tuple[ModelCall, Any]:
    with call_log.call(self.name or "", str(self.provider.config_name)) as call, connections.call():
        result = await call_limit.within(call_log, call, self, _execute, *args, **kwargs)
    call.took(message_in(result))
    return call, result


def _watched_finalize(self: Any, turn_usage: Any, **kwargs: Any) -> None:
    """Every provider's token count passes here, once."""
    call_log = call_log_of_turn.get()
    if call_log is not None and call_log.calls:
        # Parallel calls of one agent do not exist: the last call of this agent is the one being counted.
        call = next((call for call in reversed(call_log.calls) if call.agent == (self.name or "")), call_log.calls[-1])
        prompt = turn_usage.prompt
        parts = (prompt.uncached, prompt.cache_read, prompt.cache_write)
        given = tokens(prompt.total) if prompt.total is not None else sum(tokens(part) for part in parts)
        made = tokens(turn_usage.completion.total)
        call.input_tokens += given
        call.output_tokens += made
        call.model = turn_usage.model
        usage_listener.get()(Usage(given, made, turn_usage.model))
    _finalize(self, turn_usage, **kwargs)


def _noted_snapshot(content: tuple[Any, ...]) -> Any:
    """fast-agent's copy of the user's message for its built-in tools; the ``CallLog`` empties it when the turn ends."""
    snapshot = _Snapshot(content=content)
    call_log = call_log_of_turn.get()
    if call_log is not None:
        call_log.snapshots.append(snapshot)
    return snapshot


_Snapshot = current_user_message.CurrentUserMessage
_build_tool = function_tool_loader.build_default_function_tool


def _timed_tool(function: Any, *args: Any, **kwargs: Any) -> Any:
    """A card's Python function as a tool that ends; its timeout is set by ``install``."""
    tool = _build_tool(rounds.clean_function(function), *args, **kwargs)
    tool.timeout = _limits["tool"]
    return tool


_limits = {"tool": 120.0}
_KEEPING: tuple[Any, ...] = (
    fastmcp_types.get_cached_typeadapter,
    dependencies.without_injected_parameters,
    sessions.session_id_parameter_names,
    function_tool._wrap_body_errors,  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
)
"""Caches of 5,000 functions each, for all of a worker's life."""


def install(tool_timeout: float = 120.0, answer_max: int = ANSWER_MAX) -> None:
    """Do what must be done before a FastAgent is made; again is harmless.

    No control words, no log queue, no terminal, an end (in seconds) to every Python tool and (in characters) to every
    answer.
    """
    _limits["tool"], limits["answer"] = tool_timeout, answer_max
    for part in (card_hooks, half_made, rounds, server_calls, server_text):
        part.install()
    setattr(function_tool_loader, "build_default_function_tool", _timed_tool)  # noqa: B010
    # A thread that hangs is left behind, not waited for.
    setattr(async_utils, "run_sync_in_threadpool", partial(anyio.to_thread.run_sync, abandon_on_cancel=True))  # noqa: B010
    setattr(fast_logging.Logger, "event", quiet.event)  # noqa: B010
    setattr(console_display.ConsoleDisplay, "update_logger_settings", quiet.unchanged)  # noqa: B010
    # "Is configured already": its bus and batches are two tasks that wake up ten times a second for nothing.
    setattr(fast_logging.LoggingConfig, "_initialized", True)  # noqa: B010
    setattr(current_user_message, "CurrentUserMessage", _noted_snapshot)  # noqa: B010
    setattr(fastagent_llm.FastAgentLLM, "_execute_with_retry", _watched_execute)  # noqa: B010
    setattr(fastagent_llm.FastAgentLLM, "_finalize_turn_usage", _watched_finalize)  # noqa: B010
    # A user's (or a model's) text that starts with one of these makes fast-agent write files or call tools.
    for module, name in (
        (fastagent_llm, "CONTROL_MESSAGE_SAVE_HISTORY"),
        (llm_decorator, "CONTROL_MESSAGE_SAVE_HISTORY"),
        (passthrough, "CALL_TOOL_INDICATOR"),
        (passthrough, "FIXED_RESPONSE_INDICATOR"),
    ):
        setattr(module, name, f"\0{secrets.token_hex(32)}")
    for name in ("console", "error_console", "server_console"):
        getattr(fast_console, name).file = quiet.LogStream(name)


def build(settings: Settings) -> FastAgent:
    """One FastAgent from the operator's own files, quiet, and never asking a terminal.

    Raises:
        Misconfigured: fastagent.config.yaml cannot be used.
    """
    install(settings.tool_timeout.total_seconds(), settings.answer_max)
    shells.install(allowed=settings.shell)
    harness_tools.install(settings.models)
    private_servers.install()
    card_reading.install()
    try:
        # It prints what is wrong before it exits; we say it in one line.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            fast = FastAgent("cohort", config_path=_config_path(settings), parse_cli_args=False, quiet=True)
    except (Exception, SystemExit) as problem:
        raise _misconfigured(settings, problem) from problem
    hardening.harden(fast._settings, settings)  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - the loaded configuration
    # Only folders that the configuration names: what lies in default ones is nobody's decision.
    named = fast._settings.skills.directories or ()  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    fast._skills_directory_override = [Path(entry).expanduser() for entry in named]  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    return fast


def read_configuration(settings: Settings) -> None:
    """Read fast-agent's configuration and throw it away, as a check.

    Raises:
        Misconfigured: it cannot be used.
    """
    before = fast_config._settings  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - a process-wide cache
    fast_config._settings = None  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            fast_config.get_settings(_config_path(settings))
    except Exception as problem:
        raise _misconfigured(settings, problem) from problem
    finally:
        fast_config._settings = before  # pyright: ignore[reportPrivateUsage] # noqa: SLF001


def _config_path(settings: Settings) -> str | None:
    """None lets fast-agent look for its own names."""
    return str(settings.config) if settings.config.exists() else None


def _misconfigured(settings: Settings, problem: BaseException) -> Misconfigured:
    cause = problem.__cause__ or problem
    if isinstance(cause, ValidationError):
        first = cause.errors(include_url=False, include_input=False)[0]
        return Misconfigured(f"{settings.config}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
    lines = str(cause).splitlines() or [type(cause).__name__]
    return Misconfigured(f"{settings.config}: {lines[0]}")


def load_cards(fast: FastAgent, settings: Settings) -> None:
    """Register the cards, with our defaults where a card says nothing, and the operator's model where set.

    Raises:
        Misconfigured: a card cannot be read (``cards.check_cards`` tells more).
    """
    try:
        if settings.cards.exists():
            fast.load_agents(settings.cards)
    except FastAgentError as problem:
        raise Misconfigured(f"{settings.cards}: {str(problem).splitlines()[0]}") from problem
    hardening.apply_defaults(fast, settings)


async def create_instance(harness: AgentHarness) -> "AgentInstance":
    """A lane's agents, all of them, not shared with other lanes."""
    instance = await half_made.whole(harness._create_instance)  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    for agent in instance.agents.values():
        _unshare(agent)
    connections.install()
    shortcuts.install()
    counts.install()
    return instance


def _unshare(agent: Any) -> None:
    """Give an agent its own configuration: instances share one, and ``set_model`` writes into it."""
    agent.config = copy.copy(agent.config)
    aggregator = getattr(agent, "_aggregator", None)
    if aggregator is not None:
        aggregator.config = agent.config
    if agent.config.default_request_params is not None:
        agent.config.default_request_params = agent.config.default_request_params.model_copy()
    if getattr(agent, "_default_request_params", None) is not None:
        agent._default_request_params = agent.config.default_request_params  # noqa: SLF001


async def dispose_instance(harness: AgentHarness, instance: "AgentInstance") -> None:
    """End a lane's agents with their MCP servers."""
    try:
        await harness._dispose_instance(instance)  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    finally:
        # fastmcp keeps each tool's function, and with it the agents that it belongs to.
        for kept in _KEEPING:
            kept.cache_clear()


def holds_connection(instance: "AgentInstance") -> bool:
    """Whether a provider object holds a connection that knows the last conversation: OpenAI's web sockets do."""
    used = (getattr(getattr(agent, "llm", None), "active_transport", None) for agent in instance.agents.values())
    return "websocket" in used


def reload_cards(fast: FastAgent, settings: Settings) -> None:
    """Let changed cards in; on any problem the registry is as before.

    Raises:
        Misconfigured: the first problem, in one line.
    """
    before = dict(fast.agents)
    try:
        fast.load_agents(settings.cards)
        hardening.apply_defaults(fast, settings)
        fast._apply_skills_to_agent_configs(fast._default_skill_manifests)  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
        fast._validate_run_preconditions()  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - MCP of cards, references
    except (FastAgentError, OSError) as problem:
        restore_cards(fast, before)
        raise Misconfigured(f"{settings.cards}: {str(problem).splitlines()[0]}") from problem


def restore_cards(fast: FastAgent, before: dict[str, Any]) -> None:
    """Put back the registry of an earlier moment."""
    fast.agents.clear()
    fast.agents.update(before)
    fast._sync_agent_card_mcp_servers()  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
