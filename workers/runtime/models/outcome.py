"""What a turn's end says about its model: the breaker is told of what is the provider's and of nothing else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from workers.interfaces import TurnFailed, TurnRequest
from workers.runtime import faults
from workers.runtime.faults import ModelSilent, ProviderFault, SetupFault, TurnTimedOut
from workers.runtime.models.breaker import Breaker, Caller
from workers.runtime.models.choice import ModelChoice

# Characters of a message, and bytes of a (compressed) history, that any model reads within its silence.
_SHORT = 8_000


@asynccontextmanager
async def reported(
    breaker: Breaker, request: TurnRequest, choice: ModelChoice, *, several: bool
) -> AsyncGenerator[None]:
    """Around all of a turn, from the choice of its model on: the turn may be the probe, and gives that back.

    ``several``: the turn calls more models than the one that is counted.
    """
    caller = Caller.of(request)
    try:
        yield
    except ProviderFault as problem:
        if several or (isinstance(problem, ModelSilent) and _long(request)):
            breaker.abandoned(choice.model, caller)
        else:
            breaker.failed(choice.model, caller)
        raise
    except TurnFailed as problem:
        if problem.action == "retry" or isinstance(problem, TurnTimedOut | SetupFault):
            breaker.abandoned(choice.model, caller)
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


def _long(request: TurnRequest) -> bool:
    """Whether a request may take a model so long to read that its silence is no fault."""
    said = sum(len(message.text) for message in request.messages)
    return max(said, len(request.history or b"")) > _SHORT or any(message.media for message in request.messages)
