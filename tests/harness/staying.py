"""Objects that stay for good, whose memory is shared by the processes that are forked."""

import ctypes
import gc
import sys
from itertools import batched, chain

_ENDLESS = 2**32 - 1
"""A count of references that Python 3.12 and 3.13 do not touch."""
_BATCH = 20_000


def stay() -> None:
    """Have whatever is there by now, and not frozen yet, stay for good. What pytest collects must not.

    To use an object writes its count of references, and with it a page, which each forked process copies: 15 MiB in a
    worker, 45 in a process of tests that walk through all objects.
    """
    if sys.version_info < (3, 14):
        count = ctypes.c_uint32.from_address
        for batch in batched(gc.get_objects(), _BATCH):
            for place in set(map(id, chain(batch, gc.get_referents(*batch)))):
                count(place).value = _ENDLESS
    gc.freeze()
