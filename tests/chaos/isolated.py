"""Chats whose turns need a process of their own: a file of rules that grows while all processes read it."""

from pathlib import Path
from random import Random


class Isolated:
    """Decides of each new chat, before anything is written in it."""

    def __init__(self, file: Path, random: Random, share: float) -> None:
        self._file = file
        self._random = random
        self._share = share
        self._chats: list[int] = []

    def consider(self, chat: int) -> None:
        """A share of the chats gets the rule."""
        if not self._share or self._random.random() >= self._share:
            return
        self._chats.append(chat)
        rules = "".join(f"  {one}: {{isolation: process}}\n" for one in self._chats)
        # At once: a process that reads half a file would keep the rules of before.
        written = self._file.with_suffix(".new")
        written.write_text(f"chats:\n{rules}")
        written.replace(self._file)
