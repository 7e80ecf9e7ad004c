"""Whether what a model's call returned is an answer: a return is no proof of one (pure)."""

from fast_agent.types import LlmStopReason, PromptMessageExtended
from mcp_types import TextContent

from workers.runtime import failures
from workers.runtime.watch import Watch, fault_of

# Their streams end with a count of tokens; one without it was cut off, however clean its end looked.
_ALWAYS_METERED = frozenset({"anthropic", "google", "responses"})


def check(response: PromptMessageExtended, watch: Watch, model: str, *, metered: bool) -> None:
    """Let an answer pass.

    Raises:
        TurnFailed: it is none.
    """
    fault = fault_of(response)
    if fault is None:
        # A member's failure is a text to the next member, and a child agent's one to the agent that called it.
        fault = next((call.fault for call in watch.calls if call.fault), None)
    if fault is not None:
        raise failures.classify(fault, model)
    match response.stop_reason:
        case LlmStopReason.CANCELLED | LlmStopReason.TIMEOUT:
            raise failures.cut_off(model)
        case LlmStopReason.SAFETY:
            raise failures.refused(model)
        case LlmStopReason.MAX_ITERATIONS:
            raise failures.out_of_steps(model)
        case _:
            pass
    # fast-agent's own echo puts a parallel's answers together, and counts nothing.
    last = next((call for call in reversed(watch.calls) if call.provider != "fast-agent"), None)
    if last is not None and (metered or last.provider in _ALWAYS_METERED) and not last.metered:
        raise failures.cut_off(model)
    if not text_of(response).strip() and not watch.cut:
        raise failures.empty(model)


def text_of(message: PromptMessageExtended) -> str:
    """All text of a message, in order."""
    return "".join(block.text for block in message.content if isinstance(block, TextContent))
