"""The models of a lane's agents: the one place that changes them for a turn, and puts them back after it.

An agent's own model is never touched: a switch attaches another one beside it, so the agent after the turn is the agent
before it.
"""

import logging
from collections.abc import Iterable
from typing import Any

from fast_agent.llm.provider_types import Provider

from workers.runtime import connections, shortcuts

log = logging.getLogger("cohort.runtime")

# What ``set_model`` changes in an agent, beside ``config.model``; the parameters are changed in place.
_ATTACHED = ("_llm", "_llm_factory_ref", "_llm_attach_kwargs", "_default_request_params")
_OWN = "cohort_own_model"


def answering(agents: Iterable[Any]) -> list[Any]:
    """The agents that call a model. One that echoes or plays back is left alone, unless all of them do."""
    found = [agent for agent in agents if getattr(agent, "llm", None) is not None]
    return [agent for agent in found if agent.llm.provider is not Provider.FAST_AGENT] or found


async def switch(agents: Iterable[Any], model: str) -> None:
    """Have each of these agents answer with ``model`` until ``restore``.

    Raises:
        Exception: fast-agent cannot use this model; what was changed is put back by ``restore``.
    """
    for agent in agents:
        if agent.config.model == model:
            continue
        attached = {name: getattr(agent, name) for name in _ATTACHED}
        agent.__dict__.setdefault(_OWN, (attached, agent.config.model, agent.config.default_request_params))
        if agent._default_request_params is not None:  # noqa: SLF001
            changed = agent._default_request_params.model_copy()  # noqa: SLF001
            agent.config.default_request_params = agent._default_request_params = changed  # noqa: SLF001
        # A router's own ``attach_llm`` adds this, and does not take it.
        again: dict[str, Any] = {**(agent._llm_attach_kwargs or {})}  # noqa: SLF001
        again.pop("verb", None)
        agent._llm_attach_kwargs = again  # noqa: SLF001
        await agent.set_model(model)
    connections.install()
    shortcuts.install()


def restore(agent: Any) -> Any | None:
    """Give an agent its own model back; the one that answered instead, if there was one."""
    own = agent.__dict__.pop(_OWN, None)
    if own is None:
        return None
    attached, model, params = own
    used = agent.llm
    for name, value in attached.items():
        setattr(agent, name, value)
    agent.config.model, agent.config.default_request_params = model, params
    agent._on_llm_attached(agent.llm)  # noqa: SLF001
    # A server that came meanwhile may have changed it.
    agent.set_instruction(agent.instruction)
    return used


async def close(model: Any) -> None:
    """End the connection that a model may keep."""
    end = getattr(model, "close", None)
    if end is None:
        return
    try:
        await end()
    except Exception as problem:  # noqa: BLE001 - it is done with
        log.debug("model_close_failed", extra={"error": type(problem).__name__})
