"""What MCP servers answer, read as what it means: one tool, or one part of a result, that is wrong costs no other.

The client takes a list of tools or a result as a whole, or refuses it as a whole: then an agent loses all tools of a
server for the schema of one, and a model reads of a call that was carried out that it failed.
"""

import json
import logging
import re
from collections.abc import Callable
from hashlib import blake2s
from itertools import groupby
from typing import Any, cast

from mcp_types import Tool

from workers.runtime.streams.meter import limits
from workers.runtime.tools.schemas import Values, input_schema

log = logging.getLogger("cohort.runtime")

DESCRIPTION = 16_384
"""Characters of a tool's description: it goes to the model with each call."""
_MOST_PARTS = 256
"""Of a result. Texts beyond are joined: each part is copied several times on its way."""
_DEEPEST = 100
_SHOWN = 2_000
"""Characters of a part that is no part."""
_LONGEST_NAME = 64
_TAKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ID = r'"id"\s*:\s*(\d{1,18}|"[^"\\]{1,100}")'
_ID_FIRST = re.compile(rf'\s*\{{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?{_ID}\s*,\s*"(?:result|error)"')
UNREAD = "the server answered, and its answer cannot be read"
_NO_REASON = "The tool failed, and its server gives no reason."
_TOO_DEEP = "[a structure that is nested too deeply to be read]"


def taken_name(name: str) -> str:
    """A tool's name as all providers take it: one that a provider refuses costs the agent each of its answers."""
    if len(name) <= _LONGEST_NAME and _TAKEN.fullmatch(name):
        return name
    mark = blake2s(name.encode("utf-8", "replace"), digest_size=3).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    plain = plain if _TAKEN.match(plain) else f"_{plain}"
    return f"{plain[: _LONGEST_NAME - len(mark) - 1]}_{mark}"


def answered(method: str, result: Any) -> Any:
    """The result of a request, as its method's results should be."""
    if not isinstance(result, dict):
        return result
    if method == "tools/list":
        return _listed(cast("Values", result))
    if method == "tools/call" and "inputRequests" not in result:
        return _called(cast("Values", result))
    return cast("Values", result)


# -- tools


def _listed(result: Values) -> Values:
    found = result.get("tools")
    given = cast("list[Any]", found) if isinstance(found, list) else []
    tools = [tool for tool in map(_tool, given) if tool is not None]
    if len(tools) < len(given):
        log.warning("server.tools_left_out", extra={"count": len(given) - len(tools), "kept": len(tools)})
    return {**result, "tools": tools}


def _tool(given: Any) -> Values | None:
    """A tool with a schema that all providers take; None: it cannot be called."""
    if not isinstance(given, dict) or not given.get("name"):
        return None
    tool = cast("Values", given)
    schema = input_schema(tool.get("inputSchema"))
    if schema is None:
        return None
    said = tool.get("description")
    fits = said if isinstance(said, str) else ""
    fits = fits if len(fits) <= DESCRIPTION else fits[:DESCRIPTION] + "…"
    whole: Values = {**tool, "description": fits, "inputSchema": schema}
    # The client would refuse a result that does not fit, of a call that was carried out. Models read the content.
    whole.pop("outputSchema", None)
    # What cannot be read in it goes by itself, but for what the tool needs.
    for kept in (whole, {name: whole[name] for name in ("name", "description", "inputSchema")}):
        try:
            Tool.model_validate(kept, by_name=False)
        except ValueError:
            continue
        return kept
    return None


# -- results


def _called(result: Values) -> Values:
    structure = result.get("structuredContent")
    given = result.get("content")
    parts = cast("list[Any]", given) if isinstance(given, list) else [] if given is None else [given]
    content = _joined([_part(part) for part in parts])
    if _depth(structure) > _DEEPEST:
        structure, content = None, content or [_text(_TOO_DEEP)]
    if structure is not None and not isinstance(structure, dict):
        structure = {"result": structure}
    failed = result.get("isError")
    is_error = failed is True or (failed is not False and str(failed).casefold() in {"true", "1", "yes"})
    if is_error and not content and structure is None:
        # Providers read an empty result as one that went well.
        content = [_text(_NO_REASON)]
    rest = {name: value for name, value in result.items() if name not in {"structuredContent", "isError"}}
    more = {} if structure is None else {"structuredContent": structure}
    return {**rest, "content": content, "isError": is_error, **more}


