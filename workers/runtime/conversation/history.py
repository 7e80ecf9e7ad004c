"""Encodes, decodes and bounds a session's history.

The stored form is a version byte, then deflated JSON, without the bytes of files and without faults:

    {"messages": [message, ...], "members": {"agent": [message, ...], ...}}

A message is a ``PromptMessageExtended`` without its empty fields: ``role``, ``content`` (blocks of MCP), ``tool_calls``
and ``tool_results`` (id -> call, result), ``channels`` (name -> blocks), ``stop_reason``, ``is_template``.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fast_agent import constants
from fast_agent.types import PromptMessageExtended
from mcp_types import ContentBlock, TextContent
from pydantic import TypeAdapter

from tasks.errors import CohortError
from workers.runtime.conversation.content import is_transcript, media_of, text_block
from workers.runtime.conversation.message_tags import label
from workers.runtime.conversation.numbers import numbered, numbers_of
from workers.runtime.conversation.stored import AUTHORS, LEVEL, VERSION

STEERED = "cohort-steered"
"""The channel of a message that joined a running turn, and of the word before it."""
TURN = "cohort-turn"
"""The channel that says with which turn a message began."""

# Notes of a turn for displays and diagnostics, some of which hold whole files. They are not stored.
PASSING_CHANNELS = frozenset(
    {
        constants.FAST_AGENT_ERROR_CHANNEL,
        constants.FAST_AGENT_ALERT_CHANNEL,
        constants.FAST_AGENT_REMOVED_METADATA_CHANNEL,
        constants.FAST_AGENT_URL_ELICITATION_CHANNEL,
        constants.FAST_AGENT_TIMING,
        constants.FAST_AGENT_TOOL_METADATA,
        constants.FAST_AGENT_TOOL_TIMING,
        constants.FAST_AGENT_SHELL_PROCESS_METADATA,
        constants.FAST_AGENT_USAGE,
        constants.FAST_AGENT_RETRY,
        constants.FAST_AGENT_PROVIDER_ERROR,
        constants.FAST_AGENT_SAFETY_DETAILS,
    }
)


class HistoryTooNew(CohortError):  # noqa: N818 - reads as what it is
    """This history was written by a newer release; it is kept as it is. Upgrade this worker."""


class HistoryBroken(CohortError):  # noqa: N818
    """This history cannot be read."""


@dataclass(slots=True)
class Record:
    """What a session remembers."""

    messages: list[PromptMessageExtended] = field(default_factory=list[PromptMessageExtended])
    """The conversation with the agent that the session talks to."""
    members: dict[str, list[PromptMessageExtended]] = field(default_factory=dict[str, list[PromptMessageExtended]])
    """For workflow cards (chain, router, ...): what each member agent remembers of its own part."""


_adapter = TypeAdapter(Record)


def encode(record: Record) -> bytes:
    """The stored form."""
    slim = Record(
        [_slim(message) for message in record.messages],
        {name: [_slim(message) for message in messages] for name, messages in record.members.items() if messages},
    )
    return bytes([VERSION]) + zlib.compress(_adapter.dump_json(slim, exclude_none=True, by_alias=True), LEVEL)


def decode(stored: bytes | None) -> Record:
    """Read a stored form, this version or older; None is an empty history.

    Raises:
        HistoryTooNew: a newer release wrote it.
        HistoryBroken: the bytes are not a history.
    """
    if not stored:
        return Record()
    if stored[0] > VERSION:
        raise HistoryTooNew(f"history version {stored[0]}; this release reads up to {VERSION}")
    try:
        return _adapter.validate_json(zlib.decompress(stored[1:]))
    except (zlib.error, ValueError) as problem:
        raise HistoryBroken(f"not a history: {type(problem).__name__}") from problem


def _slim(message: PromptMessageExtended) -> PromptMessageExtended:
    """Without passing channels and without the bytes of files."""
    channels = {name: blocks for name, blocks in (message.channels or {}).items() if name not in PASSING_CHANNELS}
    if constants.FAST_AGENT_COMPACTION_CHANNEL in channels:
        # Only the mark is needed; fast-agent files the whole summarising call there.
        channels[constants.FAST_AGENT_COMPACTION_CHANNEL] = [TextContent(type="text", text="{}")]
    content = [_slim_block(block) for block in message.content]
    results = message.tool_results and {
        call: result.model_copy(update={"content": [_slim_block(block) for block in result.content]})
        for call, result in message.tool_results.items()
    }
    return message.model_copy(update={"channels": channels or None, "content": content, "tool_results": results})


def _slim_block(block: ContentBlock) -> ContentBlock:
    if isinstance(block, TextContent) and (media_of(block) is None or is_transcript(block)):
        return block
    media = media_of(block)
    if media is not None:
        # The reference stays in ``_meta``; the file itself is fetched again when a model needs it.
        return text_block(label(media), block.meta)
    kind = getattr(block, "mime_type", None) or getattr(getattr(block, "resource", None), "mime_type", None) or "file"
    return text_block(f"[{kind} from a tool]") if hasattr(block, "data") or _has_bytes(block) else block


def _has_bytes(block: ContentBlock) -> bool:
    return hasattr(getattr(block, "resource", None), "blob")


def starts(messages: Sequence[PromptMessageExtended]) -> list[int]:
    """Where turns start: user messages that are neither tool results nor files a tool attached."""
    return [
        place
        for place, message in enumerate(messages)
        if message.role == "user"
        and not message.tool_results
        and constants.FAST_AGENT_TOOL_MEDIA_MESSAGE not in (message.channels or {})
    ]


def without_last(record: Record) -> tuple[Record, PromptMessageExtended | None]:
    """The record before its last exchange, and the user's message of that; None when there is no exchange."""
    kept = head(record.messages)
    own = [place for place in starts(record.messages) if STEERED not in (record.messages[place].channels or {})]
    place = next((place for place in reversed(own) if place >= kept), None)
    if place is None:
        return record, None
    first, *later = record.messages[place:]
    # Words that joined the turn are asked again with its first ones.
    joined = [message for message in later if message.role == "user" and STEERED in (message.channels or {})]
    message = first.model_copy(update={"content": [block for each in (first, *joined) for block in each.content]})
    message = numbered(message, (number for each in (first, *joined) for number in numbers_of(each)))
    authors = set[int | None]().union(*map(authors_of, (first, *joined)))
    message = with_authors(message, authors) if authors else message
    turn = turn_of(message)
    members = {name: _before(messages, turn) for name, messages in record.members.items()}
    return Record(record.messages[:place], members), unmarked(message)


