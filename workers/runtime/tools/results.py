"""Results of tools: clean text of a bounded length, whatever a server or a function returned."""

import logging
from asyncio import CancelledError, current_task
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from inspect import isasyncgenfunction, isawaitable, iscoroutinefunction, unwrap
from pathlib import Path
from traceback import walk_tb
from typing import Any, cast

from fast_agent.types import PromptMessageExtended
from mcp_types import TextContent
from pydantic_core import to_json

from tasks.errors import CohortError
from tasks.text import clean, cleaned
from workers.runtime.call_log import CallLog, call_log_of_turn
from workers.runtime.conversation.message_tags import untagged
from workers.runtime.process_state import Shared
from workers.runtime.streams.meter import limits
from workers.runtime.tools.own_task import ended_with_ours

log = logging.getLogger("cohort.runtime")

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
                holder.text = untagged(clean(fits))
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
    """Characters (or bytes) and places of a value, counted until there are more than ``most``."""
    count, waiting = 0, [value]
    while waiting and count <= most:
        one = waiting.pop()
        count += 1 + (len(one) if isinstance(one, str | bytes) else 0)
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
    return count


def clean_function[**P](function: Callable[P, Any]) -> Callable[P, Any]:
    """A tool's function whose result and error any message can hold: a Python text can have half a surrogate pair."""
    shared, name = Shared(), getattr(function, "__name__", "")

    async def inside(result: Any) -> Any:
        with _errors(function, inside=True), _putting_back(shared):
            return _fitting(await (result if isawaitable(result) else _gathered(result)))

    async def later(result: Any) -> Any:
        """What a function gave that is no coroutine function: it was wrapped by one that is none, or yields."""
        return await ended_with_ours(inside(result), name)

    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            return await later(function(*args, **kwargs))

        return awaited

    if isasyncgenfunction(function):

        @wraps(function)
        async def gathered(*args: P.args, **kwargs: P.kwargs) -> Any:
            return await later(function(*args, **kwargs))

        return gathered

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> Any:
        with _errors(function), _putting_back(shared):
            result = function(*args, **kwargs)
            return later(result) if isawaitable(result) or isinstance(result, AsyncIterator) else _fitting(result)

    return called


async def _gathered(result: AsyncIterator[Any]) -> list[Any]:
    """What an async generator yields, until there is as much as is read of a result."""
    items, left = list[Any](), limits["answer"]
    try:
        async for item in result:
            items.append(item)
            left -= _length(_listed(item), left)
            if left < 0:
                break
    finally:
        if isinstance(result, AsyncGenerator):
            await cast("AsyncGenerator[Any]", result).aclose()
    return items


@contextmanager
def _putting_back(shared: Shared) -> Generator[None]:
    """A tool that goes to another directory, or clears the environment, takes no other chat along."""
    try:
        yield
    finally:
        shared.put_back()


def _fitting(result: Any) -> Any:
    """A result without end as its beginning: until it is cut it is copied, kept, and turned into text by the loop."""
    most = limits["answer"]
    if isinstance(result, Iterator):
        result = list(_first(cast("Iterator[Any]", result), most))
    if isinstance(result, str):
        return clean(result[: most + 1])
    if isinstance(result, list | tuple | dict | set | frozenset) and _length(_listed(result), most) > most:
        with suppress(ValueError, RecursionError):
            return to_json(result)[: 4 * most].decode(errors="ignore")[: most + 1]
    return cleaned(result)


def _first(items: Iterator[Any], most: int) -> Iterator[Any]:
    """What a generator yields, until there is as much as is read of a result."""
    for item in items:
        yield item
        most -= _length(_listed(item), most)
        if most < 0:
            return


def _listed(result: Any) -> Any:
    return list(cast("Any", result)) if isinstance(result, tuple | set | frozenset) else result


@contextmanager
def _errors(tool: Callable[..., Any], *, inside: bool = False) -> Generator[None]:
    """What a tool raises is an error of that tool: `sys.exit` would end the worker, with the turns of all its chats.

    Args:
        tool: Its function.
        inside: It runs in the turn's task, which others end by cancelling it, and the loop by closing it.
    """
    try:
        yield
    except Exception as problem:
        _tell_author(tool, problem)
        said = _words(problem)
        if cleaned(said) == said == str(problem) and len(said) <= limits["answer"]:
            raise
        raise RuntimeError(cleaned(said[: limits["answer"] + 1])) from problem
    except BaseException as problem:
        if inside and (isinstance(problem, GeneratorExit) or _is_ended(problem)):
            raise
        _tell_author(tool, problem)
        does = "end its process" if isinstance(problem, SystemExit | KeyboardInterrupt) else "end its turn"
        said = f"the tool tried to {does} ({type(problem).__name__}: {problem})"
        raise RuntimeError(cleaned(said[: limits["answer"]])) from problem


def _tell_author(tool: Callable[..., Any], problem: BaseException) -> None:
    """Log what a tool raised and where in its file, without its words, which may quote people."""
    if isinstance(problem, CohortError):
        return  # said on purpose, as where a note is too long
    own = getattr(unwrap(tool), "__code__", None)
    places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(problem.__traceback__)]
    own_places = [place for place in places if own is not None and place[0] == own.co_filename]
    file, line = (own_places or places)[-1]
    where = {"tool": getattr(tool, "__name__", ""), "where": f"{Path(file).name}:{line}"}
    log.info("tool.raised", extra={**where, "error": type(problem).__name__})


def _words(problem: BaseException) -> str:
    """What a tool raised: its words, with its kind where they say nothing alone, as `KeyError("id")` does."""
    if isinstance(problem, BaseExceptionGroup):
        return f"{problem.message}: {'; '.join(map(_words, problem.exceptions))}"
    said = str(problem)
    if said.strip() and not isinstance(problem, KeyError):
        return said
    return f"{type(problem).__name__}: {said}".rstrip(": ")


def _is_ended(problem: BaseException) -> bool:
    """Whether the task was cancelled from outside, and not by what the tool awaits."""
    task = current_task()
    return isinstance(problem, CancelledError) and (task is None or task.cancelling() > 0)
