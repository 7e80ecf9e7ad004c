"""Whether what a model's call returned is an answer: a return is no proof of one."""

from fast_agent.types import LlmStopReason, PromptMessageExtended
from mcp_types import TextContent

from workers.runtime import faults
from workers.runtime.call_log import CallLog, fault_of, unfinished

UNFINISHED = "(The model's stream broke off without a word that this is the end. Ask me to go on.)"


class EndMarkers:
    """Which models are known to say when an answer is whole, and which have not yet been seen to."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._never: set[str] = set()

    def never(self, model: str) -> bool:
        """Whether it has ended a stream without a word, and none with one: it may be its way."""
        return model in self._never

    def whole(self, model: str) -> None:
        """It has said that an answer was whole."""
        self._known.add(model)
        self._never.discard(model)

    def broke_off(self, model: str) -> None:
        """It has not."""
        if model not in self._known:
            self._never.add(model)


def check(response: PromptMessageExtended, call_log: CallLog, model: str, *, open_ended: bool) -> None:
    """Let an answer pass; ``open_ended``: also one whose stream ended without a word.

    Raises:
        TurnFailed: it is none.
    """
    if not open_ended and (unfinished(response) or any(call.unfinished for call in call_log.calls)):
        raise faults.cut_off(model)
    fault = fault_of(response)
    if fault is None:
        # A member's failure is a text to the next member, and a child agent's one to the agent that called it.
        fault = next((call.fault for call in call_log.calls if call.fault), None)
    if fault is not None:
        raise faults.classify(fault, model)
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
    return "".join(block.text for block in message.content if isinstance(block, TextContent))
