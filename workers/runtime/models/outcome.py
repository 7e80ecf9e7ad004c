"""Reports to the breaker how a turn ended. Only faults of the provider count against a model."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tasks.telemetry import metrics
from workers.interfaces import TurnFailed, TurnRequest
from workers.runtime.faults import classify as faults
from workers.runtime.faults.classify import ModelSilent, ProviderFault, SetupFault, TurnTimedOut
from workers.runtime.models.breaker import Breaker, Caller
from workers.runtime.models.choice import ModelChoice

_SHORT = 8_000
"""Characters of a message, and bytes of a (compressed) history, that any model reads before its stream times out."""


@asynccontextmanager
async def reported(
    breaker: Breaker, request: TurnRequest, choice: ModelChoice, *, several: bool
) -> AsyncGenerator[None]:
    """Report a turn's end. Wraps the whole turn from the choice of the model on: the turn may be the breaker's probe.

    Args:
        breaker: What is told.
        request: The turn.
        choice: Names the model that is counted.
        several: The turn calls other models as well, so a fault says little about this one.
    """
    caller = Caller.of(request)
    try:
        yield
    except ProviderFault as problem:
        _count(problem, choice.model)
        if several or (isinstance(problem, ModelSilent) and _long(request)):
            breaker.abandoned(choice.model, caller)
        else:
            breaker.failed(choice.model, caller)
        raise
    except TurnFailed as problem:
        _count(problem, choice.model)
        if (
            problem.action == "retry"
            or isinstance(problem, TurnTimedOut | SetupFault)
            or (problem.action == "operator" and several)
        ):
            breaker.abandoned(choice.model, caller)
        elif problem.action == "operator":
            breaker.refused(choice.model, problem.detail.replace(f"{choice.model}: ", ""))
        else:
            breaker.succeeded(choice.model)
        if problem.action == "operator" and choice.chosen and not isinstance(problem, SetupFault):
            raise faults.unusable(choice.model, problem.detail) from problem
        raise
    except BaseException:
        breaker.abandoned(choice.model, caller)
        raise
    else:
        breaker.succeeded(choice.model)


def _count(problem: TurnFailed, model: str) -> None:
    provider = model.partition(".")[0] if "." in model else "alias"
    metrics.MODEL_ERRORS.labels(type(problem).__name__, metrics.bounded("provider", provider)).inc()


def _long(request: TurnRequest) -> bool:
    """Whether a model may need so long to read this request that its silence is no fault."""
    said = sum(len(message.text) for message in request.messages)
    return max(said, len(request.history or b"")) > _SHORT or any(message.media for message in request.messages)
