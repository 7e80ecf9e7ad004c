"""How many workers the load asks for: over series of loads, without a process."""

from dataclasses import dataclass, field, replace
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from ops.up.load_policy import AFTER_DEATH_S, CALM_S, FULL, LOOKS, History, Seen, decide
from ops.up.scaling import LOOK_EVERY_S
from tasks.config.worker_count import WorkerCount

LANES = 4


@dataclass
class Pool:
    """Workers that are ready ``boot`` looks after they were started, over a series of loads."""

    bounds: WorkerCount
    own: int
    boot: int = 1
    at: float = 0.0
    history: History = field(default_factory=History)
    young: list[int] = field(default_factory=list[int])
    changes: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])

    def look(self, work: int, **more: object) -> str:
        self.at += LOOK_EVERY_S
        self.young = [left - 1 for left in self.young if left > 1]
        ready = self.own - len(self.young)
        lanes = ready * LANES
        running = min(work, lanes)
        seen = Seen(self.at, running, work - running, lanes, self.own, ready, LANES)
        verdict = decide(replace(seen, **more), self.history, self.bounds)  # type: ignore[arg-type]
        self.history = verdict.history
        if verdict.count != self.own:
            self.changes.append((self.at, verdict.count - self.own))
            self.young += [self.boot] * (verdict.count - self.own)
            self.own = verdict.count
        return verdict.why


bounds = st.tuples(st.integers(1, 8), st.integers(0, 8)).map(lambda pair: WorkerCount(pair[0], sum(pair), auto=True))
works = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 80)), max_size=12)


@given(bounds, st.integers(0, 20), st.integers(1, 5), works)
def test_whatever_the_load_does_the_number_stays_within_its_bounds_and_shrinks_late(
    bounds: WorkerCount, own: int, boot: int, series: list[tuple[int, int]]
) -> None:
    pool = Pool(bounds, own, boot)
    for work, looks in series:
        for _ in range(looks):
            pool.look(work)
            assert bounds.least <= pool.own <= bounds.most
    later = [(at, change) for at, change in pool.changes if at > LOOK_EVERY_S]
    for (before, _), (at, change) in zip([(0.0, 0), *later], later, strict=False):
        assert change >= -1
        if change < 0:
            assert at - before >= CALM_S


@given(bounds, st.integers(1, 16), st.integers(1, 5), st.integers(0, 80))
def test_under_a_steady_load_the_number_moves_one_way_and_comes_to_rest(
    bounds: WorkerCount, own: int, boot: int, work: int
) -> None:
    pool = Pool(bounds, min(max(own, bounds.least), bounds.most), boot)
    for _ in range(20 * int(CALM_S / LOOK_EVERY_S)):
        pool.look(work)
    assert len({change > 0 for _, change in pool.changes}) <= 1, pool.changes
    needed = ceil(work / (FULL * LANES))
    assert pool.own >= min(bounds.most, needed)
    settled = pool.own
    for _ in range(3 * int(CALM_S / LOOK_EVERY_S)):
        pool.look(work)
    assert pool.own == settled


@given(st.lists(st.sampled_from([0, 60]), min_size=1, max_size=300))
def test_a_load_that_comes_and_goes_never_has_workers_come_and_go(series: list[int]) -> None:
    pool = Pool(WorkerCount(1, 8, auto=True), 1)
    for work in series:
        pool.look(work)
        pool.look(work)
    ups = [at for at, change in pool.changes if change > 0]
    downs = [at for at, change in pool.changes if change < 0]
    assert all(min(abs(down - up) for up in ups) >= CALM_S for down in downs if ups)


def test_people_who_wait_have_a_second_worker_after_two_looks() -> None:
    pool = Pool(WorkerCount(1, 8, auto=True), 1)
    for _ in range(LOOKS):
        assert pool.own == 1
        pool.look(8)
    assert pool.own == 2


def test_the_number_doubles_at_most_until_the_new_workers_are_there() -> None:
    pool = Pool(WorkerCount(1, 16, auto=True), 1, boot=10)
    for _ in range(8):
        pool.look(1000)
    assert pool.own == 2
    for _ in range(20):
        pool.look(1000)
    assert pool.own == 8


def test_a_worker_that_cannot_start_is_not_answered_by_more() -> None:
    pool = Pool(WorkerCount(1, 16, auto=True), 1, boot=10_000)
    for _ in range(300):
        pool.look(1000)
    assert pool.own == 2


def test_a_worker_that_dies_again_and_again_is_not_answered_by_more() -> None:
    pool = Pool(WorkerCount(1, 16, auto=True), 2)
    for look in range(300):
        assert "died" in pool.look(1000, died_s=(look * LOOK_EVERY_S) % AFTER_DEATH_S)
    assert pool.own == 2


def test_no_worker_is_started_where_none_would_help_and_the_reason_is_said() -> None:
    for more, word in (({"futile": "the model is down"}, "the model is down"), ({"room": 0}, "no memory")):
        pool = Pool(WorkerCount(1, 16, auto=True), 2)
        for _ in range(50):
            why = pool.look(1000, **more)
        assert word in why
        assert pool.own == 2


def test_no_more_workers_are_started_than_there_is_memory_for() -> None:
    pool = Pool(WorkerCount(1, 16, auto=True), 4)
    for _ in range(LOOKS):
        pool.look(1000, room=1)
    assert pool.own == 5


def test_a_redis_that_was_away_counts_neither_as_calm_nor_as_full() -> None:
    pool = Pool(WorkerCount(1, 8, auto=True), 4)
    pool.look(0)
    pool.at += CALM_S
    pool.look(0)
    assert pool.own == 4
    pool.look(1000)
    pool.at += CALM_S
    pool.look(1000)
    assert pool.own == 4


def test_a_clock_that_goes_back_begins_the_looking_again() -> None:
    pool = Pool(WorkerCount(1, 8, auto=True), 4, at=1e6)
    pool.look(0)
    pool.at = 0.0
    pool.look(0)
    assert pool.own == 4


def test_workers_of_other_machines_carry_their_part() -> None:
    seen = Seen(10.0, running=10, waiting=0, lanes=12, own=1, ready=1, lanes_each=LANES)
    verdict = decide(seen, History(8.0, full=LOOKS - 1), WorkerCount(1, 8, auto=True))
    assert verdict.count == 2


def test_outside_its_bounds_the_number_is_brought_inside_at_once() -> None:
    for own, count in ((0, 2), (9, 4)):
        assert decide(Seen(1.0, 0, 0, 0, own, 0, LANES), History(), WorkerCount(2, 4, auto=True)).count == count
