"""A lane as it was made, to be held against what it is after a turn."""

import os
import sys
from pathlib import Path
from typing import Any

import fast_agent.config as fast_config

from tests.runtime.reachable import Picture, differences, picture
from workers.runtime.engine import Engine

ALLOWED = (
    # A connection to an MCP server counts its requests, so that no answer is taken for another's.
    "._persistent_connection_manager.",
)
"""What may differ: parts of paths, each with its reason."""

SERVER = Path(__file__).with_name("stdio_server.py")


class Watched:
    """A runtime with one lane, and how it looked when it was new."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        (self._lane,) = engine.lanes._free
        self.made = engine.lanes.made
        self.lane, self.process = self._lane_now(), self._process_now()

    def _lane_now(self) -> Picture:
        context = self._engine._registry.fast.context
        shared = (context, context.config, context.executor, context.server_registry, context.skill_registry)
        return picture(self._lane.agents.agents, shared=shared)

    def _process_now(self) -> Picture:
        fast = self._engine._registry.fast
        return picture(
            {
                "context": fast.context,
                "settings": fast_config._settings,
                "cards": fast.agents,
                "environ": dict(os.environ),
                "directory": Path.cwd(),
                "path": sys.path,
            }
        )

    def left(self) -> dict[str, Any]:
        """What is not as it was, but for what is allowed."""
        found = differences(self.lane, self._lane_now()) | differences(self.process, self._process_now())
        return {path: what for path, what in found.items() if not any(part in path for part in ALLOWED)}
