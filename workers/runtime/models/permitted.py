"""The agent and the model of a turn, where the role of who asks may not use what the chat chose."""

from collections.abc import Callable
from dataclasses import replace

from tasks.chats.roles import ROLES, Role, only
from tasks.operator_files.chat_rules import ChatRule
from tasks.phrases import phrase, sentences
from tasks.session import SessionKey
from workers.interfaces import TurnFailed, TurnRequest
from workers.runtime.askers import TurnAskers
from workers.runtime.models.choice import ModelChooser


async def permitted(
    request: TurnRequest, askers: TurnAskers, choices: ModelChooser, rule_of: Callable[[SessionKey], ChatRule]
) -> tuple[TurnRequest, tuple[str, ...]]:
    """The turn with an agent and a model that its askers may use; the chat's choice stays as it is.

    What the operator's file names for the chat itself is for all in it.

    Returns:
        The turn, and what its people are told.

    Raises:
        TurnFailed: there is no agent for them.
    """
    told: list[str] = []
    if request.model is not None and (least := await askers.refusing("models", request.model)) is not None:
        told.append(sentences(only(least, request.model), phrase("usual-model")))
        request = replace(request, model=None)
    agent, _ = choices.answering(request)
    ruled = rule_of(request.session).agent

    async def refusing(name: str) -> Role | None:
        """Who may use it where they may not, for a workflow also by the members that it always asks."""
        parts = choices.needed(name) - ({name} if name == ruled else set())
        asked: list[Role | None] = [await askers.refusing("agents", part) for part in sorted(parts)]
        return next((role for role in ROLES if role in asked), None)

    least = await refusing(agent)
    if least is None:
        return request, tuple(told)
    offered = choices.offered(request.session)
    for other in dict.fromkeys((ruled, *offered)):
        if other in offered and await refusing(other) is None:
            told.append(sentences(only(least, agent), phrase("other-agent", name=other)))
            return replace(request, agent=other), tuple(told)
    raise TurnFailed("tell", only(least, agent), "no agent for the role of who asks")
