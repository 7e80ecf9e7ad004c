"""What a model thinks is told from what it says, however its text comes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workers.runtime.streams.thoughts import ThoughtFilter, parted

BLOCK = "```\n<think>\nno\n</think>\n```"

CASES = {
    "<think>\nhm\n</think>\n\nHello": ("Hello", "hm"),
    "  \n<THINK>hm</Think>Hello": ("Hello", "hm"),
    "<thinking>hm</thinking>\nHello": ("Hello", "hm"),
    "<thought>hm</thought>\nHello": ("Hello", "hm"),
    "<seed:think>hm</seed:think>Hello": ("Hello", "hm"),
    "[THINK]hm[/THINK]Hello": ("Hello", "hm"),
    "◁think▷hm◁/think▷Hello": ("Hello", "hm"),
    "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hello": ("Hello", "hm"),
    "hm\n</think>\n\nHello": ("Hello", "hm"),
    "well, hm.</think>\n\nHello": ("Hello", "well, hm."),
    "<think></think>Hello": ("Hello", ""),
    "<think>one</think><think>two</think>Hello": ("Hello", "onetwo"),
    "First.\n<think>hm</think>\nThen.": ("First.\n\nThen.", "hm"),
    "<think>never ended": ("", "never ended"),
    "<think>a < b </thin </think>Hello": ("Hello", "a < b </thin "),
    **{
        f"<{name}>\nhm\n</{name}>\n\nHello": ("Hello", "hm")
        for name in (
            "reasoning",
            "reflection",
            "scratchpad",
            "antThinking",
            "REASONING_SCRATCHPAD",
            "|think|",
            " think ",
        )
    },
    '<think time="3">hm</think >Hello': ("Hello", "hm"),
    "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>": ("Hello", "hm"),
    "<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>Hello<|end_of_solution|>": ("Hello", "hm"),
    "<|channel>hm<channel|>Hello": ("Hello", "hm"),
    "<think>hm</think>\n<answer>\nHello\n</answer>": ("Hello", "hm"),
    "<|start|>assistant<|channel|>analysis<|message|>hm<|end|>"
    "<|start|>assistant<|channel|>commentary<|message|>Wait.<|end|>"
    "<|start|>assistant<|channel|>final <|constrain|>JSON<|message|>Hello<|return|>": ("Wait.\n\nHello", "hm"),
    "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>": ("", "{}"),
    "<|channel|>analysis<|message|>hm<|channel|>final<|message|>Hello": ("Hello", "hm"),
    "analysisHe greets.assistantfinalHello": ("Hello", "He greets."),
    "Hello<|im_end|>": ("Hello", ""),
    "Hello<|end|>\n<|return|>\n": ("Hello", ""),
    "<think>one <think>two</think> three</think>Hello": ("Hello", "one two three"),
    "<think>\n```\n</think>\n```\nhm\n</think>\nHello": ("Hello", "```\n\n```\nhm"),
    "Let me see. <think>hm</think>Hello": ("Let me see. Hello", "hm"),
}
"""A model's text -> what it says (without blanks around it), and what was thought."""

PLAIN = [
    "Hello",
    "",
    "a <think> within a line",
    "the `<think>` mark\nand `</think>`",
    "it ends in `</think>`\n\nso",
    "</thinker>",
    "<thin",
    f"Like so:\n{BLOCK}\nand on",
    "~~~\n<think>\n```\n</think>\n~~~\nend",
    "One line.\n<think>\nis how they begin, and it goes on without an end",
    "[think about it]",
    "a </think> b",
    "They write <think> and </think> around it",
    "`Done. <think>` and `</think>`",
    "<answer>\n42\n</answer>",
    "<|im_end|> ends a message",
    "See. <think> is how they begin",
    "analysisOf is a name",
    "analysis",
    "<|start|>\nis how it begins",
    "<|channel|>",
]
"""Texts that say all of it."""


@pytest.mark.promise("thoughts-apart")
@pytest.mark.parametrize("text", CASES)
def test_what_is_thought_is_told_from_what_is_said(text: str) -> None:
    said, thought = parted(text)
    assert (said.strip(), thought.strip()) == (CASES[text][0], CASES[text][1].strip())


@pytest.mark.promise("thoughts-apart")
@pytest.mark.parametrize("text", PLAIN)
def test_a_text_about_such_marks_is_said_as_it_is(text: str) -> None:
    assert parted(text)[0] == text


WORDS = [
    *("<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "<|end|>"),
    *("<|channel|>analysis<|message|>", "<|channel|>final<|message|>", "```", "~~~", "`", "\n", "\n\n", " ", "<", "a"),
    *(
        "<|start|>assistant",
        "<|channel|>",
        "<|message|>",
        "<|return|>",
        "<|im_end|>",
        "analysis",
        "A",
        "assistantfinal",
    ),
    *(
        "<answer>",
        "</answer>",
        "< reasoning >",
        "</reasoning>",
        "<|START_THINKING|>",
        "<|END_THINKING|>",
        ".",
        "a" * 70,
    ),
]


def read(pieces: list[str]) -> tuple[str, str]:
    """As ``parted``, in pieces."""
    reader, said, thought = ThoughtFilter(), "", ""
    for kind, text in [found for piece in pieces for found in reader.feed(piece)] + list(reader.end()):
        match kind:
            case "said":
                said += text
            case "thought":
                thought += text
            case "recall":
                said, thought = "", thought + said
    return said, thought


@pytest.mark.promise("thoughts-apart")
@example(text="a</think>\n\n\n", cuts={11})
@given(
    st.lists(st.sampled_from(WORDS) | st.text("a<>/think[] \n", max_size=4), max_size=12).map("".join),
    st.sets(st.integers(0, 100), max_size=12),
)
def test_it_makes_no_difference_where_the_text_is_cut_into_pieces(text: str, cuts: set[int]) -> None:
    places = sorted(place for place in cuts if place <= len(text))
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    assert read(pieces) == read([text]) == read(list(text))


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=20).map("".join))
def test_no_word_is_lost_or_told_twice_but_the_marks(text: str) -> None:
    said, thought = read([text])
    assert len(said) + len(thought) <= len(text)
    if not any(mark in text for mark in ("<", "[", "◁", "assistantfinal")):
        assert (said, thought) == (text, "")
    kept = set(said + thought) - {"<"}
    # Two messages of one answer stand apart.
    assert kept <= set(text) | {"\n"}


@pytest.mark.promise("thoughts-apart")
def test_what_follows_a_mark_behind_a_text_is_no_thought_until_the_mark_is_closed() -> None:
    reader = ThoughtFilter()
    begins = [piece for part in ("One line.\n", "<think>\n", "is how ", "they begin") for piece in reader.feed(part)]
    assert begins == [("said", "One line.\n")]
    assert list(reader.end()) == [("said", "<think>\nis how they begin")]
    closed = ThoughtFilter()
    found = [piece for part in ("One line.\n", "<think>", "a ", "b</think>c") for piece in closed.feed(part)]
    assert [*found, *closed.end()] == [("said", "One line.\n"), ("thought", "a b"), ("said", "c")]


def test_a_long_text_of_short_lines_costs_no_more_a_character() -> None:
    text = "<think>" + "a\n" * 100_000 + "</think>" + "b\n" * 100_000
    said, thought = parted(text)
    assert (len(said), len(thought)) == (200_000, 200_000)
