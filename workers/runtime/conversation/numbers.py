"""Which messages of people a history holds, by Telegram's numbers: an edit corrects one that was read (pure)."""

from collections.abc import Iterable, Sequence

from fast_agent import constants
from fast_agent.types import PromptMessageExtended
from mcp_types import TextContent

from tasks.envelope import Inbound

_NUMBERS = "cohort-numbers"
"""The channel of a user's message that says of which messages of the chat it is made."""


def numbered(message: PromptMessageExtended, numbers: Iterable[int | None]) -> PromptMessageExtended:
    """A message that says of which messages of the chat it is made."""
    written = " ".join(dict.fromkeys(str(number) for number in numbers if number is not None))
    block = TextContent(type="text", text=written)
    return message.model_copy(update={"channels": {**(message.channels or {}), _NUMBERS: [block]}})


def numbers_of(message: PromptMessageExtended) -> list[int]:
    """What it says of them."""
    blocks = (message.channels or {}).get(_NUMBERS) or ()
    words = " ".join(block.text for block in blocks if isinstance(block, TextContent)).split()
    return [int(word) for word in words if word.isdecimal()]


def as_read(messages: Sequence[Inbound], past: Sequence[PromptMessageExtended]) -> list[Inbound]:
    """The messages, where an edit of one that the model does not have is a message like any other.

    ``/new`` or ``/undo`` has taken the first one away, it got no answer, or it is another conversation's. A summary and
    what an earlier release kept do not say of what they are made, and may hold it.
    """
    known = {number for message in past for number in numbers_of(message)}
    unknown = any(_NUMBERS not in (message.channels or {}) for message in past if _is_persons(message))
    found: list[Inbound] = []
    for inbound in messages:
        alone = inbound.edited and not unknown and inbound.message_id not in known
        found.append(inbound.model_copy(update={"edited": False}) if alone else inbound)
        known |= {number for number in (inbound.message_id, *inbound.parts) if number is not None}
    return found


def _is_persons(message: PromptMessageExtended) -> bool:
    """Whether it may hold what a person said."""
    if constants.FAST_AGENT_COMPACTION_CHANNEL in (message.channels or {}):
        return True
    media = constants.FAST_AGENT_TOOL_MEDIA_MESSAGE in (message.channels or {})
    return message.role == "user" and not message.tool_results and not message.is_template and not media
