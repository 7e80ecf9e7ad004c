"""Tells operators of agents that rules of chats name and that no card has: another one answers there."""

import logging
from collections.abc import Sequence

from tasks.operator_files.chat_rules import ChatRules

log = logging.getLogger("cohort.chats")

_MOST = 20
"""Names that are told at a time: a file may have thousands."""


class UnknownAgents:
    """Compares rules with agents, and tells of each name once, for as long as it is unknown."""

    def __init__(self) -> None:
        self._rules: tuple[ChatRules, ...] = ()
        self._agents = frozenset[str]()
        self._told = frozenset[str]()

    def look(self, rules: Sequence[ChatRules], agents: frozenset[str]) -> None:
        """Look at what holds now; what was looked at before costs nothing."""
        same = len(rules) == len(self._rules) and all(a is b for a, b in zip(rules, self._rules, strict=True))
        if same and agents == self._agents:
            return
        self._rules, self._agents = tuple(rules), agents
        places: dict[str, list[str]] = {}
        for where, rule in (pair for one in rules for pair in one.every()):
            if rule.agent is not None and rule.agent not in agents:
                places.setdefault(rule.agent, []).append(where)
        for name in sorted(places.keys() - self._told)[:_MOST]:
            first, *others = places[name]
            where = f"{first} and {len(others)} more" if others else first
            log.warning("chats.unknown_agent", extra={"agent": name, "where": where})
        self._told = frozenset(places)
