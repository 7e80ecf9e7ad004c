"""Standard output and error of the ``cohort`` command: what people and models wrote does not act on the terminal."""

import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

from rich.console import Console
from rich.text import Text

from tasks.text import printable


class HarmlessStream:
    """A stream that writes control characters, and those that hide or reorder others, as escapes.

    Args:
        own: The stream itself, for what has colours of ours.
    """

    def __init__(self, own: TextIO) -> None:
        self.own = own

    def write(self, text: str) -> int:
        """Write it shown so."""
        return self.own.write(printable(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of them shown so."""
        self.own.writelines(map(printable, lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


@contextmanager
def shown() -> Generator[None]:
    """Have all that is printed inside the block shown so."""
    out, err = cast("TextIO", HarmlessStream(sys.stdout)), cast("TextIO", HarmlessStream(sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        yield


def own() -> TextIO:
    """Standard output for text with colours of ours, in which everything else has been made printable."""
    return sys.stdout.own if isinstance(sys.stdout, HarmlessStream) else sys.stdout


class PlainConsole(Console):
    """A console of rich for what is told of models, servers and people: their words are no markup, no emoji names."""

    def __init__(self, **given: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **given)

    def render_str(self, text: str, **given: Any) -> Text:
        """The text, printable."""
        return super().render_str(printable(text), **given)
