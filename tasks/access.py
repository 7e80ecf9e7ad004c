"""Who may talk (pure): asked by the bot for each update, and by a worker when a reminder is due."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from tasks.settings import Settings

type Decision = Literal["admit", "tell", "ignore"]
"""``tell``: a stranger, who hears so with their id. ``ignore``: a stranger who must not hear from us."""


@dataclass(frozen=True, slots=True)
class Access:
    """Everybody, or those on the list: ``allow`` holds user and chat ids."""

    everybody: bool
    allow: frozenset[int]

    def decide(self, user: int | None, chat: int, *, business: bool = False) -> Decision:
        """Admit a user, or everybody in a chat.

        A business account's customers write to its owner, not to a bot: their strangers hear nothing.
        """
        if self.everybody or user in self.allow or chat in self.allow:
            return "admit"
        return "ignore" if business or user is None else "tell"

    @property
    def admits_no_one(self) -> bool:
        """No user or chat may talk: the operator has to be told."""
        return not self.everybody and not self.allow


def access_of(settings: Settings) -> Access:
    """What the operator has set; operators themselves may always talk."""
    allowed: Collection[int] = (*settings.allow, *settings.admins)
    return Access(settings.access == "open", frozenset(allowed))
