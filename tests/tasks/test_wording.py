"""How the catalogues write: the marks, quotes and forms of address of each language, and what no text may hold."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.commands.memory_texts import memory, paged
from bot.commands.reminder_texts import rule_in_words
from tasks.chats.choices import CHAT_CHOICES, buttons, switched, uses
from tasks.phrases import ENGLISH, LANGUAGES, catalogue, speaking
from tasks.text import utf16
from workers.texts import chosen

ROOT = Path(__file__).resolve().parents[2]
TOAST = 200
"""Bot API, "answerCallbackQuery"."""
COLUMN = 20
"""Characters of a label in one of two columns, which a phone shows whole."""
NAME = re.compile(r"\{[\w:]+\}")
COMMAND = re.compile(r"/[a-z{][\w{}]*(?: (?:off|default|cancel|guest|ID|NAME|NOMBRE|NOME))*")
ADDRESS = re.compile(r"https?:\S+|\d{4}-\d\d-\d\dT[\d:]+Z")
QUOTES = {"en": "“”", "de": "„“", "es": "«»", "pt": "“”", "ru": "«»", "zh": "“”"}
LOOSE = frozenset({"thousands", "between-names", "choose-how"})
"""Texts whose end says nothing."""
FORMAL = {
    "de": r"\b(Sie (?:können|haben|dürfen|müssen|möchten|sind)|Ihre?[nmrs]?\b(?! Adresse)|Ihnen)",
    "es": r"\b([Uu]sted(es)?|[Vv]osotros|[Vv]uestr[oa]s?|(?:[Dd]ígame|[Ee]scríbame|[Ee]nvíe|[Pp]ulse|[Ee]lija))\b",
    "pt": r"\b([Tt]u|[Tt]eu|[Tt]ua|[Ss]enhora?|[Ee]screve-me|[Pp]odes|[Tt]ens)\b",
    "ru": r"\b([Тт]ы|[Тт]ебе|[Тт]ебя|[Тт]во[йяёи]|[Нн]апиши|[Пп]ришли|[Пп]опробуй)\b",
    "zh": r"您",
}
"""Forms of address that are not used: it is German du, Spanish tú, Brazilian você, Russian вы, Chinese 你."""
TELEGRAM = {
    "de": r"\b(Bildchen|Aufkleber|Kanalthema|Unterhaltungsthema)\b",
    "es": r"\b([Hh]ilo|[Pp]egatina|[Oo]rdenador|[Vv]ale,)\b",
    "pt": r"\b([Tt]ema|[Ff]icheiro|[Ee]crã|[Uu]tilizador|[Ll]íngua)\b",
    "ru": r"\b([Тт]опик\w*|[Аа]дмин(?:а|у|ы|ов)?|[Сс]айт|учётн\w+ запис\w+)\b",
    "zh": r"(主题帖|贴图|群主|讯息|软体|档案)",
}
"""Words that Telegram's own apps have others for."""


def texts_of(language: str) -> Iterator[tuple[str, str]]:
    """Each text with its id, each plural form for itself."""
    for ident, text in catalogue(language).items():
        for form in (text,) if isinstance(text, str) else text.values():
            yield ident, form


