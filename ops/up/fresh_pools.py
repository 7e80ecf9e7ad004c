"""Has a forked process allocate in fresh memory, by using up what is free between the objects that it shares.

Python keeps small objects of one size in pools of 16 KiB, and fills the gaps of old pools first. After thousands of
modules were loaded there are gaps in almost all of them: each gap that a forked process fills copies a page of memory
that it shared, for a few bytes.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import pairwise, repeat

_STEP = 16
_LARGEST = 512
"""Larger objects come from the system's allocator."""
_SAMPLE = 64 * 1024
"""Bytes that are allocated at a time: four pools."""
_IN_A_ROW = 0.9
"""In fresh pools so many of a sample lie one behind the other; the others begin a pool."""
_MOST = 16 * 1024 * 1024
"""Gaps are 4 MiB in all. Another allocator than Python's own never has objects in a row."""
_EMPTY = sys.getsizeof(b"")


def use_up_gaps() -> list[Sequence[object]]:
    """Fill the gaps; they are filled as long as the result is kept."""
    kept: list[Sequence[object]] = []
    taken = 0
    for size in range(_STEP, _LARGEST + 1, _STEP):
        count = _SAMPLE // size
        row = 0
        while row < _IN_A_ROW * count:
            sample = _sample(size, count)
            kept.append(sample)
            taken += _SAMPLE
            if taken > _MOST:
                return []
            row = sum(after - before == size for before, after in pairwise(map(id, sample)))
    return kept


def _sample(size: int, count: int) -> list[object]:
    """So many objects of that size, which the collector does not follow, and no other of that size meanwhile."""
    if size < _EMPTY:
        return [object() for _ in repeat(None, count)] if size == _STEP else [*array("d", bytes(8 * count))]
    return [bytes(size - _EMPTY) for _ in repeat(None, count)]
