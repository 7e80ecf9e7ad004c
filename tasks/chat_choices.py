"""Settings that a chat may choose for itself, in place of the deployment's: their commands and their values (pure).

A new one needs an entry in ``CHAT_CHOICES`` and a field of its name in ``StateField``. Its command, its picker, and its
line in ``/help`` and in Telegram's menu follow from the entry. A turn reads it by ``owned.effective(name, settings)``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tasks.envelope import Button
from tasks.settings import Settings

DEFAULT = "default"
"""The argument of a command that undoes a choice."""

_DATA_BYTES = 64
"""Telegram's limit for what a button carries."""
_BUTTONS = 50
"""Telegram refuses a message with more than 100."""
_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class ChatChoice:
    """One such setting."""

    name: str
    """The command, the field of the session's state, and the first word of what its buttons carry."""
    menu: str
    """What the command is for, in Telegram's menu."""
    title: str
    """What is chosen, as the picker says it."""
    values: Mapping[str, str]
    """Each value, with what it means in a few words."""
    of: Callable[[Settings], str]
    """The deployment's value."""

    def effective(self, stored: str | None, settings: Settings) -> str:
        """The value that holds. What an older or newer release stored and this one does not know does not count."""
        return stored if stored is not None and stored in self.values else self.of(settings)

    def picker(self, now: str) -> str:
        """The words above the buttons."""
        lines = [f"{value}: {meaning}" for value, meaning in self.values.items()]
        return "\n".join([f"{self.title} This conversation uses {now}.", "", *lines])


CHAT_CHOICES: Mapping[str, ChatChoice] = {
    choice.name: choice
    for choice in (
        ChatChoice(
            "queue",
            "Choose what happens to messages while I work",
            "What happens to messages that you send while I work?",
            {
                "collect": "I answer them together when I am done.",
                "followup": "I answer them one by one when I am done.",
                "interrupt": "I stop, and go on with what you wrote.",
                "steer": "I take them up at my next step.",
            },
            lambda settings: settings.queue_mode,
        ),
        ChatChoice(
            "steps",
            "Choose what stays of the steps I took",
            "What stays of the steps that you see while I work?",
            {
                "live": "Nothing, once the answer is there.",
                "fold": "One line below the answer.",
                "keep": "All of them, in a quote that opens.",
            },
            lambda settings: settings.steps,
        ),
        ChatChoice(
            "thinking",
            "Choose whether you see what I think",
            "Do you want to see what I think before I answer?",
            {
                "hide": "No.",
                "fold": "In a quote that opens, above the answer.",
                "show": "In a quote above the answer.",
            },
            lambda settings: settings.thinking,
        ),
    )
}


def buttons(what: str, values: Sequence[str], now: str | None) -> tuple[tuple[Button, ...], ...]:
    """A picker's buttons in two columns, the current value marked. A value that a button cannot carry is left out."""
    fitting = [value for value in values if len(f"{what}:{value}".encode()) <= _DATA_BYTES][:_BUTTONS]
    made = [Button(text=f"✓ {value}" if value == now else value, data=f"{what}:{value}") for value in fitting]
    return tuple(tuple(made[place : place + _COLUMNS]) for place in range(0, len(made), _COLUMNS))


_LISTED_CHARACTERS = 3000
"""Of the names in a message: Telegram refuses a longer message, and the user would get no answer."""


def listed(names: Sequence[str]) -> str:
    """As many names as fit into a message."""
    shown = list(names)
    while len(shown) > 1 and sum(map(len, shown)) + 2 * len(shown) > _LISTED_CHARACTERS:
        shown.pop()
    left = len(names) - len(shown)
    return ", ".join(shown) + (f", and {left} more" if left else "")


MODEL_FIXED = "There are no other models to choose from here."


def uses(what: str, now: str | None, names: Sequence[str]) -> str:
    """The words above the names of models or agents."""
    said = f"This conversation uses {now or f'the default {what}'}."
    if names:
        return f"{said} You can choose: {listed(names)}.\nWrite /{what} NAME, or /{what} {DEFAULT}."
    if what == "model":
        return f"{said} {MODEL_FIXED}"
    return f"{said} Write /{what} NAME to choose another, or /{what} {DEFAULT}."
