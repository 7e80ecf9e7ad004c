"""Each promise has a test, and each marked test names a promise: read from the files, nothing is run."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.promises import PROMISES

TESTS = Path(__file__).parent


def marks(tree: ast.Module) -> Iterator[str]:
    """The id in every ``pytest.mark.promise("id")``, wherever it stands."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="pytest"), attr="mark"), attr="promise"),
                args=[ast.Constant(value=str(ident))],
            ):
                yield ident
            case _:
                pass


@functools.cache
def proofs() -> dict[str, list[str]]:
    """Promise id -> the files with tests that prove it."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text()
        for ident in marks(ast.parse(text)) if "mark.promise" in text else ():
            found.setdefault(ident, []).append(str(path.relative_to(TESTS)))
    return found


def test_every_promise_has_a_test() -> None:
    proven = proofs()
    assert [ident for ident in PROMISES if ident not in proven] == []


def test_every_marked_test_names_a_promise() -> None:
    assert {ident: paths for ident, paths in proofs().items() if ident not in PROMISES} == {}


def test_a_promise_is_one_sentence() -> None:
    odd = [
        ident
        for ident, sentence in PROMISES.items()
        if not sentence.endswith(".") or not sentence[0].isupper() or "\n" in sentence
    ]
    assert odd == []
