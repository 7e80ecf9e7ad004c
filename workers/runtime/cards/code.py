"""Loads what cards name in Python, as a lane will: a tool or a hook that cannot be loaded is told with its own line.

Without this a card looks right until a lane is made of it, and what is told then names neither card nor file. A module
that is imported may do anything, so that what it raises is caught, an end of the program included.
"""

import importlib.util
import os
import re
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from fast_agent.core.exceptions import AgentConfigError
from fast_agent.hooks.lifecycle_hook_loader import load_lifecycle_hooks
from fast_agent.tools.function_tool_config import function_tool_entrypoint
from fast_agent.tools.function_tool_loader import build_default_function_tool, load_function_from_spec
from fast_agent.tools.hook_loader import load_tool_runner_hooks

from tasks.operator_files.agent_files import BadFile
from workers.runtime.cards.importing import IMPORT_S, NotImported, bounded
from workers.runtime.cards.words import line, line_of_key
from workers.runtime.process_state import unchanged

_LONGEST = 300
"""Characters of what a module raises; pydantic says more than a line."""


def unloadable(path: Path, text: str, config: Any, import_s: float = IMPORT_S) -> list[BadFile]:
    """The tools and hooks of a loaded card that cannot be loaded.

    Args:
        path: The card.
        text: What it says.
        config: What fast-agent made of it.
        import_s: How long one module may take to be imported.
    """
    if not any(getattr(config, name, None) for name in ("function_tools", "tool_hooks", "lifecycle_hooks")):
        return []
    with unchanged():
        return list(_problems(path, text, config, import_s))


def _problems(path: Path, text: str, config: Any, import_s: float) -> Iterable[BadFile]:
    told, late = set[str](), set[str]()
    for file, look in _looks(path, text, config):
        if file in late:
            continue
        try:
            found = bounded(look, import_s)
        except NotImported as problem:
            late.add(file)
            found = _late(path, _module(path, file), problem, import_s)
        if found is not None and str(found) not in told:
            told.add(str(found))
            yield found


def _looks(path: Path, text: str, config: Any) -> Iterable[tuple[str, Callable[[], BadFile | None]]]:
    """Each file that the card names, with what loads of it and says what is wrong."""
    for spec in config.function_tools or ():
        if (entry := function_tool_entrypoint(spec)) is not None:
            yield entry.rpartition(":")[0], partial(_tool, path, text, entry)
    for name, load in (("tool_hooks", load_tool_runner_hooks), ("lifecycle_hooks", load_lifecycle_hooks)):
        hooks: dict[str, str] = dict(getattr(config, name, None) or {})
        for key, spec in hooks.items():
            yield str(spec).rpartition(":")[0], partial(_hook, path, text, {key: spec}, load)


def _tool(path: Path, text: str, entry: str) -> BadFile | None:
    file, _, name = entry.rpartition(":")
    module = _module(path, file)
    try:
        function = load_function_from_spec(entry, path.parent)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - a module may raise anything when it is imported
        return _imported(path, text, entry, module, problem)
    try:
        build_default_function_tool(function)
    except Exception as problem:  # noqa: BLE001 - pydantic's, and whatever an annotation raises
        code = getattr(function, "__code__", None)
        what = f"{name.strip()} cannot be a tool ({_shortened(problem)})"
        return BadFile(
            module, getattr(code, "co_firstlineno", None), what, f"correct it, or take it out of {path.name}"
        )
    return None


def _hook(path: Path, text: str, hook: dict[str, str], load: Callable[..., Any]) -> BadFile | None:
    ((key, spec),) = hook.items()
    try:
        load(hook, path.parent)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - a module may raise anything when it is imported
        if isinstance(problem, AgentConfigError) and "hook types" in problem.message:
            do = f"use one of {', '.join(re.findall(r'[a-z]+_[a-z_]+', problem.details))}"
            return BadFile(path, line_of_key(text, key), f"unknown hook {key}", do)
        return _imported(path, text, str(spec), _module(path, str(spec).rpartition(":")[0]), problem)
    return None


def _module(path: Path, file: str) -> Path:
    return Path(os.path.normpath(path.parent / file.strip()))


def _late(path: Path, module: Path, problem: NotImported, import_s: float) -> BadFile:
    places = [frame.lineno for frame in problem.frames if frame.lineno and _same(frame.filename, module)]
    waits = 'put what it waits for into the function, or below `if __name__ == "__main__":`'
    do = f"{waits}; else take it out of {path.name}"
    return BadFile(module, places[-1] if places else None, f"is not imported within {import_s:g} s", do)


def _imported(path: Path, text: str, spec: str, module: Path, problem: BaseException) -> BadFile:
    cause = problem.__cause__ if isinstance(problem, AgentConfigError) else problem
    if cause is None:
        what = str(getattr(problem, "message", problem)).splitlines()[0]
        return BadFile(
            path, line(text, spec), what[0].lower() + what[1:], "write file.py:function, of a file beside the card"
        )
    if isinstance(cause, SyntaxError):
        return BadFile(Path(cause.filename or module), cause.lineno, f"not Python ({cause.msg})", "correct it")
    frames = traceback.extract_tb(cause.__traceback__)
    places = [frame.lineno for frame in frames if frame.lineno and _same(frame.filename, module)]
    do = f"correct it, or take it out of {path.name}"
    if isinstance(cause, SystemExit):
        what = "ends the program when it is imported"
        do = 'put what runs it below `if __name__ == "__main__":`'
    else:
        what = f"cannot be imported ({_shortened(cause)})"
        if isinstance(cause, ModuleNotFoundError) and cause.name:
            do = _of_missing(cause.name, module)
        elif isinstance(cause, ImportError) and "relative import" in str(cause):
            do = "a tool's file is no part of a package: import by the whole name, of a folder in PYTHONPATH"
        elif isinstance(cause, KeyError) and _reads_environment(module, places):
            do = "set this variable (in .env), or read it within the function"
    return BadFile(module, places[-1] if places else None, what, do)


def _of_missing(name: str, module: Path) -> str:
    top = name.partition(".")[0]
    if module.with_name(f"{top}.py").is_file() or (module.parent / top).is_dir():
        return f"{top} stands beside it, where Python does not look: start Cohort with PYTHONPATH={module.parent}"
    try:
        there = importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        there = False
    return f"correct {name}" if there else f"install what brings {top} where the workers run"


def _reads_environment(module: Path, places: list[int]) -> bool:
    try:
        lines = module.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        return False
    return any("environ" in lines[place - 1] for place in places if place <= len(lines))


def _same(file: str, module: Path) -> bool:
    try:
        return Path(file).resolve() == module.resolve()
    except OSError:
        return False


def _shortened(problem: BaseException) -> str:
    said = (str(problem).strip().splitlines() or [""])[0][:_LONGEST]
    return f"{type(problem).__name__}: {said}" if said else type(problem).__name__
