"""Cutting formatted texts into messages."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botapi.split import MAX_ENTITIES, Part, split
from tasks.text import utf16

PIECES = [
    "word ",
    "long" * 30,
    "\n",
    "\n\n",
    ". ",
    "👨‍👩‍👧‍👦",
    "🇩🇪🇫🇷",
    "e\u0301",
    "漢字",
    "    ",
    "\t",
    "x",
    "😀" * 9,
    "。",
]
KINDS = ["bold", "pre", "code", "text_link", "blockquote", "spoiler"]


@st.composite
def formatted(draw: st.DrawFn) -> tuple[str, list[dict]]:
    text = "".join(draw(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=60)))
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    entities = []
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=12)):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, len(text)))
        entities.append({"type": kind, "offset": utf16(text[:start]), "length": utf16(text[start:end])})
    return text, [entity for entity in entities if entity["length"]]


def covered(part: Part, entity: dict) -> str:
    """What an entity covers; fails when it cuts a surrogate pair."""
    units = part.text.encode("utf-16-le")
    return units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


def letters(text: str) -> str:
    return "".join(text.split())


@given(formatted(), st.integers(2, 90))
def test_parts_hold_the_whole_text_within_the_limit(given_text: tuple[str, list[dict]], limit: int) -> None:
    text, entities = given_text
    parts = split(text, entities, limit)
    assert letters("".join(part.text for part in parts)) == letters(text)
    for part in parts:
        assert 0 < utf16(part.text) <= limit
        assert part.text.strip()
        assert not part.text[-1].isspace()
        assert len(part.entities) <= MAX_ENTITIES
        for entity in part.entities:
            assert entity["length"] > 0
            assert 0 <= entity["offset"] <= utf16(part.text) - entity["length"]
            covered(part, entity)


@given(formatted(), st.integers(2, 90))
def test_what_was_formatted_stays_formatted_in_every_part(given_text: tuple[str, list[dict]], limit: int) -> None:
    text, entities = given_text
    parts = split(text, entities, limit)
    whole = Part(text)
    for kind in KINDS:
        chosen = [entity for entity in entities if entity["type"] == kind]
        before = "".join(covered(whole, entity) for entity in chosen)
        after = "".join(covered(part, entity) for part in parts for entity in part.entities if entity["type"] == kind)
        assert sorted(letters(before)) == sorted(letters(after))


def test_a_cut_is_made_between_paragraphs_where_it_can_be() -> None:
    paragraph = "One sentence. Another one.\nA line."
    assert [part.text for part in split(f"{paragraph}\n\n{paragraph}", limit=50)] == [paragraph, paragraph]


def test_else_between_lines_then_sentences_then_words() -> None:
    assert [part.text for part in split("a b. c d\ne f. g h", limit=12)] == ["a b. c d", "e f. g h"]
    assert [part.text for part in split("aa bb. cc dd ee", limit=11)] == ["aa bb.", "cc dd ee"]
    assert [part.text for part in split("aaa bbb ccc", limit=8)] == ["aaa bbb", "ccc"]


def test_a_grapheme_is_not_torn_apart() -> None:
    family = "👨‍👩‍👧‍👦"
    assert [part.text for part in split(family * 3, limit=utf16(family) + 3)] == [family] * 3
    assert [part.text for part in split("🇩🇪🇫🇷🇮🇹", limit=6)] == ["🇩🇪", "🇫🇷", "🇮🇹"]
    assert all(not unicodedata.combining(part.text[0]) for part in split("e\u0301" * 40, limit=7))


def test_code_goes_on_as_code_of_its_language_with_its_indentation() -> None:
    code = "\n".join(f"    line {number}" for number in range(40))
    parts = split(code, [{"type": "pre", "offset": 0, "length": len(code), "language": "python"}], 100)
    assert len(parts) > 3
    for part in parts:
        assert part.entities == ({"type": "pre", "offset": 0, "length": utf16(part.text), "language": "python"},)
        assert all(line.startswith("    line") for line in part.text.split("\n"))


def test_code_that_fits_one_message_is_not_divided() -> None:
    prose, code = "word " * 8, "a = 1\nb = 2\nc = 3\nd = 4"
    entities = [{"type": "pre", "offset": len(prose), "length": len(code)}]
    parts = split(f"{prose}{code}\nend", entities, 50)
    assert [part.text for part in parts] == [prose.strip(), f"{code}\nend"]


@pytest.mark.promise("long-answers")
def test_a_text_of_more_than_a_hundred_entities_is_several_messages_and_keeps_all_of_them() -> None:
    text = " ".join(["bold"] * 250)
    bold = [{"type": "bold", "offset": 5 * place, "length": 4} for place in range(250)]
    parts = split(text, bold)
    assert [len(part.entities) for part in parts] == [100, 100, 50]
    assert " ".join(part.text for part in parts) == text
    assert all(covered(part, entity) == "bold" for part in parts for entity in part.entities)


def test_of_too_many_entities_in_one_place_those_that_carry_most_are_kept() -> None:
    bold = [{"type": "bold", "offset": 0, "length": 2} for _ in range(149)]
    link = {"type": "text_link", "offset": 0, "length": 2, "url": "https://example.org"}
    (part,) = split("ab", [*bold, link])
    assert len(part.entities) == 100
    assert link in part.entities


CODE = """import os

