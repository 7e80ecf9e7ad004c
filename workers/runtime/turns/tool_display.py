"""Shows a turn's tool calls, as fast-agent's ``ToolExecutionHandler``."""

from dataclasses import replace
from typing import Any

from workers.interfaces import Sink
from workers.showing import Step

_LOOP = "agent_loop"
"""fast-agent's word for the rounds of an agent, which are no tool."""


class ToolDisplay:
    """Of one turn."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._running: dict[str, Step] = {}
        self._number = 0
        self.dead_server = False

    @property
    def ran(self) -> bool:
        return self._number > 0

    def replayed(self, tool: str) -> None:
        """A tool ran in an earlier try of the turn."""
        step = self._begin(tool)
        self._end(step.key, "done")

    def _begin(self, tool: str) -> Step:
        self._number += 1
        step = self._running[str(self._number)] = Step(str(self._number), tool)
        self._sink.step(step)
        return step

    def _end(self, key: str, state: Any) -> None:
        step = self._running.pop(key, None)
        if step is not None:
            self._sink.step(replace(step, state=state))

    async def on_tool_start(
        self,
        tool_name: str,
        server_name: str,  # noqa: ARG002 - fast-agent's signature
        arguments: dict[str, Any] | None,  # noqa: ARG002
        tool_use_id: str | None = None,  # noqa: ARG002
    ) -> str:
        return "" if tool_name == _LOOP else self._begin(tool_name).key

    async def on_tool_progress(
        self,
        tool_call_id: str,
        progress: float,
        total: float | None,
        message: str | None,  # noqa: ARG002 - fast-agent's signature; a server's words are not the agent's
    ) -> None:
        if tool_call_id in self._running:
            step = replace(self._running[tool_call_id], done=progress, total=total)
            self._running[tool_call_id] = step
            self._sink.step(step)

    async def on_tool_complete(
        self,
        tool_call_id: str,
        success: bool,  # noqa: FBT001 - fast-agent's signature
        content: list[Any] | None,  # noqa: ARG002
        error: str | None,
    ) -> None:
        # A stdio server that died never comes back by itself, and fast-agent goes on calling it connected.
        self.dead_server = self.dead_server or "connection closed" in (error or "").casefold()
        self._end(tool_call_id, "done" if success else "failed")

    async def on_tool_permission_denied(
        self, tool_name: str, server_name: str, tool_use_id: str | None, error: str | None = None
    ) -> None:
        """Cohort asks for no permission through fast-agent."""

    async def get_tool_call_id_for_tool_use(self, tool_use_id: str) -> str | None:  # noqa: ARG002
        return None

    async def ensure_tool_call_exists(
        self,
        tool_use_id: str,  # noqa: ARG002
        tool_name: str,
        server_name: str,
        arguments: dict[str, Any] | None = None,
    ) -> str:
        return await self.on_tool_start(tool_name, server_name, arguments)
