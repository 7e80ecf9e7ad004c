"""What a worker does with its garbage collector at the end of its start."""

import gc
from collections.abc import Iterator

import pytest

from workers.process.start import freeze_startup_objects


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector of this process, as it was before. What is frozen stays so: it is shared with other processes."""
    thresholds, enabled = gc.get_threshold(), gc.isenabled()
    yield
    gc.set_threshold(*thresholds)
    (gc.enable if enabled else gc.disable)()


@pytest.mark.usefixtures("collector")
def test_the_collector_that_was_off_during_imports_runs_and_passes_over_what_was_made_at_start() -> None:
    gc.disable()
    freeze_startup_objects()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