def first():
    one = 1

    two = 2
    return one + two

def second():
    if True:
        return 3
    else:
        return 4
"""


@pytest.mark.promise("long-answers")
@pytest.mark.parametrize("limit", [70, 75, 80, 90, 100, 110])
def test_code_is_cut_where_an_outer_statement_begins_best_at_a_blank_line(limit: int) -> None:
    entity = {"type": "pre", "offset": 0, "length": len(CODE), "language": "python"}
    first, second, *_ = split(CODE, [entity], limit)
    assert first.text == CODE.partition("\n\ndef second")[0]
    assert second.text.startswith("def second():")


def test_code_is_not_cut_before_what_goes_on_with_a_statement() -> None:
    code = "call(\n    one,\n    two,\n)\nif a:\n    b()\nelse:\n    c()\nlast()"
    pre = {"type": "pre", "offset": 0, "length": len(code)}
    assert [part.text for part in split(code, [pre], 48)] == [
        "call(\n    one,\n    two,\n)",
        "if a:\n    b()\nelse:\n    c()\nlast()",
    ]


@pytest.mark.promise("long-answers")
def test_a_heading_goes_with_what_stands_below_it() -> None:
    before, heading, below = "word " * 12, "Heading", "below " * 12
    text = f"{before.strip()}\n\n{heading}\n\n{below.strip()}"
    bold = {"type": "bold", "offset": len(before) + 1, "length": len(heading)}
    assert [part.text for part in split(text, [bold], 80)] == [before.strip(), f"{heading}\n\n{below.strip()}"]
    # Of a text that is one heading after the other nothing is gained.
    assert [part.text for part in split("a\nb\nc", [{"type": "bold", "offset": 0, "length": 5}], 4)] == ["a\nb", "c"]


def test_headings_without_anything_below_them_do_not_make_small_messages() -> None:
    count, text = 2_000, "ab\n" * 2_000
    bold = [{"type": "bold", "offset": 3 * number, "length": 2} for number in range(count)]
    parts = split(text, bold)
    assert "\n".join(part.text for part in parts) == text.strip()
    assert len(parts) == 20, "100 entities each"


def test_a_cut_depends_on_nothing_that_comes_later() -> None:
    text = "\n\n".join(f"Paragraph {number}.\n{'word ' * number}" for number in range(40))
    whole = split(text, limit=300)
    for length in range(37, len(text), 37):
        *closed, _ = split(text[:length], limit=300)
        assert closed == whole[: len(closed)]


def test_blank_text_gives_no_message() -> None:
    assert split(" \n\t ") == []
