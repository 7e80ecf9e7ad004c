"""A pool of workers over the real store."""

from collections.abc import AsyncIterator

import pytest

from tasks.settings import Settings
from tests.workers.pool import Pool, opened


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    async with opened(settings) as pool:
        yield pool
