"""The catalogues of texts are whole, alike, and the code asks for nothing that they do not have."""

import ast
import functools
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import texts
from tasks.chats.choices import CHAT_CHOICES, LANGUAGE
from tasks.phrases import ENGLISH, LANGUAGES, catalogue, phrase, speaking
from tasks.text import utf16

ROOT = Path(__file__).resolve().parents[2]
MENU = 42
"""UTF-16 units that a line of the menu shows on a phone; Telegram takes 256."""
MESSAGE = 4096
DESCRIPTIONS = {"description": 512, "short-description": 120}
BUTTON = 40
"""UTF-16 units; a phone cuts a longer label."""
TOAST = 200
"""Bot API, "answerCallbackQuery"."""
TOASTS = {
    *("private-bot", "rate", "guests", "too-old", "asker-only", "group-admins-only", "group-admins-unknown"),
    *("question-ended", "question-answered", "question-not-yours", "answer-taken", "answer-denied", "picker-only"),
}


PLURALS = {"en": ("one", "other"), "de": ("one", "other"), "es": ("one", "other"), "pt": ("one", "other")} | {
    "ru": ("one", "few", "many", "other"),
    "zh": ("other",),
}
"""CLDR's categories of whole numbers and, for what is not counted, "other"; "many" of es and pt begins at a million."""
OTHERS = tuple(language for language in LANGUAGES if language != ENGLISH)
ALIKE = {
    *(
        "thousands",
        "reminder",
        "reminder-again",
        "choice-line",
        "conversation-kept",
        "answered-by",
        "form-asks",
        "reference",
        "whoami",
    ),
    *("between-names", "button-cancel-one"),
    *("role-admin", "tool", "button-no", "part-of", "lasted-minutes", "lasted-seconds", "uses-agent-model", "and-more"),
    *(
        "the-default",
        "login-who",
        "form-optional",
        "conversation-now",
        "conversation-untitled",
        "choice-thinking-hide",
        "switched-value",
        "reads-pdf",
    ),
}
"""Texts that are the same in two languages because their words are, or they have none."""


def forms(ident: str, language: str = ENGLISH) -> list[str]:
    text = catalogue(language)[ident]
    return [text] if isinstance(text, str) else list(text.values())


def names(form: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(form) if name is not None}


@functools.cache
def asked_for() -> dict[str, tuple[str, set[str]]]:
    """Each id that the code names, with the place and the arguments; of ids that are put together the beginning."""
    found: dict[str, tuple[str, set[str]]] = {}
    for path in (path for package in ("bot", "botapi", "tasks", "workers") for path in (ROOT / package).rglob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "phrase(" in text else ():
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "phrase"):
                continue
            given = {word.arg or "**" for word in node.keywords}
            ident = node.args[0]
            if isinstance(ident, ast.Constant):
                found[str(ident.value)] = (f"{path.name}:{node.lineno}", given)
            else:
                assert isinstance(ident, ast.JoinedStr), (
                    f"{path}:{node.lineno} asks for a text that no test can look up"
                )
                head = ident.values[0]
                assert isinstance(head, ast.Constant)
                found[f"{head.value}*"] = (f"{path.name}:{node.lineno}", given)
    return found


@pytest.mark.promise("words-complete")
@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_each_text_with_the_same_names_in_words_of_its_own(language: str) -> None:
    ours, english, wrong = catalogue(language), catalogue(ENGLISH), list[str]()
    place = f"tasks/languages/{language}.toml"
    wrong += [f"{ident} is missing in {place}: translate it from en.toml" for ident in english if ident not in ours]
    wrong += [f"{ident} in {place} is not in en.toml: remove it" for ident in ours if ident not in english]
    for ident in (ident for ident in ours if ident in english):
        wanted = {name for form in forms(ident) for name in names(form)}
        given = {name for form in forms(ident, language) for name in names(form)}
        if given != wanted:
            wrong.append(f"{ident} in {place} has {sorted(given)}, and en.toml has {sorted(wanted)}")
        if isinstance(ours[ident], str) is not isinstance(english[ident], str):
            wrong.append(f"{ident} in {place} has plural forms and in en.toml none, or the reverse")
        elif ours[ident] == english[ident] and ident not in ALIKE and any(map(str.isalpha, forms(ident)[0])):
            wrong.append(f"{ident} in {place} is the English one")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_counts_has_a_form_for_each_kind_of_number_of_its_language(language: str) -> None:
    counting = {ident: text for ident, text in catalogue(language).items() if not isinstance(text, str)}
    for ident, text in counting.items():
        kinds = tuple(kind for kind in text if kind != "=1")
        assert kinds == PLURALS[language], f"{ident} in {language}.toml has {list(text)}"
        # A form for one number alone may leave it out; "one" of Russian is 21 and 31, too.
        alone = {"one", "=1"} if language != "ru" else {"=1"}
        assert [kind for kind in text if "{count}" not in text[kind] and kind not in alone] == [], (
            f"{ident}, {language}"
        )


