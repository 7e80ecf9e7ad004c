"""A pool of workers over the real store."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.backoff import ExponentialBackoff

from tasks.config.settings import Settings
from tests.workers.pool import Pool, opened


@pytest.fixture(autouse=True, scope="package")
def lines_are_tried_again_at_once() -> Iterator[None]:
    """redis-py's client waits for 0.9 s in all before it gives up a call of a worker whose line is cut.

    A worker that was killed goes through several such calls before it has ended.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExponentialBackoff, "compute", lambda *_: 0.001)
        yield


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    async with opened(settings) as pool:
        yield pool
