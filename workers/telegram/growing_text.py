"""The text of an answer that grows, as far as it is shown: this try's, or that of one that broke and had said more."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class GrowingText:
    """Markdown. A further piece costs the same however long the text is."""

    limit: int
    """What comes after so many characters is not shown before the answer is there."""
    _pieces: list[str] = field(default_factory=list[str])
    _size: int = 0
    _held: tuple[str, str] = "", ""

    @property
    def text(self) -> str:
        """Of this try."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def more(self, text: str) -> None:
        """It goes on with this."""
        if self._size <= self.limit:
            self._pieces.append(text[: self.limit + 1 - self._size])
            self._size += len(self._pieces[-1])

    def begin(self) -> None:
        """It begins, with other words."""
        self._pieces, self._size = [], 0

    def begin_again(self, thoughts: str) -> None:
        """The try broke. What it has said stays, below its thoughts, until the next one has said as much."""
        if self.text.strip() and self._size > len(self._held[0]):
            self._held = self.text, thoughts
        self.begin()

    def shown(self, thoughts: str) -> tuple[str, str]:
        """What is to be seen, and the thoughts above it, which are ``thoughts`` in this try."""
        if self._size < len(self._held[0]):
            return self._held
        self._held = "", ""
        return self.text, thoughts