def judged(language: str) -> Callable[[int], str]:
    """Babel's rules of a language: it has CLDR's as data, and no process of ours loads it."""
    from babel import Locale

    return Locale(language).plural_form


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_has_the_plural_form_that_babel_gives_it(language: str) -> None:
    text = catalogue(language)["hours"]
    assert not isinstance(text, str)
    assert len(set(text.values())) == max(len(text) - (language == "ru"), 1), "the forms tell the kinds apart"
    around = {power + near for power in (10**exponent for exponent in range(6)) for near in range(-25, 26)}
    judge = judged(language)
    with speaking(language):
        for number in sorted({*range(1001), *(number for number in around if number >= 0), 123_422, 999_999}):
            wanted = text[judge(number)]
            shown = f"{number:,}".replace(",", str(catalogue(language)["thousands"]))
            assert phrase("hours", count=number) == wanted.format(count=shown), number


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_counts_has_the_kinds_of_babel_below_a_million(language: str) -> None:
    # "many" of es and pt begins at a million, which nothing here counts to.
    judge = judged(language)
    kinds = {judge(number) for number in range(1001)} | {"other"}
    assert set(PLURALS[language]) == kinds


SINGLE = re.compile(r"\b(?:он|она|оно|его|её|ему|ей|нём|ней|него|неё)\b", re.IGNORECASE)


def test_what_is_said_of_21_and_101_in_russian_is_not_said_as_of_one() -> None:
    # Their form is "one". What speaks of a single thing stands under "=1".
    counting = {ident: text for ident, text in catalogue("ru").items() if not isinstance(text, str)}
    assert [ident for ident, text in counting.items() if SINGLE.search(text["one"])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_date_stays_in_one_line_on_a_phone(language: str) -> None:
    # Browsers, and Telegram's apps, break a line behind a hyphen.
    with speaking(language):
        said = phrase("date", year=2026, month=9, day=26), phrase("when-date", year=2026, month=9, day=26, time="09:00")
    assert "-" not in "".join(said)


def test_a_number_has_the_marks_of_its_language() -> None:
    assert [phrase("seconds", count=count) for count in (0, 2, 1234)] == ["0 seconds", "2 seconds", "1,234 seconds"]
    with speaking("de"):
        assert phrase("seconds", count=1234) == "1.234 Sekunden"
    with speaking("ru"):
        assert phrase("seconds", count=1234) == "1\N{NO-BREAK SPACE}234 секунды"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_fits_where_telegram_shows_it(language: str) -> None:
    for ident in catalogue(language):
        for form in forms(ident, language):
            assert form.strip() or ident in ("thousands", "between-sentences"), ident
            most = MENU if ident.startswith("menu-") else BUTTON if ident.startswith("button-") else MESSAGE
            most = min(most, DESCRIPTIONS.get(ident, most), TOAST if ident in TOASTS else most)
            assert utf16(re.sub(r"\{\w+\}", "x" * 8, form)) <= most, f"{ident} in {language}.toml"


@pytest.mark.promise("words-complete")
def test_the_code_asks_for_texts_that_there_are_with_what_they_need() -> None:
    known = catalogue(ENGLISH)
    code = asked_for()
    for ident, (place, given) in code.items():
        if ident.endswith("*"):
            assert any(one.startswith(ident[:-1]) for one in known), place
            continue
        assert ident in known, f"{place}: {ident}"
        wanted = {name for form in forms(ident) for name in names(form)}
        counts = set() if isinstance(known[ident], str) else {"count"}
        assert given == wanted | counts or "**" in given, f"{place}: {ident} takes {wanted}, and is given {given}"


def test_each_text_is_said_by_the_code() -> None:
    code = asked_for()
    begin = tuple(ident[:-1] for ident in code if ident.endswith("*"))
    assert [ident for ident in catalogue(ENGLISH) if ident not in code and not ident.startswith(begin)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_command_of_the_menus_and_each_choice_of_a_chat_has_its_texts(language: str) -> None:
    with speaking(language):
        for name in (*texts.COMMANDS, *texts.ADMIN_COMMANDS):
            assert phrase(f"menu-{name}")
        for choice in CHAT_CHOICES.values():
            told = 1 if choice.name == LANGUAGE else len(choice.values)
            assert choice.picker(choice.values[0]).count("\n") == told + 2
