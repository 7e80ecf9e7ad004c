"""Which earlier conversations are kept."""

import pytest

from tasks.chats.conversations import KEPT_BYTES, Conversation, fitting

SMALL = 1000


@pytest.mark.promise("earlier-conversations")
@pytest.mark.parametrize(
    ("sizes", "most", "kept"),
    [
        ((SMALL, SMALL, SMALL), 2, [1, 2]),
        ((SMALL, SMALL), 9, [1, 2]),
        ((SMALL, KEPT_BYTES, SMALL), 9, [1]),
        ((KEPT_BYTES - SMALL, SMALL, SMALL), 9, [1, 2]),
        ((KEPT_BYTES + 1, SMALL), 9, [1]),
        ((100 * KEPT_BYTES,), 1, [1]),
        ((), 9, []),
        ((SMALL,), 0, []),
    ],
)
def test_the_last_ones_that_fit_are_kept_and_the_last_one_always(
    sizes: tuple[int, ...], most: int, kept: list[int]
) -> None:
    index = [Conversation(number=n, at=-n, size_bytes=size) for n, size in enumerate(sizes, 1)]
    assert [one.number for one in fitting(index, most=most)] == kept
    assert [one.number for one in fitting(index[::-1], most=most)] == kept
