"""What we use of fast-agent beyond its documented API is there and is what we think; an upgrade fails here, by name."""

import inspect
import re
from importlib import import_module

import pytest
from anthropic import _streaming as anthropic_streaming
from fast_agent import FastAgent
from fast_agent import config as fast_config
from fast_agent.agents.agent_types import AgentConfig
from fast_agent.agents.llm_decorator import LlmDecorator
from fast_agent.agents.mcp_agent import McpAgent
from fast_agent.agents.workflow.router_agent import RouterAgent
from fast_agent.commands.handlers import skills
from fast_agent.config import MCPServerSettings, Settings
from fast_agent.core.harness import AgentHarness
from fast_agent.core.logging import logger as fast_logging
from fast_agent.llm import fastagent_llm
from fast_agent.llm.provider.anthropic.llm_anthropic import AnthropicLLM
from fast_agent.llm.provider.google.llm_google_native import GoogleNativeLLM
from fast_agent.llm.provider.openai.llm_openai import OpenAILLM
from fast_agent.llm.provider.openai.openresponses_streaming import OpenResponsesStreamingMixin
from fast_agent.llm.provider.openai.responses_output import ResponsesOutputMixin
from fast_agent.llm.provider.openai.responses_streaming import ResponsesStreamingMixin
from fast_agent.llm.stream_types import StreamChunk
from fast_agent.mcp.mcp_aggregator import MCPAggregator
from fast_agent.mcp.mcp_connection_manager import MCPConnectionManager, ServerConnection
from fast_agent.tools.shell_runtime import ShellRuntime
from fast_agent.tools.skill_reader import SkillReader
from fast_agent.types import LlmStopReason, RequestParams
from fastmcp.tools import FunctionTool
from fastmcp.utilities import async_utils
from google import genai
from google.genai import _api_client as google_client
from openai import _streaming as openai_streaming

from workers.runtime.lanes import baseline
from workers.runtime.patches import connections

ENDS = {
    GoogleNativeLLM: (
        "self._google_response_with_content(last_chunk, final_content)",
        "await self._consume_google_stream(\n            timed_stream,",
    ),
    AnthropicLLM: (
        "def _anthropic_stop_result(\n        self,\n        response: BetaMessage,",
        "await self._process_stream(stream, model, capture_filename)",
        "await stream.get_final_message()",
    ),
    OpenAILLM: (
        "response, streamed_reasoning = await self._process_stream(",
        "await self._openai_stop_result(choice, message)",
        "except EmptyStreamError as exc:",
        "stop_reason: LlmStopReason\n    requested_tool_calls: dict[str, CallToolRequest] | None = None",
    ),
    ResponsesStreamingMixin: ("async def _process_stream(\n        self, stream: Any, model: str,",),
    OpenResponsesStreamingMixin: ("async def _process_stream(\n        self, stream: Any, model: str,",),
    ResponsesOutputMixin: ("def _map_response_stop_reason(self, response: Any) -> LlmStopReason:",),
    openai_streaming.AsyncStream: (
        "iterator = self._iter_events()",
        'if sse.data.startswith("[DONE]"):\n                    break',
    ),
}
"""Where the ends of streams are decided -> what ``stream_end`` counts on."""


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("holder", "names"),
    [
        (FastAgent, ("harness", "load_agents", "_apply_skills_to_agent_configs", "_validate_run_preconditions",
                     "_sync_agent_card_mcp_servers", "get_default_agent_name")),
        (AgentHarness, ("_create_instance", "_dispose_instance")),
        (LlmDecorator, ("load_message_history", "clear", "set_model", "add_stream_listener", "_on_llm_attached",
                        "_finalize_shutdown")),
        (fastagent_llm.FastAgentLLM, ("provider", "model_info")),
        (MCPAggregator, ("_create_callback_runtime", "_attachment_manager_kwargs", "_require_connection_manager")),
        (MCPConnectionManager, ("get_server",)),
        (ServerConnection, ("is_healthy",)),
        (fast_logging.LoggingConfig, ("configure", "shutdown")),
        (fast_config, ("_settings", "get_settings")),
        (openai_streaming.AsyncStream, ("__stream__",)),
        (anthropic_streaming.AsyncStream, ("__stream__",)),
        (google_client.HttpResponse, ("_aiter_response_stream", "_load_json_from_response")),
    ],
)  # fmt: skip
def test_every_private_name_we_use_exists(holder: object, names: tuple[str, ...]) -> None:
    assert [name for name in names if not hasattr(holder, name)] == []


def test_what_we_replace_is_called_as_we_replace_it() -> None:
    # These may be wrapped by now, so it is their source that is read.
    for holder, calls in ENDS.items():
        source = inspect.getsource(
            import_module("openai._streaming" if holder is openai_streaming.AsyncStream else holder.__module__)
        )
        assert [call for call in calls if call not in source] == [], holder
    assert "clear_state" in parameters(LlmDecorator.load_message_history)
    assert parameters(async_utils.call_sync_fn_in_threadpool) == ["fn", "args", "kwargs"]


