"""Settings that a chat may choose for itself, in place of the deployment's: their commands and their values (pure).

A new one needs an entry in ``CHAT_CHOICES`` and a field of its name in ``StateField``. Its command, its picker, and its
line in ``/help`` and in Telegram's menu follow from the entry, its texts from the catalogue (``menu-NAME``,
``choice-NAME``, ``choice-NAME-VALUE``, ``label-NAME-VALUE``). A turn reads it by ``owned.effective(name, settings)``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.config.settings import Settings
from tasks.envelope import Button
from tasks.phrases import LANGUAGES, labelled, language_of, listing, phrase, sentences, speaking, spoken

DEFAULT = "default"
"""The argument of a command that undoes a choice."""

LANGUAGE = "language"
"""The choice of what the bot's own words are in."""
AUTO = "auto"
"""Its value for the language that a person has in Telegram."""

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
    values: Sequence[str]
    """What may be chosen."""
    of: Callable[[Settings], str]
    """The deployment's value."""

    def effective(self, stored: str | None, settings: Settings) -> str:
        """The value that holds. What an older or newer release stored and this one does not know does not count."""
        return stored if stored is not None and stored in self.values else self.of(settings)

    def meaning(self, value: str) -> str:
        """A value in a few words; a language has its own name for itself."""
        if self.name == LANGUAGE and value in LANGUAGES:
            return LANGUAGES[value]
        return phrase(f"choice-{self.name}-{value}")

    def label(self, value: str) -> str:
        """A value on its button: what a command takes as an argument is English."""
        if self.name == LANGUAGE and value in LANGUAGES:
            return LANGUAGES[value]
        return phrase(f"label-{self.name}-{value}")

    def value_of(self, words: str) -> str:
        """The value that a person writes: itself, or what its button says in any language; else the words."""
        said = words.strip().casefold()
        return next((value for value in self.values if said == value or said in self._labels(value)), words.lower())

    def _labels(self, value: str) -> Iterator[str]:
        for language in LANGUAGES:
            with speaking(language):
                yield self.label(value).casefold()

    def picker(self, now: str) -> str:
        """The words above the buttons. A value whose label says it all has no line."""
        meant = [(self.label(value), self.meaning(value)) for value in self.values]
        lines = [labelled(label, meaning) for label, meaning in meant if label != meaning]
        return "\n".join([phrase(f"choice-{self.name}"), phrase("now-uses", now=self.label(now)), "", *lines])


CHAT_CHOICES: Mapping[str, ChatChoice] = {
    choice.name: choice
    for choice in (
        ChatChoice("queue", ("collect", "followup", "interrupt", "steer"), lambda settings: settings.queue_mode),
        ChatChoice("steps", ("live", "fold", "keep"), lambda settings: settings.steps),
        ChatChoice("thinking", ("hide", "fold", "show"), lambda settings: settings.thinking),
        ChatChoice(LANGUAGE, (AUTO, *LANGUAGES), lambda _: AUTO),
        ChatChoice("voice", ("off", "auto", "on"), lambda settings: "off" if settings.voice is None else "auto"),
    )
}


def unavailable(settings: Settings) -> frozenset[str]:
    """The commands that choose nothing here: no menu shows them."""
    return frozenset({"voice"}) if settings.voice is None else frozenset()


def _fitting(what: str, values: Sequence[str]) -> list[str]:
    return [value for value in values if len(f"{what}:{value}".encode()) <= _DATA_BYTES][:_BUTTONS]


def buttons(what: str, values: Sequence[str], now: str | None) -> tuple[tuple[Button, ...], ...]:
    """A picker's buttons in two columns, the current value marked. A value that a button cannot carry is left out."""
    fitting = _fitting(what, values)
    choice, marks = CHAT_CHOICES.get(what), {now: "✓ "}
    made = [
        Button(text=marks.get(one, "") + (choice.label(one) if choice else one), data=f"{what}:{one}")
        for one in fitting
    ]
    return tuple(tuple(made[place : place + _COLUMNS]) for place in range(0, len(made), _COLUMNS))


_LISTED_CHARACTERS = 3000
"""Of the names in a message: Telegram refuses a longer message, and the user would get no answer."""


def listed(names: Sequence[str]) -> str:
    """As many names as fit into a message."""
    shown = list(names)
    while len(shown) > 1 and sum(map(len, shown)) + 2 * len(shown) > _LISTED_CHARACTERS:
        shown.pop()
    left = len(names) - len(shown)
    return listing([*shown, phrase("and-more", count=left)] if left else shown)


def uses(what: str, now: str | None, names: Sequence[str], about: Mapping[str, str], *, choosing: bool = True) -> str:
    """The words above the names of models or agents. Names are written out where one of them has no button.

    Args:
        what: ``model`` or ``agent``.
        now: The one that answers; None for the default.
        names: Those that may be chosen.
        about: What is said of some of them; as much of it as fits into a message.
        choosing: The reader may choose.
    """
    if what == "model":
        said = phrase("uses-model", name=now) if now else phrase("uses-model-default")
    else:
        said = phrase("uses-agent", name=now) if now else phrase("uses-agent-default")
    how = phrase("choose-how", command=what)
    if not choosing:
        return said
    if names:
        whole = len(_fitting(what, names)) == len(names)
        words = f"{said if whole else sentences(said, phrase('choose-from', names=listed(names)))}\n{how}"
        lines = [labelled(name, about[name]) for name in names if about.get(name)]
        while lines and len(words) + sum(map(len, lines)) + len(lines) > _LISTED_CHARACTERS:
            lines.pop()
        return "\n".join([words, "", *lines] if lines else [words])
    return sentences(said, phrase("model-fixed") if what == "model" else how)


def switched_later(what: str, value: str) -> str:
    """What a person reads whose choice comes behind what is being worked on. A language is spoken at once."""
    return switched(what, value) if what == LANGUAGE else sentences(switched(what, value), phrase("from-next"))


def switched(what: str, value: str) -> str:
    """What a person reads who has chosen ``value``; an empty one is the default."""
    choice = CHAT_CHOICES.get(what)
    if what == LANGUAGE:
        with speaking(language_of(value, spoken())):
            return phrase("speaks") if value in LANGUAGES else phrase("speaks-auto")
    if choice is None and value:
        return phrase("switched", name=value)
    if choice is None:
        return phrase("switched-model-default") if what == "model" else phrase("switched-agent-default")
    return (
        phrase("switched-value", meaning=choice.meaning(value)) if value else phrase("switched-default", command=what)
    )
