"""A Jupyter notebook: its words, its code and what that printed, without pictures."""

import json
from collections.abc import Iterable
from typing import Any, cast

from workers.runtime.extraction.archive import Ended, Words


def notebook(data: bytes, words: Words) -> None:
    """Add them."""
    try:
        read: Any = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise Ended("damaged") from problem
    cells = read.get("cells") if isinstance(read, dict) else None
    if not isinstance(cells, list):
        raise Ended("damaged")
    for cell in _objects(cells):
        source = _joined(cell.get("source"))
        words.add(f"\n{source}\n" if cell.get("cell_type") != "code" else f"\n```\n{source}\n```\n")
        for output in _objects(cell.get("outputs")):
            data_of = output.get("data")
            shown = data_of.get("text/plain") if isinstance(data_of, dict) else output.get("text")
            if said := _joined(shown) or str(output.get("evalue") or ""):
                words.add(f"Output: {said}\n")


def _objects(found: Any) -> Iterable[dict[str, Any]]:
    return [item for item in cast("list[Any]", found) if isinstance(item, dict)] if isinstance(found, list) else []


def _joined(found: Any) -> str:
    """A text is a string or a list of its lines."""
    if isinstance(found, list):
        return "".join(line for line in cast("list[Any]", found) if isinstance(line, str))
    return found if isinstance(found, str) else ""