def _part(part: Any) -> Values:
    """A part of a result; what is none is told in words."""
    match part:
        case str():
            return _text(part)
        case {"type": "text", "text": str(words)} if len(words) > limits["answer"]:
            # It is cut there in any case; until then it is copied and kept.
            return {**cast("Values", part), "text": words[: limits["answer"] + 1]}
        case {"type": "text", "text": str()} | {"type": "image" | "audio", "data": str(), "mimeType": str()}:
            return cast("Values", part)
        case {"type": "resource", "resource": {"uri": str(), "text": str()} | {"uri": str(), "blob": str()}}:
            return cast("Values", part)
        case {"type": "resource_link", "uri": str(), "name": str()}:
            return cast("Values", part)
        case {"text": str(words)}:
            return _text(words)
        case _:
            return _text(f"[a part that cannot be read: {_shown(part)}]")


def _shown(value: Any) -> str:
    if _depth(value) > _DEEPEST:
        return _TOO_DEEP
    return json.dumps(value, ensure_ascii=False)[:_SHOWN]


def _text(words: str) -> Values:
    return {"type": "text", "text": words}


def _joined(parts: list[Values]) -> list[Values]:
    """The parts; texts that follow one another are one where there are very many parts."""
    if len(parts) <= _MOST_PARTS:
        return parts
    content = list[Values]()
    for plain, run in groupby(parts, lambda part: part.keys() == {"type", "text"}):
        together = list(run)
        content += [_text("\n".join(part["text"] for part in together))] if plain else together
    left = len(content) - _MOST_PARTS
    return content if left <= 0 else [*content[:_MOST_PARTS], _text(f"[{left} more parts, left out]")]


def _depth(value: Any) -> int:
    """How deeply a JSON value is nested, counted until it is too deep."""
    layer, depth = [value], 0
    while layer and depth <= _DEEPEST:
        inner = list[Any]()
        for one in layer:
            if isinstance(one, dict):
                inner += cast("Values", one).values()
            elif isinstance(one, list):
                inner += one
        layer = [one for one in inner if isinstance(one, dict | list)]
        depth += bool(inner)
    return depth


# -- answers that the client refuses


def recovered(text: str, read: Callable[[str], Any] = json.loads) -> Values | None:
    """An answer that the client refuses, as one that it takes; None: it is no answer to a request.

    Without one the call waits until its time is over.
    """
    try:
        found = read(text)
    except (ValueError, RecursionError):
        begun = _ID_FIRST.match(text)
        return None if begun is None else _error(json.loads(begun[1]), -32700, UNREAD)
    if not isinstance(found, dict):
        return None
    said = cast("Values", found)
    number = said.get("id")
    if "method" in said or isinstance(number, bool) or not isinstance(number, int | str):
        return None
    if "error" in said:
        error = said["error"]
        about: Values = cast("Values", error) if isinstance(error, dict) else {"message": error}
        code, words = about.get("code"), about.get("message")
        known = isinstance(code, int) and not isinstance(code, bool)
        return _error(
            number, cast("int", code) if known else -32603, words if isinstance(words, str) else _shown(error)
        )
    if "result" not in said:
        return None
    result = said["result"]
    whole = result if isinstance(result, dict) else {} if result is None else {"content": [_text(_words(result))]}
    return {"jsonrpc": "2.0", "id": number, "result": whole}


def _words(value: Any) -> str:
    return value if isinstance(value, str) else _shown(value)


def _error(number: Any, code: int, words: str) -> Values:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": words}}
