"""Long answers of mixed blocks as messages: each is one that Telegram takes, and none ends where it should not."""

from random import Random

import pytest

from botapi.split import LIMIT, MAX_ENTITIES
from tasks.envelope import Reply
from tasks.text import utf16
from workers.telegram.markdown.document import to_entities
from workers.telegram.render import render

WORDS = [
    "alpha",
    "beta",
    "gamma",
    "שלום",
    "עולם",
    "مرحبا",
    "😀",
    "👩\u200d👩\u200d👧",
    "naïve",
    "漢字漢字",
    "epsilon",
    "zeta",
]
MOST = 60


class Writer:
    """Writes answers as models do."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def words(self, least: int, most: int) -> str:
        return " ".join(self._random.choices(WORDS, k=self._random.randint(least, most)))

    def rows(self, row: str, least: int, most: int, words: int) -> str:
        return "\n".join(row.format(self.words(1, words)) for _ in range(self._random.randint(least, most)))

    def code(self) -> str:
        functions = [f"def f{number}(x):\n{self.rows('    y = g(x)  # {}', 2, 24, 4)}" for number in range(14)]
        return "```python\n" + "\n\n".join(functions) + "\n```"

    def block(self, number: int) -> str:
        match self._random.randrange(9):
            case 0:
                return f"{'#' * self._random.randint(1, 4)} Heading {number} {self.words(1, 6)}"
            case 1:
                return f"**Heading {number}:**"
            case 2:
                return self.code()
            case 3:
                return self.rows("- item {}", 2, 15, 30)
            case 4:
                return self.rows("> {}", 1, 8, 40)
            case 5:
                return f"| a | b |\n|---|---|\n{self.rows('| row | {} |', 2, 20, 3)}"
            case 6:
                return f"$$\\frac{{a_{number}}}{{b}} + \\sum_{{i=0}}^{{{number}}} x_i$$"
            case 7:
                return " ".join(f"**{self.words(1, 1)}**" for _ in range(150))
            case _:
                return self.words(20, 200)

    def answer(self) -> str:
        return "\n\n".join(self.block(number) for number in range(30))


def covers(reply: Reply, kind: str, start: int, end: int) -> bool:
    """Whether one entity of a kind stands over this place, in UTF-16 units."""
    return any(
        one["type"] == kind and one["offset"] <= start and end <= one["offset"] + one["length"]
        for one in reply.entities
    )


@pytest.mark.parametrize("seed", range(10))
def test_no_message_of_a_long_answer_is_too_large_or_ends_in_a_heading_or_within_a_function(seed: int) -> None:
    source = Writer(seed).answer()
    parts = [reply for reply in render(source, most=MOST) if reply.file_text is None]
    assert len(parts) > 1
    # None is left out where many stand together: what is cut goes on in the next message.
    assert sum(len(part.entities) for part in parts) >= len(to_entities(source)[1])
    for part, behind in zip(parts, [*parts[1:], Reply()], strict=True):
        text = part.text
        assert utf16(text) <= LIMIT
        assert len(part.entities) <= MAX_ENTITIES
        above, _, line = text.rpartition("\n")
        begins = utf16(above) + bool(above)
        assert not (behind.text and covers(part, "bold", begins, utf16(text)) and "Heading" in line), line
        if covers(part, "pre", utf16(text) - 1, utf16(text)) and covers(behind, "pre", 0, 1):
            # Where a function ended in the latter half of the message, the cut is there.
            assert "\n\n" not in text[len(text) // 2 + 100 :] or not behind.text.startswith("    "), behind.text[:40]
