"""The catalogue of texts is whole, and the code asks for nothing that it does not have."""

import ast
import re
import string
from pathlib import Path

import pytest

from bot import texts
from tasks.chat_choices import CHAT_CHOICES
from tasks.phrases import catalogue, phrase
from tasks.text import utf16

ROOT = Path(__file__).resolve().parents[2]
MENU = 256
"""Bot API, "BotCommand": characters of a description."""
MESSAGE = 4096
DESCRIPTIONS = {"description": 512, "short-description": 120}
BUTTON = 40
"""UTF-16 units; a phone cuts a longer label."""
TOAST = 200
"""Bot API, "answerCallbackQuery"."""
TOASTS = {
    *("private-bot", "rate", "guests", "too-old", "asker-only", "group-admins-only"),
    *("question-ended", "question-answered", "question-not-yours", "answer-taken", "answer-denied"),
}


def forms(ident: str) -> list[str]:
    text = catalogue()[ident]
    return [text] if isinstance(text, str) else list(text.values())


def names(form: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(form) if name is not None}


def asked_for() -> dict[str, tuple[str, set[str]]]:
    """Each id that the code names, with the place and the arguments; of ids that are put together the beginning."""
    found: dict[str, tuple[str, set[str]]] = {}
    for path in (path for package in ("bot", "botapi", "tasks", "workers") for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
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


def test_a_text_that_counts_has_a_form_for_one_and_for_other_numbers_and_chooses_it() -> None:
    counting = {ident: text for ident, text in catalogue().items() if not isinstance(text, str)}
    for ident, text in counting.items():
        assert text.keys() == {"one", "other"}, ident
        assert "{count}" in text["other"], ident
    assert phrase("seconds", count=1) == "1 second"
    assert [phrase("seconds", count=count) for count in (0, 2, 1234)] == ["0 seconds", "2 seconds", "1,234 seconds"]


def test_a_text_fits_where_telegram_shows_it() -> None:
    for ident in catalogue():
        for form in forms(ident):
            assert form.strip(), ident
            most = MENU if ident.startswith("menu-") else BUTTON if ident.startswith("button-") else MESSAGE
            most = min(most, DESCRIPTIONS.get(ident, most), TOAST if ident in TOASTS else most)
            assert utf16(re.sub(r"\{\w+\}", "x" * 8, form)) <= most, ident


@pytest.mark.promise("words-complete")
def test_the_code_asks_for_texts_that_there_are_with_what_they_need() -> None:
    known = catalogue()
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
    assert [ident for ident in catalogue() if ident not in code and not ident.startswith(begin)] == []


def test_each_command_of_the_menus_and_each_choice_of_a_chat_has_its_texts() -> None:
    for name in (*texts.COMMANDS, *texts.ADMIN_COMMANDS):
        assert phrase(f"menu-{name}")
    for choice in CHAT_CHOICES.values():
        assert choice.picker(choice.values[0]).count("\n") == len(choice.values) + 2
