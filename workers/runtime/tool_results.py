"""Results of tools: clean text of a bounded length, whatever a server or a function returned."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fast_agent.types import PromptMessageExtended
from mcp_types import TextContent

from tasks.text import clean, cleaned
from workers.runtime.call_log import CallLog, call_log_of_turn
from workers.runtime.conversation.frames import unframed
from workers.runtime.streams.meter import limits

LEFT_OUT = "[a file of {} MiB from a tool, left out: too much in one turn]"
_CUT = "\n[cut here]"
_OURS = "cohort."
"""The prefix of our own notes on a block; a server's note never begins so."""


def passed_on(message: PromptMessageExtended) -> PromptMessageExtended:
    """Results as clean text of a bounded length: a tool's answer without end is none better than a model's."""
    call_log = call_log_of_turn.get() or CallLog()
    for result in (message.tool_results or {}).values():
        left = limits["answer"]
        for place, block in enumerate(result.content):
            if any(name.startswith(_OURS) for name in block.meta or ()):
                block.meta = {name: note for name, note in (block.meta or {}).items() if not name.startswith(_OURS)}
            holder: Any = getattr(block, "resource", block)
            if isinstance(text := getattr(holder, "text", None), str):
                fits = text if len(text) <= left else text[:left] + _CUT
                left = max(left - len(text), 0)
                holder.text = unframed(clean(fits))
            elif size := len(getattr(holder, "data", None) or getattr(holder, "blob", None) or ""):
                if size <= call_log.files:
                    call_log.files -= size
                else:
                    result.content[place] = TextContent(type="text", text=LEFT_OUT.format(size // 2**20))
        # The same again, for programs: models read the content.
        if _length(result.structured_content, limits["answer"]) > limits["answer"]:
            result.structured_content = None
        if result.structured_content is not None:
            result.structured_content = cleaned(result.structured_content)
    return message


def _length(value: Any, most: int) -> int:
    """Characters and places of a JSON value, counted until there are more than ``most``."""
    count, waiting = 0, [value]
    while waiting and count <= most:
        one = waiting.pop()
        count += 1 + (len(one) if isinstance(one, str) else 0)
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
    return count


def clean_function[**P](function: Callable[P, Any]) -> Callable[P, Any]:
    """A tool's function whose result and error any message can hold: a Python text can have half a surrogate pair."""
    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            with _errors():
                return cleaned(await function(*args, **kwargs))

        return awaited

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> Any:
        with _errors():
            return cleaned(function(*args, **kwargs))

    return called


@contextmanager
def _errors() -> Generator[None]:
    """What a tool raises is an error of that tool: `sys.exit` would end the worker, with the turns of all its chats."""
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as problem:
        said = f"the tool tried to end its process ({type(problem).__name__}: {problem})"
        raise RuntimeError(cleaned(said)) from problem
    except Exception as problem:
        said = str(problem)
        if cleaned(said) == said:
            raise
        raise RuntimeError(cleaned(said)) from problem
