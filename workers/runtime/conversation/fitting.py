"""Making a history one that the next model takes (pure): what is bound to another model goes, and the form is whole.

Each assistant message carries the name of the model that wrote it. A model's reasoning, signatures, checkpoints and
ids of tool calls mean something to that model alone: another one refuses them (400), or worse, believes them. Every
provider takes a history in which user and assistant alternate, each tool call is followed by its result, no text is
blank, and the ids of tool calls are nine letters or digits, which is what the strictest (Mistral) asks for.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2s
from string import ascii_letters, digits
from typing import Any

from fast_agent import constants
from fast_agent.types import PromptMessageExtended
from mcp_types import CallToolRequest, CallToolResult, ContentBlock, TextContent

from workers.runtime.conversation.content import text_block
from workers.runtime.conversation.history import Record

MAKER = "cohort-model"
"""The channel that names the model which wrote a message."""

# fast-agent's own notes; every other channel is a provider's, those that do not exist yet included.
_NEUTRAL = ("fast-agent-", "cohort-")
_BOUND = frozenset({constants.FAST_AGENT_PROVIDER_CHECKPOINT})

_ALPHABET = ascii_letters + digits
_ID = re.compile(r"[A-Za-z0-9]{9}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_CHARACTERS = 64

NOTED = "Understood."
"""What the assistant said to a summary, or to a card's example that nothing answers."""
BEGUN = "Hello."
"""What a user said before an assistant's first word."""


def maker_of(agent: Any) -> str:
    """The model behind an agent, as its messages are marked; empty where it calls none."""
    llm = getattr(agent, "llm", None)
    return "" if llm is None else f"{llm.provider.config_name}/{llm.model_name}"


def marked(messages: Iterable[PromptMessageExtended], maker: str) -> list[PromptMessageExtended]:
    """The same messages, those of an assistant marked with who wrote them where they are not yet."""
    return [
        message.model_copy(update={"channels": {**(message.channels or {}), MAKER: [text_block(maker)]}})
        if message.role == "assistant" and maker and _maker(message) is None
        else message
        for message in messages
    ]


def fit(messages: Sequence[PromptMessageExtended], maker: str) -> list[PromptMessageExtended]:
    """The history for the model ``maker``; doing it again changes nothing."""
    own = [message if _maker(message) == maker else _unbound(message) for message in messages]
    return _alternating(_with_ids(_paired(own), maker))


def plain(messages: Sequence[PromptMessageExtended]) -> list[PromptMessageExtended]:
    """The history as words alone, calls of tools told in brackets: what every model takes."""
    told = [
        message.model_copy(
            update={
                "channels": _neutral(message),
                "content": [*message.content, *map(text_block, told_steps(message))],
                "tool_calls": None,
                "tool_results": None,
                "phase": None,
            }
        )
        for message in messages
    ]
    return _alternating([message for message in told if message.content])


def told(record: Record) -> Record:
    """All that a session remembers, as words alone."""
    return Record(plain(record.messages), {name: plain(messages) for name, messages in record.members.items()})


def load(agents: dict[str, Any], agent: str, record: Record) -> Record:
    """Give each agent of a lane what it remembers, in a form that its model takes; the turn goes on from that form."""
    fitted = {
        name: fit(messages, maker_of(agents[name]))
        for name, messages in {**record.members, agent: record.messages}.items()
        if name in agents
    }
    for name, messages in fitted.items():
        agents[name].load_message_history(messages, clear_state=True)
    messages = fitted.pop(agent)
    return Record(messages, {**record.members, **fitted})


def _maker(message: PromptMessageExtended) -> str | None:
    blocks = (message.channels or {}).get(MAKER) or ()
    return next((block.text for block in blocks if isinstance(block, TextContent)), None)


def _neutral(message: PromptMessageExtended) -> dict[str, Any] | None:
    kept = {
        name: blocks
        for name, blocks in (message.channels or {}).items()
        if name.startswith(_NEUTRAL) and name not in _BOUND
    }
    return kept or None


def _unbound(message: PromptMessageExtended) -> PromptMessageExtended:
    """Without what only its maker can read."""
    channels = _neutral(message)
    if message.phase is None and len(channels or ()) == len(message.channels or ()):
        return message
    return message.model_copy(update={"channels": channels, "phase": None})


# -- calls and results


def _paired(messages: list[PromptMessageExtended]) -> list[PromptMessageExtended]:
    """Only calls that the next message answers, only results of calls in the message before, in the calls' order."""
    whole: list[PromptMessageExtended] = []
    for before, message, after in zip([None, *messages], messages, [*messages, None][1:], strict=False):
        answered: dict[str, Any] = (after and after.tool_results) or {}
        given = message.tool_results or {}
        calls = {key: call for key, call in (message.tool_calls or {}).items() if key in answered}
        results = {key: given[key] for key in ((before and before.tool_calls) or ()) if key in given}
        if len(calls) == len(message.tool_calls or ()) and list(results) == list(given):
            whole.append(message)
            continue
        # What it says raw names the lost call, too.
        changes = {"tool_calls": calls or None, "tool_results": results or None, "channels": _neutral(message)}
        whole.append(message.model_copy(update=changes))
    return whole


