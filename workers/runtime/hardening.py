"""Sets what a worker needs in fast-agent's configuration and cards, over what their files say."""

from typing import TYPE_CHECKING, Any

from fast_agent.agents.agent_types import AgentConfig
from fast_agent.config import (
    CodexResponsesSettings,
    MCPElicitationSettings,
    MCPServerAuthSettings,
    OpenAISettings,
)
from fast_agent.types import RequestParams

from tasks.config.settings import Settings

if TYPE_CHECKING:
    from fast_agent import FastAgent
    from fast_agent.config import Settings as FastSettings

MAX_ITERATIONS = 10
"""Rounds of tool calls in one turn; fast-agent's own default is 9,999."""
STREAMING_TIMEOUT_S = 60.0
"""A model call whose stream is silent for so long is given up. The SDK's own retries of a 429 fall within it."""


def harden(config: "FastSettings", settings: Settings) -> None:
    """Set what a worker needs in the configuration."""
    config.llm_retries = 0
    config.session_history = False
    config.logger.type = "none"
    config.logger.streaming = "none"
    config.logger.progress_display = False
    config.logger.show_chat = False
    config.logger.show_tools = False
    config.shell_execution.show_bash = False
    config.compaction.auto = False
    _plain_transport(config)
    if config.otel is not None:
        config.otel.enabled = False
    if config.anthropic is not None and config.anthropic.base_url:
        # fast-agent takes off every trailing "/", "v" and "1", of a port too.
        config.anthropic.base_url = config.anthropic.base_url.rstrip("/").removesuffix("/v1")
    if config.mcp is None:
        return
    config.mcp.client.auto_sampling = False
    harden_servers(config, settings)


def _plain_transport(config: "FastSettings") -> None:
    """Use HTTP for OpenAI's Responses unless the file says otherwise: a web socket keeps the last conversation."""
    if config.responses is None:
        config.responses = OpenAISettings(transport="sse")
    if config.codexresponses is None:
        config.codexresponses = CodexResponsesSettings(transport="sse")
    for section in (config.responses, config.codexresponses):
        if "transport" not in section.model_fields_set:
            section.transport = "sse"


def harden_servers(config: "FastSettings", settings: Settings) -> None:
    """Harden every MCP server known so far; cards may bring their own later."""
    for server in config.mcp.servers.values() if config.mcp is not None else ():
        harden_server(server, settings)


def harden_server(server: Any, settings: Settings) -> None:
    """Harden an MCP server: no question on a terminal, no sampling by itself, every call ends."""
    server.elicitation = MCPElicitationSettings(mode="auto-cancel")
    if server.read_timeout_seconds is None:
        server.read_timeout_seconds = max(1, round(settings.tool_timeout.total_seconds()))
    if server.auth is None:
        # Without a block fast-agent starts OAuth, with a browser and a prompt, on a 401.
        server.auth = MCPServerAuthSettings(oauth=False)
    server.auth.oauth = False


_ASKED = "cohort_asked"


def asks_for(data: Any, what: str) -> bool:
    """Whether a registered card asks for something that the operator may withhold."""
    return bool(data.get(_ASKED, {}).get(what))


def apply_defaults(fast: "FastAgent", settings: Settings) -> None:
    """Set our defaults on every registered agent."""
    for entry in fast.agents.values():
        data: Any = entry
        config = data.get("config")
        if not isinstance(config, AgentConfig):
            continue
        if settings.model:
            config.model = settings.model
        # Stored as the card has it, because a card that is loaded again passes here again.
        data.setdefault(_ASKED, {"harness_tools": config.harness_tools, "shell": config.shell})
        config.harness_tools = config.harness_tools and settings.runtime_tools
        params = config.default_request_params or RequestParams()
        given = params.model_fields_set
        if "max_iterations" not in given:
            params.max_iterations = MAX_ITERATIONS
        if "streaming_timeout" not in given:
            params.streaming_timeout = STREAMING_TIMEOUT_S
        config.default_request_params = params
