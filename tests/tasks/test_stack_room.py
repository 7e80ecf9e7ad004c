"""``tasks.process.stack_room`` at each depth of the stack: nothing is mapped for a call that a loop makes."""

import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tasks.process.stack_room import with_room

DEPTHS = 150
"""Frames of so many calls are more than a chunk."""


def at(depth: int, call: Callable[[], int]) -> int:
    return at(depth - 1, call) if depth else call()


def faults_of_a_loop() -> int:
    """Page faults of 200 calls that go three deep."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(200):
        at(3, int)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def most(loop: Callable[[], int]) -> int:
    """In a thread, whose frames are its own: those of a process of a test run have room."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: max(at(depth, loop) for depth in range(DEPTHS))).result()


def test_a_loop_maps_no_memory_for_its_calls_however_deep_it_runs() -> None:
    assert most(faults_of_a_loop) >= 200, "there is a border"
    assert most(with_room(faults_of_a_loop)) < 200
