"""Pictures that a model drew, beside its answer in the journal: a turn that goes on gives them again.

The answer itself holds a line for each (``workers.runtime.tools.files_out``), as the history does.
"""

from fast_agent.types import PromptMessageExtended
from mcp_types import TextContent
from pydantic import ValidationError

from tasks.envelope import OutFile
from workers.runtime.tools.files_out import files_of_turn

_CHANNEL = "cohort-drawn"


def noted(message: PromptMessageExtended) -> PromptMessageExtended:
    """An answer with the pictures that its lines stand for, to be kept."""
    out, text = files_of_turn.get(), message.all_text()
    files = [file for mark, file in out.drawn if mark in text] if out is not None else []
    if not files:
        return message
    notes = [TextContent(type="text", text=file.model_dump_json(exclude_defaults=True)) for file in files]
    return message.model_copy(update={"channels": {**(message.channels or {}), _CHANNEL: notes}})


def give_again(message: PromptMessageExtended) -> None:
    """Take them out of an answer that was kept, and give them to the turn. Blocking."""
    channels, out = dict(message.channels or {}), files_of_turn.get()
    for note in channels.pop(_CHANNEL, ()):
        if out is not None and isinstance(note, TextContent):
            try:
                out.draw_again(OutFile.model_validate_json(note.text))
            except ValidationError:
                continue
    message.channels = channels or None
