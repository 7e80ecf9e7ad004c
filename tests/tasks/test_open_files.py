"""The limit of open files: raised where the system allows it, told where it stays too low."""

import resource
from collections.abc import Iterator

import pytest

from tasks.process.open_files import ENOUGH, raise_limit, too_few


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_low_limit_is_raised_as_far_as_the_system_allows_and_a_high_one_is_left(limits: tuple[int, int]) -> None:
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    assert raise_limit() == min(4096, hard)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(4096, hard), hard)
    if hard > 5000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (5000, hard))
        assert raise_limit() == 5000


@pytest.mark.parametrize(("limit", "told"), [(64, True), (ENOUGH - 1, True), (ENOUGH, False), (4096, False)])
def test_a_limit_that_is_too_low_is_told_with_what_to_do(limit: int, told: bool) -> None:
    said = too_few(limit)
    assert (said is not None) is told
    assert said is None or f"only {limit} " in said
    assert said is None or "LimitNOFILE=4096" in said
