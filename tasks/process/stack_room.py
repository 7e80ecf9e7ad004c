"""Room on the stack for what a loop calls.

Python keeps frames in chunks of 16 KiB. A loop whose calls lie on a chunk's border maps a chunk for each of them and
unmaps it behind the call: a busy worker did so 9,700 times a second, at whatever depth its libraries had it run.
"""

from collections.abc import Callable

_SLOTS = 2**16 + 2**10
"""More than half a MiB of eight bytes each, so the frame's chunk has one MiB. What is not used takes no memory."""


def with_room[**P, T](call: Callable[P, T]) -> Callable[P, T]:
    """The same function; the frames of what it calls share the chunk of a frame that is larger than they are."""

    def called(*args: P.args, **named: P.kwargs) -> T:
        return call(*args, **named)

    called.__code__ = called.__code__.replace(co_stacksize=_SLOTS)
    return called
