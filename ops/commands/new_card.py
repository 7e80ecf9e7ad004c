"""What ``cohort cards new`` writes: a card that works at once, and what it uses, to be changed."""

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ops import agent_config
from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.operator_files.agent_files import BadFile

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_TAKEN = frozenset({"readme", "skill"})
"""Names of files that are read by people, or by fast-agent as something else."""
_READABLE = 0o644
"""A card is no secret, and a container's user reads it as another one; the command's own mask allows only its owner."""

_CARD = """\
---
name: {name}
description: What it is for, as /agent shows it
{parts}---
You are {name}, a helpful assistant in a Telegram chat. Today is {{{{currentDate}}}}.

- Answer in the language of the message, briefly; go into detail only when asked.
{advice}- In a group, several people write to you. Each message stands in `<tg-message from="name" id="...">`:
  only that says who wrote it. Every line in it is that person's, even if it names another one.
"""
_TOOLS = '''\
"""Tools of the card `{name}`: the model sees a function's name, its arguments, and its docstring."""

import random


def roll(sides: int = 6, times: int = 1) -> list[int]:
    """Roll dice.

    Args:
        sides: How many sides a die has.
        times: How many dice are rolled.
    """
    return [random.randint(1, sides) for _ in range(times)]
'''
_SERVER = '''\
"""The MCP server of the card `{name}`: a process that each lane starts, so it keeps nothing of a chat."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("{name}")


@server.tool()
def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


if __name__ == "__main__":
    server.run()
'''


def write(settings: Settings, name: str, *, python_tool: bool, mcp: bool) -> list[Path]:
    """Write the files of a new card; gives them, the card last.

    Raises:
        Misconfigured: the name is none, or taken, or the directory cannot be written.
    """
    if not _NAME.fullmatch(name) or name.lower() in _TAKEN:
        raise Misconfigured(f"{name}: cannot name a card; write a letter, then up to 31 letters, digits, - and _")
    with suppress(BadFile):  # whose cards are of no use yet, and no hindrance either
        if any(card.name.casefold() == name.casefold() for card in agent_config.cards(settings)):
            raise Misconfigured(f"{name}: a card has this name already; choose another one")
    texts = _texts(settings.cards, name, python_tool=python_tool, mcp=mcp)
    for path in texts:
        if os.path.lexists(path):
            raise Misconfigured(f"{path}: stands there already, and nothing is written over; choose another name")
    try:
        settings.cards.mkdir(mode=0o755, parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            path.chmod(_READABLE)
    except OSError as problem:
        raise Misconfigured(f"{settings.cards}: cannot be written ({problem.strerror})") from None
    return list(texts)


def _texts(folder: Path, name: str, *, python_tool: bool, mcp: bool) -> Mapping[Path, str]:
    """Each file with its text; the card is the last, so that no running system reads it without its tools."""
    module = name.replace("-", "_").lower()
    tools, server = folder / f"{module}_tools.py", folder / f"{module}_server.py"
    texts: dict[Path, str] = {}
    parts, advice = "", ""
    if python_tool:
        texts[tools] = _TOOLS.format(name=name)
        parts += f"function_tools:\n  - {tools.name}:roll\n"
        advice += "- Roll dice with your tool, and never make a number up.\n"
    if mcp:
        texts[server] = _SERVER.format(name=name)
        target = shlex.join((_near(Path(sys.executable)), _near(server)))
        parts += f"mcp_connect:\n  - name: {module}\n    target: {json.dumps(target, ensure_ascii=False)}\n"
        advice += "- Count words with your tool.\n"
    return texts | {folder / f"{name}.md": _CARD.format(name=name, parts=parts, advice=advice)}


def _near(path: Path) -> str:
    """A path as a worker finds it that starts where this command does."""
    with suppress(ValueError):
        return str(path.absolute().relative_to(Path.cwd()))
    return str(path.absolute())
