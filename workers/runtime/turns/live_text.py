"""Passes a growing answer on to the sink, chunk by chunk."""

from typing import TYPE_CHECKING

from workers.interfaces import Sink

if TYPE_CHECKING:
    from fast_agent.llm.stream_types import StreamChunk


class LiveText:
    """The growing answer: the texts of a turn's model calls, joined. A rollback takes the last call's text back.

    A chunk costs the same however long the answer is; otherwise one long answer would hold up all chats of the worker.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._parts: list[str] = []
        self._open: list[str] = []
        self._begun = False

    def __call__(self, chunk: "StreamChunk") -> None:
        """Take a chunk. Called by fast-agent in the loop thread."""
        if chunk.event == "commit":
            self._commit()
        elif chunk.event == "rollback":
            begun, self._begun = self._begun, False
            self._open.clear()
            if begun:
                self._sink.text("\n\n".join(self._parts))
        elif not chunk.is_reasoning:
            self._grow(chunk.text)

    def take_back(self) -> None:
        """Take back all text that was shown: the turn gave no answer."""
        shown = bool(self._parts) or self._begun
        self._parts.clear()
        self._open.clear()
        self._begun = False
        if shown:
            self._sink.text("")

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
