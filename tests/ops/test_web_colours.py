"""The console's colours of how something stands can be read, in light and in dark."""

import re
from importlib.resources import files

import pytest

READABLE = 4.5
"""The least contrast of text of this size that WCAG 2.2 allows (1.4.3, level AA)."""
SCHEMES = re.findall(r"(:root\S*) \{(.*?)\}", files("ops.web").joinpath("static/style.css").read_text(), re.DOTALL)
COLOURS = [(name, dict(re.findall(r"--([\w-]+): (#\w{6})", body))) for name, body in SCHEMES]
PAIRS = [
    *(("good", "good-tint"), ("warn", "warn-tint"), ("bad", "bad-tint"), ("accent", "tint"), ("ink", "page")),
    *((words, "panel") for words in ("good", "warn", "bad", "accent", "ink", "soft")),
]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [colours for _, colours in COLOURS], ids=[name for name, _ in COLOURS])
def test_words_stand_out_from_what_is_behind_them(colours: dict[str, str]) -> None:
    dim = {}
    for words, behind in PAIRS:
        darker, lighter = sorted((luminance(colours[words]), luminance(colours[behind])))
        if (contrast := (lighter + 0.05) / (darker + 0.05)) < READABLE:
            dim[words, behind] = round(contrast, 2)
    assert dim == {}


def test_there_is_a_light_and_a_dark_scheme() -> None:
    assert len(COLOURS) == 2
