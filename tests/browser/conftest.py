"""One `cohort up` with all its pages, and a browser that notes what goes wrong in them."""

import importlib.util
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from playground.client import PlaygroundClient
from tests.browser.product import Up, running

if (
    importlib.util.find_spec("playwright") is None
):  # `make test` brings no driver of browsers, and runs no test of these.
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="package")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The system. It ends with the folder."""
    with running(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture
async def people(up: Up) -> AsyncIterator[PlaygroundClient]:
    """Telegram's users who do not use this page."""
    async with PlaygroundClient(up.playground) as client:
        yield client


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[object]:
    """A `tests.browser.chromium.Browser`."""
    from tests.browser.chromium import opened  # It imports Playwright.

    async with opened(tmp_path) as browser:
        yield browser
