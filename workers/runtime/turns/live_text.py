"""Passes a growing answer on to the sink, chunk by chunk: what the model says, and apart from it what it thinks."""

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from workers.interfaces import Sink
from workers.runtime.streams.thoughts import Piece, ThoughtFilter

if TYPE_CHECKING:
    from fast_agent.llm.stream_types import StreamChunk

_KEPT = 3_000
"""Pieces: of more no thoughts are shown (``workers.thoughts``)."""


class LiveText:
    """The growing answer: the texts of a turn's model calls, joined. A rollback takes the last call's text back.

    A chunk costs the same however long the answer is; otherwise one long answer would hold up all chats of the worker.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._parts: list[str] = []
        self._open: list[str] = []
        self._begun = False
        self._reader = ThoughtFilter()
        self._thinks = False
        """The call's thoughts have begun."""
        self._thought_before = False
        """A call before it had some."""
        self._mused: deque[str] = deque(maxlen=_KEPT)
        """The end of all thoughts, which go when a text is taken back."""

    def __call__(self, chunk: "StreamChunk") -> None:
        """Take a chunk. Called by fast-agent in the loop thread."""
        if chunk.event == "commit":
            self._take(self._reader.end())
            self._commit()
        elif chunk.event == "rollback":
            begun, self._begun = self._begun, False
            self._open.clear()
            if begun:
                self._shown_again()
        elif chunk.is_reasoning:
            self._think(chunk.text)
        else:
            self._take(self._reader.feed(chunk.text))
        if chunk.event in ("commit", "rollback"):
            self._reader = ThoughtFilter()
            self._thought_before, self._thinks = self._thought_before or self._thinks, False

    @property
    def thought(self) -> bool:
        """Whether the model thought anything of which people are told."""
        return bool(self._mused)

    def take_back(self) -> None:
        """Take back all text that was shown: the turn gave no answer."""
        shown = bool(self._parts) or self._begun
        self._parts.clear()
        self._open.clear()
        self._begun = False
        if shown:
            self._shown_again()

    def _shown_again(self) -> None:
        """What earlier calls said; where they said nothing, the sink forgets what was thought, too."""
        if not self._parts:
            self._mused.clear()
        self._sink.text("\n\n".join(self._parts))

    def _take(self, pieces: Iterable[Piece]) -> None:
        for kind, text in pieces:
            match kind:
                case "said":
                    self._grow(text)
                case "thought":
                    self._think(text)
                case "recall":
                    before = "".join(self._open)
                    self._open.clear()
                    self._begun = False
                    self._sink.text("\n\n".join(self._parts))
                    if not self._parts and self._mused:
                        self._sink.thought("".join(self._mused))
                    self._think(before)

    def _think(self, text: str) -> None:
        if self._thinks or text.strip():
            text = "\n\n" * (self._thought_before and not self._thinks) + text
            self._sink.thought(text)
            self._mused.append(text)
            self._thinks = True

    def _grow(self, text: str) -> None:
        self._open.append(text)
        if self._begun:
            self._sink.more(text)
        elif text.strip():
            # Blanks before the first word are shown with it, or never.
            self._begun = True
            self._sink.more("\n\n" * bool(self._parts) + "".join(self._open))

    def _commit(self) -> None:
        if self._begun:
            whole = "".join(self._open)
            self._parts.append(whole.strip())
            if whole != self._parts[-1]:
                self._sink.text("\n\n".join(self._parts))
        self._open.clear()
        self._begun = False
