"""Checks whether what a model call returned is an answer: fast-agent returns faults and half answers as well."""

from collections.abc import Iterable

from fast_agent.types import LlmStopReason, PromptMessageExtended
from mcp_types import TextContent

from workers.runtime.call_log import CallLog, fault_of, unfinished
from workers.runtime.faults import classify as faults


class EndMarkers:
    """Remembers which models send a stop reason at the end of an answer, and which have not been seen to."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._never: set[str] = set()

    def never(self, model: str) -> bool:
        """Whether the model has ended streams without a stop reason, and never with one: it may not send any."""
        return model in self._never

    def whole(self, model: str) -> None:
        """Note that the model ended an answer with a stop reason."""
        self._known.add(model)
        self._never.discard(model)

    def broke_off(self, model: str) -> None:
        """Note that the model ended a stream without a stop reason."""
        if model not in self._known:
            self._never.add(model)


def check(
    response: PromptMessageExtended, call_log: CallLog, model: str, *, sent: Iterable[str] = (), open_ended: bool
) -> None:
    """Let an answer pass.

    Args:
        response: What the agent returned.
        call_log: The model calls of the turn.
        model: For the operator.
        sent: The texts of the request.
        open_ended: An answer whose stream ended without a stop reason passes, too.

    Raises:
        TurnFailed: the response is no answer.
    """
    if not open_ended and (unfinished(response) or any(call.unfinished for call in call_log.calls)):
        raise faults.cut_off(model)
    fault = fault_of(response)
    if fault is None:
        # A member's failure is a text to the next member, and a child agent's one to the agent that called it.
        fault = next((call.fault for call in call_log.calls if call.fault), None)
    elif call_log.calls:
        fault = call_log.calls[-1].told(fault)
    if fault is not None:
        raise faults.classify(fault, model, sent)
    match response.stop_reason:
        case LlmStopReason.CANCELLED:
            raise faults.cut_off(model)
        case LlmStopReason.SAFETY:
            raise faults.refused(model)
        case LlmStopReason.MAX_ITERATIONS:
            raise faults.out_of_steps(model)
        case LlmStopReason.MAX_TOKENS if not text_of(response).strip() and not call_log.cut:
            raise faults.length_reached(model)
        case _:
            pass
    if not text_of(response).strip() and not call_log.cut:
        raise faults.empty(model)


def text_of(message: PromptMessageExtended) -> str:
    """All text of a message, in order."""
    return "".join([block.text for block in message.content if isinstance(block, TextContent)])
