"""fast-agent's tools by which a model changes its own runtime: off, or for one session.

A card with ``harness_tools: true`` (``type: smart`` implies it) gives its model ``slash_command``: ``/mcp connect``,
``/mcp attach`` and others. They change the agents of a lane, so no other session gets the lane of such an agent.
"""

from typing import Any, NoReturn

from fast_agent.commands.handlers import skills
from fast_agent.core.exceptions import AgentConfigError

_SHARED = ("add", "remove", "update", "registry")
"""Actions of ``/skills`` that write into folders which all chats share."""


async def _refused(*_: Any) -> NoReturn:
    raise AgentConfigError("Skills are installed by the operator", "All chats of this bot share them.")


def install() -> None:
    """Refuse the commands that reach other sessions. Again is harmless."""
    skills._SKILLS_ACTION_HANDLERS.update(dict.fromkeys(_SHARED, _refused))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def has(agent: Any) -> bool:
    """Whether an agent of a lane has them."""
    return bool(agent.config.harness_tools)
