"""The house does not grow back unseen: rooms, depth and arrows of each folder have a ceiling (``tools/house.py``)."""

import pytest

from tests.support.tree import ROOT
from tools import house

CEILING = (16, 6, 30)
"""Rooms, depth, arrows of a folder that is not named below."""
WINGS = {
    "bot": (30, 9, 99),
    "bot/updates": (23, 12, 81),
    "workers": (21, 7, 49),
    "workers/process": (22, 3, 32),
    "workers/runtime": (28, 13, 98),
    "workers/runtime/conversation": (17, 7, 32),
    "workers/runtime/patches": (38, 3, 8),
    "workers/sessions": (21, 9, 63),
    "workers/telegram/markdown": (27, 6, 61),
    "tasks": (39, 6, 88),
    "tasks/store": (24, 7, 51),
    "ops": (18, 6, 37),
    "ops/commands": (26, 3, 25),
    "ops/up": (27, 9, 55),
    "playground/state": (26, 9, 64),
}
"""What is larger: as deep as it is, with room for one more module and three imports. What needs more becomes a folder
of its own, or is named here on purpose."""


@pytest.mark.promise("small-files")
def test_no_folder_has_more_rooms_floors_or_arrows_than_its_ceiling() -> None:
    found = {folder: numbers for folder, *numbers in house.folders(ROOT)}
    grown = {
        folder: f"{numbers}: at most {WINGS.get(folder, CEILING)}"
        for folder, numbers in found.items()
        if any(is_ > most for is_, most in zip(numbers, WINGS.get(folder, CEILING), strict=True))
    }
    assert grown == {}
    assert sorted(WINGS.keys() - found.keys()) == []
