"""fast-agent's tools by which a model changes its own runtime: off, or for one session.

A card with ``harness_tools: true`` (``type: smart`` implies it) gives its model ``slash_command``: ``/mcp connect``,
``/mcp attach`` and others. They change the agents of a lane, so no other session gets the lane of such an agent.
"""

from collections.abc import Callable, Collection
from typing import Any, NoReturn

from fast_agent.core.exceptions import AgentConfigError

_SHARED = ("add", "remove", "update", "registry")
"""Actions of ``/skills`` that write into folders which all chats share."""


_offered: set[str] = set()


async def _refused(*_: Any) -> NoReturn:
    raise AgentConfigError("Skills are installed by the operator", "All chats of this bot share them.")


def offer(models: Collection[str]) -> None:
    """The models that a subagent may have."""
    _offered.clear()
    _offered.update(models)


def of_those_offered(original: Callable[..., Any]) -> Callable[..., Any]:
    async def spawn_isolated_instance(self: Any, *, model: str | None = None, **kwargs: Any) -> Any:
        """A subagent; a model asks for another one by any name that fast-agent knows."""
        if model not in {None, self.config.model, self.config.subagent_model, *_offered}:
            raise AgentConfigError(f"The model {model!r} is not offered here", "Leave out `model`.")
        return await original(self, model=model, **kwargs)

    return spawn_isolated_instance


def without_installing(original: dict[str, Any]) -> dict[str, Any]:
    """The actions of ``/skills``; those that reach other chats are refused."""
    return {**original, **dict.fromkeys(_SHARED, _refused)}


def has(agent: Any) -> bool:
    """Whether an agent of a lane has them."""
    return bool(agent.config.harness_tools)
