"""What cards say of their agents, in a line each and by language, and which commands these take (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tasks.phrases import spoken
from tasks.text import clean, within
from workers.runtime.patches.card_entries import COMMANDS_MARK, DESCRIPTIONS_MARK

_LONGEST = 120
"""UTF-16 units of what is shown of a description: a line or two on a phone."""


@dataclass(frozen=True, slots=True)
class Descriptions:
    """Of the agents of a directory."""

    usual: dict[str, str]
    """Agent -> its ``description``, of those that have one."""
    translated: dict[str, dict[str, str]]
    """Language -> agent -> what its card's ``descriptions`` say in it."""
    commands: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Agent -> command -> what the menu says of it, empty where the card has no words."""

    @classmethod
    def of(cls, configs: Mapping[str, Any]) -> Self:
        """Read them; ``configs``: the configuration of each agent, as fast-agent has it."""
        translated: dict[str, dict[str, str]] = {}
        for name, config in configs.items():
            for language, said in getattr(config, DESCRIPTIONS_MARK, {}).items():
                if line := _line(said):
                    translated.setdefault(language, {})[name] = line
        lines = {name: _line(getattr(config, "description", None)) for name, config in configs.items()}
        taken = {name: getattr(config, COMMANDS_MARK, {}) for name, config in configs.items()}
        return cls(
            {name: line for name, line in lines.items() if line},
            translated,
            {
                name: {one: clean(words) for one, words in commands.items()}
                for name, commands in taken.items()
                if commands
            },
        )

    def spoken(self) -> dict[str, str]:
        """In the language that is spoken now, as far as the cards have it."""
        return {**self.usual, **self.translated.get(spoken(), {})}


def _line(said: object) -> str:
    return within(clean(" ".join(str(said or "").split())), _LONGEST)
