"""What `cohort scale` says of the workers that it changes."""

import pytest

from ops.commands.pool import change


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"changed": [], "ends": False}, "nothing to do"),
        ({"changed": ["worker-2"], "ends": True}, "worker-2 finishes its turns and ends"),
        ({"changed": ["worker-2", "worker-3"], "ends": True}, "worker-2, worker-3 finish their turns and end"),
        ({"changed": ["worker-2"], "ends": False}, "worker-2 starts"),
        ({"changed": ["worker-2", "worker-3"], "ends": False}, "worker-2, worker-3 start"),
        ({"changed": ["worker-2"]}, "worker-2"),
    ],
)
def test_scale_says_which_workers_start_and_which_end(answer: dict[str, object], said: str) -> None:
    assert change(answer) == said
