"""What a turn does, in lines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.progress import Progress
from workers.showing import Step
from workers.texts import tool_in_words


def plain(lines: list[str]) -> list[str]:
    """With blanks where no line may be broken."""
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def running(key: str, tool: str = "fetch_page", **more: float) -> Step:
    return Step(key, tool, **more)


def ended(key: str, tool: str = "fetch_page", state: str = "done") -> Step:
    return Step(key, tool, state)


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("fetch_page", "Fetch page"),
        ("web__fetchPage", "Fetch page"),
        ("search-notes", "Search notes"),
        ("get_current_time", "Look at the clock"),
        ("SQL_query", "SQL query"),
        ("researcher[1]", "Researcher"),
        ("", "Tool"),
        ("__", "Tool"),
        ("x" * 500, "X" + "x" * 47),
        ("a\nb\u202ec", "Abc"),
    ],
)
def test_a_tool_is_named_in_plain_words(tool: str, words: str) -> None:
    assert tool_in_words(tool) == words


def test_a_running_tool_says_how_far_it_is_and_how_long_it_takes() -> None:
    progress = Progress(0.0)
    progress.step(running("1"), 0.0)
    assert plain(progress.lines(1.0)) == ["→ Fetch page"]
    progress.step(running("1", done=3, total=10), 4.0)
    assert plain(progress.lines(11.0)) == ["→ Fetch page · 3 of 10 · 10 s"]
    progress.step(running("1", done=0.5, total=1), 12.0)
    assert plain(progress.lines(77.0)) == ["→ Fetch page · 50 % · 1 min 15 s"]


@pytest.mark.parametrize(
    ("done", "total", "line"),
    [
        (3, None, "→ Fetch page"),
        (3, 0, "→ Fetch page"),
        (-1, 10, "→ Fetch page"),
        (math.nan, 10, "→ Fetch page"),
        (1, math.inf, "→ Fetch page"),
        (1, 1e300, "→ Fetch page"),
        (12, 10, "→ Fetch page · 10 of 10"),
        (2.5, 10, "→ Fetch page · 2.5 of 10"),
        (30, 100, "→ Fetch page · 30 %"),
    ],
)
def test_a_count_that_makes_no_sense_is_not_shown(done: float, total: float | None, line: str) -> None:
    progress = Progress(0.0)
    progress.step(Step("1", "fetch_page", done=done, total=total), 0.0)
    assert plain(progress.lines(0.5)) == [line]


def test_ended_tools_stay_above_the_one_that_runs_and_a_model_that_goes_on_is_said_to_think() -> None:
    progress = Progress(0.0)
    for number in range(5):
        progress.step(running(str(number), f"tool_{number}"), number)
        progress.step(ended(str(number), f"tool_{number}", "done" if number else "failed"), number + 0.5)
    assert plain(progress.lines(5.0)) == ["… and 2 more", "✓ Tool 2", "✓ Tool 3", "✓ Tool 4", "→ Thinking"]
    progress.step(running("9", "slow"), 5.0)
    assert plain(progress.lines(10.0)) == ["… and 2 more", "✓ Tool 2", "✓ Tool 3", "✓ Tool 4", "→ Slow · 5 s"]
    assert Progress(0.0).lines(100.0) == []


def test_while_the_answer_goes_on_the_steps_are_one_line() -> None:
    progress = Progress(0.0)
    for number in range(3):
        progress.step(running(str(number), "search"), 0.0)
        progress.step(ended(str(number), "search"), 4.0)
    progress.wrote()
    assert plain(progress.lines(9.0)) == ["✓ Search ×3 · 4 s"]
    assert progress.until_changed(9.0) is None
    progress.step(running("9", "slow"), 10.0)
    assert plain(progress.lines(10.0))[-1] == "→ Slow"


def test_what_stays_of_the_steps_is_one_line_or_all_that_are_remembered() -> None:
    progress = Progress(0.0)
    assert (progress.folded(), progress.kept()) == ([], [])
    for number in range(5):
        progress.step(running(str(number), f"tool_{number}"), 3.0 * number)
        progress.step(ended(str(number), f"tool_{number}", "failed" if number == 3 else "done"), 3.0 * number + 3)
    assert plain(progress.folded()) == ["✓ Tool 0, Tool 1, Tool 2, Tool 3, … · 15 s"]
    assert plain(progress.kept())[-2:] == ["✗ Tool 3 · 3 s", "✓ Tool 4 · 3 s"]


def test_another_try_takes_the_place_of_tools_that_the_broken_one_had_begun() -> None:
    progress = Progress(0.0)
    progress.step(running("1"), 0.0)
    progress.phase("Another try", 1.0)
    assert plain(progress.lines(7.0)) == ["→ Another try · 4 s"]
    progress.phase("", 8.0)
    assert plain(progress.lines(8.0)) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["running", "done", "failed"]), st.floats(0, 99))))
def test_lines_are_few_whatever_comes_in_which_order(steps: list[tuple[str, str, float]]) -> None:
    progress, now = Progress(0.0), 0.0
    for number, (key, state, seconds) in enumerate(steps):
        now += seconds
        progress.step(Step(f"{key}{number // 7}", "tool", state), now)
        assert len(progress.lines(now)) <= 8
        changes = progress.until_changed(now)
        assert changes is None or changes > 0
