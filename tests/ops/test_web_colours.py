"""The colours of the console and of the playground can be read, in light and in dark."""

import re
from importlib.resources import files

import pytest

READABLE = 4.5
"""The least contrast of text of this size that WCAG 2.2 allows (1.4.3, level AA)."""
PLAIN = [(words, "panel") for words in ("good", "warn", "bad", "accent", "ink", "soft")]
PAIRS = {
    "ops.web": [
        *(("good", "good-tint"), ("warn", "warn-tint"), ("bad", "bad-tint"), ("accent", "tint"), ("ink", "page")),
        *PLAIN,
    ],
    "playground": [
        *PLAIN,
        *((words, behind) for words, _ in PLAIN for behind in ("page", "raised", "tint", "theirs", "wall", "code")),
        *(("ink", "ours"), ("ours-soft", "ours"), ("ours-accent", "ours"), ("accent-ink", "accent"), ("page", "ink")),
        ("panel", "bad"),
    ],
}


def schemes(page: str) -> list[tuple[str, dict[str, str]]]:
    style = files(page).joinpath("static/style.css").read_text()
    found = re.findall(r"(:root\S*) \{(.*?)\}", style, re.DOTALL)
    return [(f"{page} {name}", dict(re.findall(r"--([\w-]+): (#\w{6})", body))) for name, body in found]


COLOURS = [(page, name, colours) for page in PAIRS for name, colours in schemes(page)]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("page", "colours"), [(page, colours) for page, _, colours in COLOURS], ids=[one[1] for one in COLOURS]
)
def test_words_stand_out_from_what_is_behind_them(page: str, colours: dict[str, str]) -> None:
    dim = {}
    for words, behind in PAIRS[page]:
        darker, lighter = sorted((luminance(colours[words]), luminance(colours[behind])))
        if (contrast := (lighter + 0.05) / (darker + 0.05)) < READABLE:
            dim[words, behind] = round(contrast, 2)
    assert dim == {}


def test_each_page_has_a_light_and_a_dark_scheme() -> None:
    assert [page for page, _, _ in COLOURS] == [page for page in PAIRS for _ in range(2)]