def _with_ids(messages: list[PromptMessageExtended], maker: str) -> list[PromptMessageExtended]:
    """Calls of other models under ids and names that every provider takes, no id twice."""
    seen = {key for message in messages if _maker(message) == maker for key in message.tool_calls or ()}
    done: list[PromptMessageExtended] = []
    renamed: dict[str, str] = {}
    for place, message in enumerate(messages):
        if message.tool_results and any(key != renamed.get(key, key) for key in message.tool_results):
            results = {renamed.get(key, key): result for key, result in message.tool_results.items()}
            done.append(message.model_copy(update={"tool_results": results}))
            continue
        if not message.tool_calls:
            done.append(message)
            continue
        renamed = {}
        if _maker(message) != maker:
            renamed = {key: _free_id(key, place, seen) for key in message.tool_calls}
        done.append(_renamed(message, renamed) if renamed else message)
        seen.update(done[-1].tool_calls or ())
    return done


def _free_id(key: str, place: int, seen: set[str]) -> str:
    """``key`` where it will do, else one made of it and of its place in the history."""
    if _ID.fullmatch(key) and key not in seen:
        return key
    number = 0
    while True:
        digest = int.from_bytes(blake2s(f"{place}:{number}:{key}".encode(errors="replace"), digest_size=8).digest())
        made = "".join(_ALPHABET[digest // 62**position % 62] for position in range(9))
        if made not in seen:
            return made
        number += 1


def _renamed(message: PromptMessageExtended, ids: dict[str, str]) -> PromptMessageExtended:
    calls = {ids[key]: _named(call) for key, call in (message.tool_calls or {}).items()}
    same = all(key == made for key, made in ids.items()) and list(calls.values()) == list(
        (message.tool_calls or {}).values()
    )
    return message if same else message.model_copy(update={"tool_calls": calls})


def _named(call: CallToolRequest) -> CallToolRequest:
    name = _NOT_IN_NAMES.sub("_", call.params.name)[:_NAME_CHARACTERS] or "tool"
    if name == call.params.name:
        return call
    return call.model_copy(update={"params": call.params.model_copy(update={"name": name})})


# -- turns


def _alternating(messages: list[PromptMessageExtended]) -> list[PromptMessageExtended]:
    """User first, then by turns, an assistant's word last; nothing blank."""
    turns: list[PromptMessageExtended] = []
    for message in map(_spoken, messages):
        if message is None:
            continue
        last = turns[-1] if turns else None
        if last is None and message.role == "assistant":
            turns.append(_filler(message, "user", BEGUN))
        elif last is not None and last.role == message.role:
            if not _apart(last, message):
                turns[-1] = _joined(last, message)
                continue
            other, words = ("assistant", NOTED) if message.role == "user" else ("user", BEGUN)
            turns.append(_filler(last, other, words))
        turns.append(message)
    if turns and turns[-1].role == "user":
        turns.append(_filler(turns[-1], "assistant", NOTED))
    return turns


def _spoken(message: PromptMessageExtended) -> PromptMessageExtended | None:
    """Without blank texts; None when nothing is left."""
    content = [block for block in message.content if not isinstance(block, TextContent) or block.text.strip()]
    if not content and not message.tool_calls and not message.tool_results:
        return None
    return message if len(content) == len(message.content) else message.model_copy(update={"content": content})


def _apart(first: PromptMessageExtended, second: PromptMessageExtended) -> bool:
    """Whether two messages of the same side must not become one."""
    marks = {**(first.channels or {}), **(second.channels or {})}
    # What the card begins with and a summary are told from turns wherever a history is cut.
    if first.is_template or second.is_template or constants.FAST_AGENT_COMPACTION_CHANNEL in marks:
        return True
    # A tool's files go with its result; a user's words do not.
    return bool(first.tool_results) and constants.FAST_AGENT_TOOL_MEDIA_MESSAGE not in (second.channels or {})


def _filler(beside: PromptMessageExtended, role: Any, text: str) -> PromptMessageExtended:
    """A word between two of the same; it stays as long as what it stands beside."""
    mark = constants.FAST_AGENT_COMPACTION_CHANNEL
    summed = {mark: [text_block("{}")]} if mark in (beside.channels or {}) else None
    return PromptMessageExtended(role=role, content=[text_block(text)], channels=summed, is_template=beside.is_template)


def _joined(first: PromptMessageExtended, second: PromptMessageExtended) -> PromptMessageExtended:
    """Two messages of the same side as one. Files that a tool gave go with its result, whose call stands before."""
    results = first.tool_results
    content = [*first.content, *second.content]
    if results:
        last = next(reversed(results))
        texts: list[ContentBlock] = [block for block in second.content if isinstance(block, TextContent)]
        grown: CallToolResult = results[last].model_copy(update={"content": [*results[last].content, *texts]})
        results = {**results, last: grown}
        content = [*first.content, *(block for block in second.content if not isinstance(block, TextContent))]
    return first.model_copy(
        update={
            "content": content,
            "tool_calls": {**(first.tool_calls or {}), **(second.tool_calls or {})} or None,
            "tool_results": {**(results or {}), **(second.tool_results or {})} or None,
            "channels": {**(_neutral(first) or {}), **(_neutral(second) or {})} or None,
            "stop_reason": second.stop_reason,
            "phase": None,
        }
    )


def told_steps(message: PromptMessageExtended) -> Iterable[str]:
    """The calls of tools and their results in a message, as words."""
    for result in (message.tool_results or {}).values():
        said = " ".join(block.text for block in result.content if isinstance(block, TextContent))
        yield f"[result: {said.strip() or 'nothing'}]"
    for call in (message.tool_calls or {}).values():
        yield f"[called {call.params.name} with {call.params.arguments or {}}]"