def _before(messages: list[PromptMessageExtended], turn: str | None) -> list[PromptMessageExtended]:
    """A member's messages before those of a turn; all, where it had no part in it."""
    places = (place for place, message in enumerate(messages) if turn is not None and turn_of(message) == turn)
    return messages[: next(places, len(messages))]


def marked_turn(messages: Sequence[PromptMessageExtended], turn: str) -> list[PromptMessageExtended]:
    """The new messages of a turn, the first marked with it: so is found what members said in which turn."""
    first, *others = messages
    return [first.model_copy(update={"channels": {**(first.channels or {}), TURN: [text_block(turn)]}}), *others]


def turn_of(message: PromptMessageExtended) -> str | None:
    """The turn that a message begins, where it is marked."""
    blocks = (message.channels or {}).get(TURN) or ()
    return next((block.text for block in blocks if isinstance(block, TextContent)), None)


def authors_of(message: PromptMessageExtended) -> set[int | None]:
    """The people whose words a message has, as far as it is marked with them."""
    blocks = (message.channels or {}).get(AUTHORS) or ()
    words = " ".join(block.text for block in blocks if isinstance(block, TextContent)).split()
    return {int(word) for word in words if word.removeprefix("-").isdecimal()}


def with_authors(message: PromptMessageExtended, authors: Iterable[int | None]) -> PromptMessageExtended:
    """A message that says whose words it has."""
    named = " ".join(map(str, sorted(author for author in authors if author is not None)))
    return message.model_copy(update={"channels": {**(message.channels or {}), AUTHORS: [text_block(named)]}})


def unmarked(message: PromptMessageExtended) -> PromptMessageExtended:
    """A user's message as it was asked."""
    channels = {name: blocks for name, blocks in (message.channels or {}).items() if name != TURN}
    return message.model_copy(update={"channels": channels or None})


def head(messages: Sequence[PromptMessageExtended]) -> int:
    """How many messages at the front always stay: a card's own examples and the summary of a compaction."""
    count = 0
    for message in messages:
        if not message.is_template and constants.FAST_AGENT_COMPACTION_CHANNEL not in (message.channels or {}):
            break
        count += 1
    return count


def bound(messages: list[PromptMessageExtended], limit: int) -> list[PromptMessageExtended]:
    """At most ``limit`` messages, cut where a turn starts: calls keep their results, a user speaks first.

    One turn alone may exceed the limit (many tool calls); it is kept whole.
    """
    if len(messages) <= limit:
        return messages
    kept = head(messages)
    places = [place for place in starts(messages) if place >= kept]
    if not places:
        return messages
    fitting = [place for place in places if kept + len(messages) - place <= limit]
    return messages[:kept] + messages[fitting[0] if fitting else places[-1] :]


def bounded(record: Record, limit: int) -> Record:
    """Each agent's messages within the bound."""
    return Record(
        bound(record.messages, limit), {name: bound(messages, limit) for name, messages in record.members.items()}
    )


def newest(record: Record, part: float) -> Record | None:
    """The newest turns, at most this part of all (by size); None when there is nothing that can be left out."""
    messages = _newest(record.messages, part)
    members = {name: _newest(held, part) for name, held in record.members.items()}
    if all(len(members[name]) == len(held) for name, held in record.members.items()) and len(messages) == len(
        record.messages
    ):
        return None
    return Record(messages, members)


def _newest(messages: list[PromptMessageExtended], part: float) -> list[PromptMessageExtended]:
    kept = head(messages)
    room = part * sum(map(_size, messages[kept:]))
    first = len(messages)
    for place in reversed([place for place in starts(messages) if place >= kept]):
        if sum(map(_size, messages[place:])) > room:
            break
        first = place
    return messages[:kept] + messages[first:]


def _size(message: PromptMessageExtended) -> int:
    """Characters, and those of tool calls and their results."""
    calls = (*(message.tool_calls or {}).values(), *(message.tool_results or {}).values())
    return len(message.all_text()) + sum(len(call.model_dump_json()) for call in calls)