def test_a_router_adds_a_word_to_what_its_model_is_attached_with() -> None:
    assert 'verb="Routing", **additional_kwargs' in inspect.getsource(RouterAgent.attach_llm)


def test_google_is_given_the_results_of_a_history_and_not_their_calls() -> None:
    source = inspect.getsource(import_module("fast_agent.llm.provider.google.google_converter"))
    assert "def convert_to_google_content(\n        self, messages: list[PromptMessageExtended]" in source
    assert ".tool_calls" not in source, "fixed: workers.runtime.patches.replays is no longer needed"


def test_what_docs_upstream_reports_is_still_so() -> None:
    source = inspect.getsource(import_module(OpenAILLM.__module__))
    assert "if cumulative and delta.startswith(cumulative):" in source
    assert "from_json(arguments, allow_partial=True)" in source


def test_what_a_baseline_leaves_alone_is_where_it_says() -> None:
    for kind in (MCPAggregator, ShellRuntime):
        set_there = set(re.findall(r"self\.(_?\w+)(?::[^=]+)? = ", inspect.getsource(kind.__init__)))
        assert baseline.KEPT[kind.__name__] <= set_there
    for name in baseline._CLOSED:
        assert import_module(name.rstrip("."))


def test_what_is_attached_at_run_time_is_published_in_one_place() -> None:
    source = inspect.getsource(import_module(MCPAggregator.__module__))
    assert source.count("runtime_config=") == 1
    assert source.count(".register_runtime(") == 2
    assert "await mcp_clone.attach_mcp_server(server_name=server_name)" in inspect.getsource(
        import_module(McpAgent.__module__)
    )
    for name in ("_commit_server_attachment", "_resolve_attach_server_config", "server_display_name"):
        assert hasattr(MCPAggregator, name)


def test_there_is_one_way_to_a_shell_and_to_files() -> None:
    source = inspect.getsource(import_module(McpAgent.__module__))
    assert source.count("ShellRuntime(\n") == 1
    assert "if not self._shell_runtime_enabled:\n            return" in inspect.getsource(
        McpAgent._maybe_enable_local_filesystem_runtime
    )
    assert "_allowed_directories" in inspect.getsource(SkillReader)
    assert {"add", "remove", "update", "registry", "list", "available", "search"} == set(skills._SKILLS_ACTION_HANDLERS)


def test_google_s_client_takes_a_context_and_can_be_ended() -> None:
    client = genai.Client(api_key="x")
    assert client.aio.aclose
    assert client._api_client.aclose
    given = inspect.getsource(import_module("google.genai._api_client"))
    assert "verify = 'verify'\n    args = options.client_args\n    async_args = options.async_client_args" in given
    assert "verify = 'ssl'" in given


def test_a_client_of_openai_s_depends_on_what_its_place_is_looked_up_by() -> None:
    source = inspect.getsource(import_module("openai._client")) + inspect.getsource(
        import_module("openai._base_client")
    )
    assert set(re.findall(r'environ\.get\("(\w+)"', source)) == set(connections._ENVIRONMENT)


def test_the_settings_we_force_exist() -> None:
    settings = Settings()
    for path in (
        "llm_retries", "session_history", "logger.type", "logger.streaming", "logger.progress_display",
        "logger.show_chat", "logger.show_tools", "shell_execution.show_bash", "compaction.auto", "otel.enabled",
        "mcp.client.auto_sampling", "mcp.servers", "mcp.server_declarations",
    ):  # fmt: skip
        value = settings
        for name in path.split("."):
            value = getattr(value, name)
    for name in ("elicitation", "read_timeout_seconds", "auth", "load_on_start", "env", "args"):
        assert name in MCPServerSettings.model_fields
    assert {"max_iterations", "streaming_timeout", "tool_execution_handler"} <= set(RequestParams.model_fields)
    assert {"human_input", "servers", "tools", "default_request_params"} <= set(AgentConfig.__dataclass_fields__)
    assert {"timeout"} <= set(FunctionTool.model_fields)


def test_a_key_of_ours_in_a_server_is_kept_where_we_look_for_it() -> None:
    settings = Settings(mcp={"servers": {"memory": {"command": "x", "isolation": "chat"}}})
    assert settings.mcp.server_declarations["memory"].isolation == "chat"
    assert settings.mcp.servers["memory"].command == "x"


def test_stop_reasons_and_stream_events_are_those_we_judge_by() -> None:
    known = {"END_TURN", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_USE", "PAUSE", "CONTINUE", "ERROR", "CANCELLED",
             "TIMEOUT", "SAFETY", "MAX_ITERATIONS"}  # fmt: skip
    assert {reason.name for reason in LlmStopReason} == known
    assert set(StreamChunk.__dataclass_fields__) == {"text", "is_reasoning", "event"}