def prose(form: str) -> str:
    """A text without names, commands and addresses, whose marks are no marks of a sentence."""
    return COMMAND.sub("x", NAME.sub("x", ADDRESS.sub("x", form)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotes_are_those_of_the_language_and_in_pairs(language: str) -> None:
    opens, closes = QUOTES[language]
    foreign = set("\"„“”«»‘‚'") - {opens, closes} - ({"'"} if language == ENGLISH else set())
    assert [(ident, form) for ident, form in texts_of(language) if foreign & set(form)] == []
    assert [ident for ident, form in texts_of(language) if form.count(opens) != form.count(closes)] == []


@pytest.mark.parametrize("language", sorted(FORMAL))
def test_everyone_is_spoken_to_in_the_same_way_and_in_telegrams_own_words(language: str) -> None:
    wrong = re.compile(FORMAL[language]), re.compile(TELEGRAM[language])
    assert [(ident, form) for ident, form in texts_of(language) if any(rule.search(form) for rule in wrong)] == []


def test_the_bot_has_no_gender_in_russian() -> None:
    past = re.compile(r"\bя\b[^.;:!?]*\b\w{2,}(?:[аеиоуыя]л|лся)\b", re.IGNORECASE)
    assert [(ident, form) for ident, form in texts_of("ru") if past.search(form)] == []


def test_spanish_questions_and_exclamations_begin_with_their_marks() -> None:
    for ident, form in texts_of("es"):
        assert form.count("?") == form.count("¿"), ident
        assert form.count("!") == form.count("¡"), ident


def test_chinese_has_full_width_marks_and_a_blank_beside_latin_words() -> None:
    for ident, form in texts_of("zh"):
        bare = prose(form)
        if ident != "thousands":
            assert not re.search(r"[一-鿿][,;:!?()]|[,;:!?()][一-鿿]|[一-鿿]\.", bare), (ident, form)
        assert not re.search(r"[一-鿿][A-Za-z]|[A-Za-z][一-鿿]", form), (ident, form)
        assert "  " not in form, ident


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_begins_or_ends_with_a_blank(language: str) -> None:
    loose = ("thousands", "between-sentences", "between-names")
    assert [ident for ident, form in texts_of(language) if form != form.strip() and ident not in loose] == []


@pytest.mark.parametrize("language", ["de", "es", "pt", "ru", "en"])
def test_marks_stand_behind_words_and_before_blanks(language: str) -> None:
    for ident, form in texts_of(language):
        assert not re.search(r"\S {2,}\S|\s[,.;:!?](?:\s|$)|[,;!?](?=[A-Za-zА-Яа-я])", prose(form)), (ident, form)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_command_in_a_text_stands_apart_so_that_apps_make_a_link_of_it(language: str) -> None:
    for ident, form in texts_of(language):
        for found in re.finditer(r"/[a-z]", ADDRESS.sub("", form)):
            before = ADDRESS.sub("", form)[: found.start()][-1:]
            assert not before or not (before.isalnum() or before in "/<>"), (ident, form)
        for name in re.findall(r"(?<![\w/:}])/([a-z]+)", form):
            assert name in {*texts_commands(), *CHAT_CHOICES}, (ident, name)


def texts_commands() -> set[str]:
    """Each command that there is."""
    from tasks.chats.command_names import ASKS, CONTROL

    return {*ASKS, *CONTROL}


def test_a_sentence_ends_alike_in_all_languages() -> None:
    ends = {
        ".": ".",
        "。": ".",
        "?": "?",
        "？": "?",
        "!": "!",
        "！": "!",
        ":": ":",
        "：": ":",
        ")": ")",
        "）": ")",
        "…": "…",
    }
    for language in LANGUAGES:
        for (ident, ours), (_, english) in zip(first_forms(language), first_forms(ENGLISH), strict=True):
            assert ident in LOOSE or ends.get(ours.rstrip()[-1:]) == ends.get(english.rstrip()[-1:]), (
                language,
                ident,
                ours,
            )


def first_forms(language: str) -> list[tuple[str, str]]:
    """Each id with its last form, in the order of the ids."""
    found = catalogue(language)
    return [(ident, text if isinstance(text, str) else text["other"]) for ident, text in sorted(found.items())]


def test_english_talks_with_contractions() -> None:
    stiff = re.compile(
        r"\b(do not|does not|did not|cannot|can not|is not|are not|was not|will not|have not|has not|"
        r"I am|I have(?! no)|I will|you are|it is|that is|there is|let us)\b(?=[ ,]\w)(?! now| called)",
        re.IGNORECASE,
    )
    assert [(ident, form) for ident, form in texts_of(ENGLISH) if stiff.search(form)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_has_a_unit_or_a_type_that_only_programmers_read(language: str) -> None:
    jargon = re.compile(r"\b(?:[KMG]iB|МиБ|MIME|None|null|True|False|UTF-?8|HTTP|JSON|application/|Exception)\b")
    assert [(ident, form) for ident, form in texts_of(language) if jargon.search(form)] == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != ENGLISH])
def test_no_english_is_left_over(language: str) -> None:
    english = re.compile(
        r"\b(?:the|and|this|that|with|your|you|please|message|again|can't|don't|reminder)\b", re.IGNORECASE
    )
    assert [(ident, form) for ident, form in texts_of(language) if english.search(NAME.sub("x", form))] == []


AGREES = {
    "en": r"\{range\} \w+s\b",
    "de": r"\{range\} \w+e\b",
    "es": r"\b(?:a las?|son(?: ahora)?(?: las)?) \{time\}|\{range\} \w+s\b",
    "pt": r"\b(?:às?|são) \{time\}|\{range\} (?!dos\b)\w+s\b",
    "ru": r"\{range\} \w+",
}
"""Words that agree with a number that is not counted: 1 o'clock is "a la 1", and a range may be "at least 1"."""


@pytest.mark.parametrize("language", sorted(AGREES))
def test_words_beside_a_time_or_a_range_fit_any_number(language: str) -> None:
    wrong = re.compile(AGREES[language])
    assert [(ident, form) for ident, form in texts_of(language) if wrong.search(form)] == []


NAMED_BUTTONS = {"press-retry": "button-retry", "login-not-done": "button-cancel"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_that_a_text_names_is_named_as_it_is_written_and_marked_as_a_name(language: str) -> None:
    opens, closes = ("", "") if language == ENGLISH else QUOTES[language]
    found = catalogue(language)
    missing = {ident: found[button] for ident, button in NAMED_BUTTONS.items()}
    assert [ident for ident, label in missing.items() if f"{opens}{label}{closes}" not in str(found[ident])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_choice_is_told_in_a_toast_and_its_label_fits_in_its_column(language: str) -> None:
    with speaking(language):
        for name, choice in CHAT_CHOICES.items():
            assert max(utf16(switched(name, value)) for value in ("", *choice.values)) <= TOAST
            labels = [button.text for row in buttons(name, choice.values, choice.values[0]) for button in row]
            assert max(map(len, labels)) <= COLUMN, labels
            assert len(set(labels)) == len(labels), "each is another one"


@pytest.mark.parametrize("language", LANGUAGES)
def test_forms_of_one_text_differ_in_nothing_but_their_words(language: str) -> None:
    for ident, text in catalogue(language).items():
        if isinstance(text, str):
            continue
        for form in text.values():
            given = {name for _, name, _, _ in string.Formatter().parse(form) if name} | {"count"}
            assert given == {name for _, name, _, _ in string.Formatter().parse(text["other"]) if name} | {"count"}, (
                ident
            )


def test_chinese_lists_and_sentences_have_its_own_marks_between_them() -> None:
    with speaking("zh"):
        rule = rule_in_words("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU")
        said = [
            rule,
            uses("model", "one", ("one", "two" * 30), {"one": "甲"}),
            memory(paged([("a", "b")]), 0),
            chosen({"model": "x", "queue": "steer"}),
        ]
    for text in said:
        assert not re.search(r"[一-鿿][,:]|[,:] [一-鿿]|。 ", text), text
    assert "one、two" in said[1], "written out, as one has no button"


def test_no_code_puts_marks_between_what_people_read() -> None:
    """Sentences, names and labels have the marks of their language: ``sentences``, ``listing``, ``labelled``."""
    wrong = re.compile(
        r"phrase\([^()]*\)\}[ :]|f\"[^\"]*(?<![-…])[ :]\{phrase\(|\", \"\.join\(phrase|\" \"\.join\(phrase"
    )
    paths = [path for package in ("bot", "botapi", "tasks", "workers") for path in (ROOT / package).rglob("*.py")]
    found = [(path.name, line) for path in paths for line in path.read_text().splitlines() if wrong.search(line)]
    assert found == []
