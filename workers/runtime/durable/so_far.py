"""How far a turn came that its user stopped: its finished steps and what it had said, as messages of a history."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fast_agent.types import PromptMessageExtended
from mcp_types import CallToolRequest, CallToolResult, TextContent

from tasks.envelope import Inbound
from workers.runtime.conversation import fitting
from workers.runtime.conversation.content import text_block
from workers.runtime.conversation.history import STEERED
from workers.runtime.durable import entries, files
from workers.runtime.durable.entries import Kept
from workers.runtime.durable.steering import joining
from workers.steps import StepLog

STOPPED = "[The user stopped me here.]"
"""Ends the assistant's last message, so that the model knows that it had not said all."""
_UNKNOWN = (
    "The outcome of this call is unknown: the user stopped the turn while it was under way. It may have been carried"
    " out, and it may not. Find out which before you repeat it, or ask the user."
)
_NOT_MADE = "This call was not made: the user stopped the turn before it."


@dataclass(frozen=True, slots=True)
class SoFar:
    """A stopped turn. Each tool call gets a result, because every provider refuses a call without one."""

    kept: Kept
    turn: str
    lead: str | None
    """The agent whose steps stand in the history; None for a workflow, whose steps are told in words."""
    directory: Path
    """Where large results stand."""

    @classmethod
    def read(cls, steps: StepLog | None, lead: str | None, directory: Path) -> "SoFar":
        """Read what is kept of the turn; a damaged journal counts as none."""
        try:
            kept = Kept.read(steps.kept if steps is not None else ())
        except entries.Damaged:
            kept = Kept()
        return cls(kept, steps.turn if steps is not None else "", lead, directory)

    def messages(self, shown: str) -> list[PromptMessageExtended]:
        """The messages behind the user's own; ``shown``: the whole text that the turn had shown."""
        made: list[PromptMessageExtended] = []
        for number, key in enumerate(self._steps("")):
            made += self._joined(number)
            message = self.kept.models[key]
            made.append(message)
            if message.tool_calls:
                results = {call: self._result(key, call, asked) for call, asked in message.tool_calls.items()}
                made.append(PromptMessageExtended(role="user", content=[], tool_results=results))
        made += self._joined(len(self._steps("")))
        own = [message for message in made if message.role == "assistant" and STEERED not in (message.channels or {})]
        said = [text for message in own if (text := message.all_text().strip())]
        rest = shown.removeprefix("\n\n".join(said)).strip()
        words = [] if self.lead is not None else [*self._words("")]
        last = "\n\n".join(part for part in (*words, rest, STOPPED) if part)
        return [*made, PromptMessageExtended(role="assistant", content=[text_block(last)])]

    def _joined(self, number: int) -> list[PromptMessageExtended]:
        """What joined the turn before this call of the lead."""
        messages = [Inbound.from_json(kept) for kept in self.kept.steered.get(number, ())]
        return joining(messages) if messages and self.lead is not None else []

    def _steps(self, within: str) -> list[str]:
        """Keys of the lead's own calls, oldest first."""
        kept = self.kept
        return [key for key, name in kept.agents.items() if name == self.lead and kept.within[key] == within]

    def _result(self, model: str, call: str, asked: CallToolRequest) -> CallToolResult:
        key = self._key(model, call, asked)
        ended = self.kept.results.get(key)
        if ended is not None:
            found = ended.result or (files.read(self.directory, ended.file) if ended.file else None)
            return found or _said(_UNKNOWN)
        if inside := [*self._words(key)]:
            # An agent that was used as a tool.
            return _said("\n".join((*inside, _UNKNOWN)))
        return _said(_UNKNOWN if key in self.kept.begun else _NOT_MADE)

    def _key(self, model: str, call: str, asked: CallToolRequest) -> str:
        return entries.key_of(self.turn, model, call, asked.params.name, entries.written(asked.params.arguments))

    def _words(self, within: str) -> Iterator[str]:
        """All finished steps inside of a call ("": all of the turn), told in words."""
        for key, message in self.kept.models.items():
            if within and within not in self.kept.within[key].split("/"):
                continue
            for call, asked in (message.tool_calls or {}).items():
                ended = self.kept.results.get(self._key(key, call, asked))
                if ended is None or ended.result is None:
                    continue
                pair = {"tool_calls": {call: asked}, "tool_results": {call: ended.result}, "content": []}
                # It tells a result first: in a history the call stands in the message before.
                yield from reversed([*fitting.told_steps(message.model_copy(update=pair))])


def _said(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)])
