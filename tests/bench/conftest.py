"""A stand with one worker: what the benchmark's `cohort-1` column is."""

from collections.abc import AsyncIterator

import pytest

from bench.columns import COLUMNS
from bench.rows import steps
from bench.stand import INSTANT, Running, stand


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    """Cohort with one worker that has answered once; the model answers at once, and has a tool that does nothing."""
    async with stand() as place:
        steps.furnish(place)
        await place.model.control(**INSTANT)
        async with COLUMNS["cohort-1"].on(place) as column:
            yield column
