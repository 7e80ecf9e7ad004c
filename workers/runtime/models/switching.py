"""Switches the model of a lane's agents for a turn. Resetting the lane takes the change back."""

import logging
from collections.abc import Iterable
from typing import Any

from fast_agent.llm.provider_types import Provider

from workers.runtime.patches import patch

log = logging.getLogger("cohort.runtime")


def answering(agents: Iterable[Any]) -> list[Any]:
    """The agents that call a model. Agents that echo or play back are left alone, unless all of them do."""
    found = [agent for agent in agents if getattr(agent, "llm", None) is not None]
    return [agent for agent in found if agent.llm.provider is not Provider.FAST_AGENT] or found


async def switch(agents: Iterable[Any], model: str) -> None:
    """Have each of these agents answer with ``model`` until its lane is reset.

    Raises:
        Exception: fast-agent cannot use this model; agents may be changed in part.
    """
    for agent in agents:
        if agent.config.model == model:
            continue
        # A router's own ``attach_llm`` adds this, and does not take it.
        again: dict[str, Any] = {**(agent._llm_attach_kwargs or {})}  # noqa: SLF001
        again.pop("verb", None)
        agent._llm_attach_kwargs = again  # noqa: SLF001
        await agent.set_model(model)
    patch.apply()


async def close(model: Any) -> None:
    """Close the connection that a model may hold."""
    end = getattr(model, "close", None)
    if end is None:
        return
    try:
        await end()
    except Exception as problem:  # noqa: BLE001 - the model is not used any more
        log.debug("model.close_failed", extra={"error": type(problem).__name__})
