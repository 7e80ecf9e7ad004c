"""Who was told that an allowance is used up, so that it is not said again of each message (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2s

from tasks.envelope import Inbound
from tasks.store.state import StateField
from workers.sessions.spending import USED_UP

QUIET_FOR_S = 3600.0
_DAY_S = 86_400
_MOST = 64
"""Payers of a chat that are remembered."""

CHAT = 0
"""The payer, where the chat's own allowance is meant."""


@dataclass(slots=True)
class Refusals:
    """The refusals of a session: said once of the messages that wait; a used-up day is told again after an hour.

    They are kept in its state, which is written with the reply: one that was not committed was not said.
    """

    now: float
    told: dict[str, float] = field(default_factory=dict[str, float])
    """Who was told which verdict, and when; none names a person."""
    news: bool = False

    @classmethod
    def read(cls, kept: str, now: float) -> "Refusals":
        """Those of the last hour, from the field of the state."""
        refusals = cls(now)
        for word in kept.split():
            name, _, at = word.rpartition(":")
            try:
                told = float(at)
            except ValueError:
                continue
            if now - QUIET_FOR_S < told <= now:
                refusals.told[name] = told
        return refusals

    def repeats(self, who: int, verdict: int, messages: Sequence[Inbound]) -> bool:
        """Whether this was said already; otherwise it is to be said now.

        What running turns hold may be free in a moment, so its refusal is left out only for messages that waited. A
        command, a press, or a reminder that is due is told in any case.
        """
        name = f"{blake2s(f'{who}'.encode(), digest_size=6).hexdigest()}:{verdict}"
        at = self.told.get(name)
        if at is not None and at // _DAY_S == self.now // _DAY_S:
            waited = all(one.at <= at for one in messages)
            if (verdict == USED_UP or waited) and all(one.kind == "message" for one in messages):
                return True
        self.told.pop(name, None)
        self.told[name], self.news = self.now, True
        return False

    @property
    def fields(self) -> dict[str, str]:
        """The field of the state to set, where there is news."""
        kept = list(self.told.items())[-_MOST:]
        return {StateField.over_budget: " ".join(f"{name}:{at:.3f}" for name, at in kept)} if self.news else {}
