"""Texts for people: one catalogue a language (``tasks/languages``), and the language that is spoken now.

What a process says to a person is said in the language of that person. The code that handles a message sets it for its
task (``speaking``, ``speak``), and every ``phrase`` of that task and of its children follows. What is said later, or to
another person, is said within ``speaking`` of its own.
"""

import tomllib
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "pt": "Português",
    "ru": "Русский",
    "zh": "中文",
}
"""Each language that there is a catalogue of, by its code, with its own name for itself."""

ENGLISH = "en"
"""What is spoken where a language is not known, or there is no catalogue of it."""

type CatalogueText = str | Mapping[str, str]
"""A text of a catalogue; where it counts something, one for each plural category of the language (CLDR's names),
and, where one number has words of its own, a form under ``=1``."""

ANSWER_FILE = ".md"
"""How a file with a long answer ends in every language: by it the bot knows an answer that it sent."""

_LONGEST_TAG = 64
"""Characters that are looked at: a tag of a language is short, and what comes from outside need not be one."""
_ELEVEN = 11
_FOLDER = Path(__file__).parent / "languages"
_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)


def phrase(ident: str, /, **about: object) -> str:
    """A text in the language that is spoken now.

    Args:
        ident: Names it in the catalogue.
        about: What stands in place of its ``{names}``. A text that counts is chosen by ``count``.
    """
    language = _spoken.get()
    text = catalogue(language)[ident]
    count = about.get("count")
    if not isinstance(text, str):
        form = _plural(language, count) if isinstance(count, int) else "other"
        text = text.get(f"={count}") or text[form]
    if isinstance(count, int):
        about["count"] = grouped(count)
    return text.format_map(about)


def _plural(language: str, count: int) -> str:
    """The plural category of a whole number below a million, as CLDR has it.

    Ours, because four rules are not worth Babel: 36 MB, and 17 ms to import in each process that says anything. Babel
    judges them in ``tests/tasks/test_catalogue.py``.
    """
    match language:
        case "ru":
            tens, hundreds = count % 10, count % 100
            if tens == 1 and hundreds != _ELEVEN:
                return "one"
            return "few" if tens in (2, 3, 4) and hundreds not in (12, 13, 14) else "many"
        case "zh":
            return "other"
        case "pt":
            return "one" if count in (0, 1) else "other"
        case _:
            return "one" if count == 1 else "other"


def sentences(*said: str) -> str:
    """Sentences in one line; empty ones are left out."""
    return phrase("between-sentences").join(filter(None, said))


def listing(names: Iterable[str]) -> str:
    """Names in a sentence."""
    return phrase("between-names").join(names)


def labelled(name: str, text: str) -> str:
    """A line of a list: a name, and what is said of it."""
    return phrase("choice-line", value=name, meaning=text)


def answer_file() -> str:
    """The name of a file with the whole of a long answer."""
    return f"{phrase('answer-file')}{ANSWER_FILE}"


def grouped(number: int) -> str:
    """A number with the marks between its thousands that the language uses."""
    return f"{number:,}".replace(",", phrase("thousands"))


@cache
def catalogue(language: str) -> Mapping[str, CatalogueText]:
    """The texts of one of ``LANGUAGES``; a file is read when it is needed first."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def spoken() -> str:
    """The language that is spoken now, one of ``LANGUAGES``."""
    return _spoken.get()


def speak(language: str) -> None:
    """Speak one of ``LANGUAGES`` from now on, in this task and in what it starts."""
    _spoken.set(language)


@contextmanager
def speaking(language: str) -> Generator[None]:
    """Speak one of ``LANGUAGES`` meanwhile."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def language_of(*tags: str | None) -> str:
    """The first language that there is a catalogue of: of codes (``de``) or IETF tags (``pt-BR``), best first."""
    return next(filter(None, (catalogue_of(tag) for tag in tags if tag)), ENGLISH)


def catalogue_of(tag: str) -> str | None:
    """The code of the language of a tag, where there is a catalogue of it."""
    code = tag[:_LONGEST_TAG].replace("_", "-").partition("-")[0].strip().lower()
    return code if code in LANGUAGES else None
