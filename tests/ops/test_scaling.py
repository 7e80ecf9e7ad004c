"""`cohort up --workers auto`: real processes come and go with what stands in Redis."""

from datetime import timedelta
from pathlib import Path

import pytest

from ops.home import Scale
from ops.up.scaling import Scaling
from ops.up.supervisor import Supervisor
from tasks.config.settings import Settings, load
from tasks.config.worker_count import WorkerCount
from tasks.errors import Misconfigured
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tests.harness.supervising import ConsoleSpy, supervising
from tests.ops.conftest import PATIENT, script
from tests.support.redis_of import redis_of


class Machine:
    """A pool whose workers report what the test says."""

    def __init__(
        self, supervisor: Supervisor, console: ConsoleSpy, store: Store, directory: Path, workers: str
    ) -> None:
        settings: Settings = load({"COHORT_WORKERS": workers, "COHORT_LANES": "2"})
        self.told: list[Scale] = []
        self.supervisor, self.console, self.store = supervisor, console, store
        make = lambda number: script(directory, f"worker-{number}", PATIENT, member=True)  # noqa: E731
        self.scaling = Scaling(supervisor, make, settings, self.told.append)

    @property
    def names(self) -> list[str]:
        return [process.spec.name for process in self.supervisor.workers()]

    async def report(self, *, queued: int = 0, **more: object) -> None:
        """All workers are there and busy; so many turns wait for a lane."""
        for process in self.supervisor.workers():
            await self.console.hear(f"{process.spec.name}: ready")
            assert process.current is not None
            assert process.current.incarnation is not None
            said = {"lanes": 2, "awake": 2 + queued, "at_work": 2 + queued, "queued": queued, **more}
            status = WorkerStatus.model_validate(said)
            await self.store.members.beat(process.current.incarnation, status, timedelta(minutes=5))

    async def look(self, times: int = 2) -> None:
        for _ in range(times):
            await self.scaling.look(self.store)


async def test_a_full_pool_gets_workers_and_a_number_given_by_hand_ends_that(
    console: ConsoleSpy, store: Store, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        machine = Machine(supervisor, console, store, tmp_path, "auto:1..3")
        assert machine.scaling.begin() == ["worker-1"]
        await machine.report(queued=4)
        await machine.look()
        assert machine.names == ["worker-1", "worker-2"]
        assert "1 -> 2 workers (load 3.00): starting worker-2" in console.lines
        assert machine.told[-1].model_dump() == {"wanted": 2, "least": 1, "most": 3, "auto": True, "why": "load 3.00"}
        await machine.look()
        assert machine.names == ["worker-1", "worker-2"], "the second one has not reported"

        await console.hear("worker-2: ready")
        assert machine.scaling.by_hand(1) == ["worker-2"]
        await console.hear("worker-2: drained")
        await machine.report(queued=4)
        await machine.look(4)
        assert machine.names == ["worker-1"]
        assert machine.told[-1].auto is False

        assert len(machine.scaling.set(WorkerCount.parse("auto:2..2"))) == 1
        await machine.report(queued=4)
        await machine.look()
        assert console.lines.count("2 workers stay: load 3.00; 2 is the bound") == 1
        await machine.look(3)
        assert console.lines.count("2 workers stay: load 3.00; 2 is the bound") == 1


async def test_paused_turns_and_a_model_that_is_down_get_no_workers(
    console: ConsoleSpy, store: Store, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        machine = Machine(supervisor, console, store, tmp_path, "auto:1..3")
        machine.scaling.begin()
        await machine.report(queued=4, models={"gpt": {"since": 1.0, "open": True}})
        await machine.look(3)
        assert "1 workers stay: load 3.00, but the model is down" in console.lines
        await store.pauses.pause("turns", None)
        await machine.look(3)
        assert "1 workers stay: load 3.00, but the turns are paused" in console.lines
        assert machine.names == ["worker-1"]


async def test_what_is_in_redis_may_be_damaged_and_changes_nothing(
    console: ConsoleSpy, store: Store, tmp_path: Path
) -> None:
    async with supervising(console) as supervisor:
        machine = Machine(supervisor, console, store, tmp_path, "auto:1..3")
        machine.scaling.begin()
        await redis_of(store).set("cohort:members", "no hash")
        await machine.look(3)
        assert machine.names == ["worker-1"]
        await redis_of(store).delete("cohort:members")


@pytest.mark.parametrize("number", [-1, 257, 10**9])
async def test_a_number_out_of_bounds_is_refused_and_the_load_decides_on(
    console: ConsoleSpy, tmp_path: Path, store: Store, number: int
) -> None:
    async with supervising(console) as supervisor:
        machine = Machine(supervisor, console, store, tmp_path, "auto:1..3")
        with pytest.raises(Misconfigured, match="between 0 and 256"):
            machine.scaling.by_hand(number)
        assert machine.scaling.count.auto
        assert machine.names == []


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("1", WorkerCount(1, 1)),
        (" 256 ", WorkerCount(256, 256)),
        ("auto:1..4", WorkerCount(1, 4, auto=True)),
        ("auto:3..3", WorkerCount(3, 3, auto=True)),
    ],
)
def test_a_number_of_workers_is_read_in_each_form(said: str, count: WorkerCount) -> None:
    assert load({"COHORT_WORKERS": said}).workers == count
    assert WorkerCount.parse(str(count)) == count


def test_auto_alone_is_between_one_worker_and_one_a_core() -> None:
    count = load({"COHORT_WORKERS": "auto"}).workers
    assert count.auto
    assert count.least == 1
    assert 2 <= count.most <= 256


@pytest.mark.parametrize(
    "said",
    ["0", "257", "-1", "+2", "2.0", "1e2", "two", "AUTO", "auto:", "auto:4", "auto:4..1", "auto:0..3", "auto:1..257",
     "auto:1-4", "auto:1...4", "auto:1..4 5", "\u0663", "9" * 5000, "auto:1..\u0663", "2\nauto"],
)  # fmt: skip
def test_what_is_no_number_of_workers_is_refused_in_one_line(said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load({"COHORT_WORKERS": said})
    assert str(refused.value).startswith("COHORT_WORKERS: must be a number from 1 to 256, auto, or auto:LEAST..MOST")
    assert len(str(refused.value).splitlines()) == 1
