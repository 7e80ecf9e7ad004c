"""What `cohort scale` says of the workers that it changes."""

import pytest

from ops.commands.finding import Finding
from ops.commands.pool import change, too_many


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"changed": [], "ends": False}, "nothing to do"),
        ({"changed": ["worker-2"], "ends": True}, "worker-2 finishes its turns and ends"),
        ({"changed": ["worker-2", "worker-3"], "ends": True}, "worker-2, worker-3 finish their turns and end"),
        ({"changed": ["worker-2"], "ends": False}, "worker-2 starts"),
        ({"changed": ["worker-2", "worker-3"], "ends": False}, "worker-2, worker-3 start"),
        ({"changed": ["worker-2"]}, "worker-2"),
        (
            {"changed": [f"worker-{number}" for number in (1, 3, 4, 5, 6, 9, 10)], "ends": False},
            "worker-1, worker-3 to worker-6, worker-9, worker-10 start",
        ),
    ],
)
def test_scale_says_which_workers_start_and_which_end(answer: dict[str, object], said: str) -> None:
    assert change(answer) == said


def test_scale_warns_of_more_workers_than_the_machine_has_memory_or_cores_for() -> None:
    well = [Finding("memory", "ok", "8,000 MiB available; 8 workers have room")]
    little = [Finding("memory", "warning", "900 MiB available: too little", "set COHORT_WORKERS lower")]
    assert list(too_many(8, 2, well)) == []
    assert list(too_many(9, 2, well)) == ["9 workers on 2 cores: more than one a core hardly answer sooner"]
    assert list(too_many(2, 1, little)) == ["900 MiB available: too little; set COHORT_WORKERS lower"]
