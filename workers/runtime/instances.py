"""A FastAgent from the operator's files, and the agents of lanes: made, changed, ended, by private names of fast-agent.

``tests/runtime/test_vendor_contract.py`` names what an upgrade changes.
"""

import contextlib
import copy
import io
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fast_agent import FastAgent
from fast_agent import config as fast_config
from fast_agent.core.exceptions import FastAgentError
from fast_agent.core.harness import AgentHarness
from fast_agent.core.logging.logger import LoggingConfig
from fastmcp.server import dependencies, sessions
from fastmcp.tools import function_tool
from fastmcp.utilities import types as fastmcp_types
from pydantic import ValidationError

from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from workers.runtime import half_made, hardening, shell_processes
from workers.runtime.patches import fast_agent as patched
from workers.runtime.patches import harness_tools, patch
from workers.runtime.streams.meter import limits

if TYPE_CHECKING:
    from fast_agent.core.fastagent import AgentInstance

_KEEPING: tuple[Any, ...] = (
    fastmcp_types.get_cached_typeadapter,
    dependencies.without_injected_parameters,
    sessions.session_id_parameter_names,
    function_tool._wrap_body_errors,  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
)
"""Caches of 5,000 functions each, for all of a worker's life."""


def install(settings: Settings) -> None:
    """Do what must be done before a FastAgent is made; again is harmless.

    Raises:
        Misconfigured: this release of fast-agent is not one that can be patched.
    """
    patched.limits["tool"], limits["answer"] = settings.tool_timeout.total_seconds(), settings.answer_max
    shell_processes.allowed["shell"] = settings.shell
    harness_tools.offer(settings.models)
    patch.choose(speed=settings.patches == "all")
    patch.apply()


def build(settings: Settings) -> FastAgent:
    """One FastAgent from the operator's own files, quiet, and never asking a terminal.

    Raises:
        Misconfigured: fastagent.config.yaml cannot be used.
    """
    install(settings)
    try:
        # It prints what is wrong before it exits; we say it in one line.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            fast = FastAgent("cohort", config_path=_config_path(settings), parse_cli_args=False, quiet=True)
    except (Exception, SystemExit) as problem:
        raise _misconfigured(settings, problem) from problem
    hardening.harden(fast._settings, settings)  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - the loaded configuration
    # Only folders that the configuration names: what lies in default ones was decided by no operator.
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
    _patch_remote(fast)


def _patch_remote(fast: FastAgent) -> None:
    """Load what remote agents need before the first one is made of it, as it is patched."""
    if any("a2a" in card for card in fast.agents.values()):
        import_module("fast_agent.a2a.remote_agent")
        patch.apply()


def another(fast: FastAgent, harness: AgentHarness) -> tuple[FastAgent, AgentHarness]:
    """A FastAgent with agents of its own and all else in common with one that is open, and its harness.

    A process has one context, one set of servers and one runtime. The agents are entries of a FastAgent.
    """
    other, its = copy.copy(fast), copy.copy(harness)
    configured = other._base_mcp_servers  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    other._initialize_agent_registries()  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    # Those that cards have brought meanwhile would be taken for servers of the configuration.
    other._base_mcp_servers = configured  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    its._fast_agent = other  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    return other, its


async def end_log_queue() -> None:
    """End fast-agent's queue of log events: its tasks wake up ten times a second, and no event reaches it."""
    await LoggingConfig.shutdown()


async def create_instance(harness: AgentHarness) -> "AgentInstance":
    """A lane's agents, all of them, not shared with other lanes."""
    instance = await half_made.whole(harness._create_instance)  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    for agent in instance.agents.values():
        _unshare(agent)
    patch.apply()
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


def hold_connection(providers: list[Any]) -> bool:
    """Whether a provider object holds a connection that knows the last conversation: OpenAI's web sockets do."""
    return "websocket" in [getattr(provider, "active_transport", None) for provider in providers]


def reload_cards(fast: FastAgent, settings: Settings) -> None:
    """Let changed cards in; on any problem the registry is as before.

    Raises:
        Misconfigured: the first problem, in one line.
    """
    before = dict(fast.agents)
    try:
        fast.load_agents(settings.cards)
        hardening.apply_defaults(fast, settings)
        _patch_remote(fast)
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
