"""What a model has thought in a turn before it began to answer (pure)."""

import re
from collections import deque
from dataclasses import dataclass, field

_FIRST = re.compile(r"\A\S{0,80}\s")
"""The end of a word that is cut."""
MOST = 3_000
"""Characters that are kept, the last ones: a quote of more is longer than most answers."""


@dataclass(slots=True)
class Thoughts:
    """Of one turn. A further piece costs the same however long they are."""

    _pieces: deque[str] = field(default_factory=deque[str])
    _size: int = 0
    _over: bool = False
    _cut: bool = False

    def add(self, text: str) -> None:
        """The model thinks on. What it thinks once it has begun to answer is not kept."""
        if self._over:
            return
        self._pieces.append(text[-MOST:])
        self._size += len(self._pieces[-1])
        self._cut = self._cut or len(text) > MOST
        while self._size - len(self._pieces[0]) >= MOST:
            self._size -= len(self._pieces.popleft())
            self._cut = True

    def answer_begins(self) -> None:
        """The model says something."""
        self._over = True

    def clear(self) -> None:
        """The turn begins again."""
        self._pieces.clear()
        self._size, self._over, self._cut = 0, False, False

    @property
    def text(self) -> str:
        """What is kept of them."""
        whole = "".join(self._pieces)
        if not self._cut and len(whole) <= MOST:
            return whole.strip()
        return f"…{_FIRST.sub('', whole[-MOST:], count=1).strip()}"
