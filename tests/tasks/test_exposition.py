"""The metrics of all processes as one page."""

import zlib
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tasks.clock import SystemClock
from tasks.publishing import Publisher
from tasks.store import Store
from tasks.telemetry.exposition import MOST_BYTES, families, merged, packed, unpacked
from tests.support.redis_of import redis_of


def page(*turns: int, label: str = "answered") -> str:
    registry = CollectorRegistry()
    counted = Counter("cohort_turns", "Turns.", ["outcome"], registry=registry)
    seconds = Histogram("cohort_turn_seconds", "Seconds.", registry=registry)
    Gauge("cohort_lanes", "Lanes.", registry=registry).set(4)
    for count in turns:
        counted.labels(label).inc(count)
        seconds.observe(count)
    return generate_latest(registry).decode()


def of(text: str) -> dict[str, object]:
    found = families(text)
    assert found is not None
    return found


@pytest.mark.promise("console-metrics")
def test_each_sample_of_each_process_stands_once_with_the_process_as_a_label() -> None:
    whole = merged({"worker-1@a": of(page(3)), 'odd"name\\\n': of(page(4))})
    found = {family.name: family for family in text_string_to_metric_families(whole)}
    turns = {sample.labels["process"]: sample.value for sample in found["cohort_turns"].samples}
    assert turns == {"worker-1@a": 3.0, 'odd"name\\\n': 4.0}
    assert found["cohort_turns"].type == "counter"
    buckets = [sample for sample in found["cohort_turn_seconds"].samples if sample.labels.get("le") == "+Inf"]
    assert [sample.value for sample in buckets] == [1.0, 1.0]
    assert whole.count("# TYPE cohort_turns_total counter") == 1
    assert "_created" not in whole


def test_hostile_values_of_labels_stay_values() -> None:
    for value in ("}\n# HELP x y", 'a"b', "\\", 'x",process="other', "{,}", "é\u2028"):
        whole = merged({"p": of(page(1, label=value))})
        found = {family.name: family for family in text_string_to_metric_families(whole)}
        assert found["cohort_turns"].samples[0].labels == {"process": "p", "outcome": value}


def test_what_is_no_exposition_is_left_out_whole() -> None:
    for text in ("cohort_x 1\n<script>", "a b c d", 'x{process="p" 1', "\x00", "cohort_x{a=b} 1"):
        assert families(text) is None
    for text in ("x abc", "x --1", "x 0x1", 'x{process="p"} 1', 'x{a="1",a="2"} 1'):
        assert families(text) is None, text
    for text in ("# TYPE x nonsense\nx 1", "# TYPE x gauge\ncohort_turns_total 1", "# TYPE x counter\nxy 1"):
        assert families(text) is None, text
    for value in ("1", "-1.5", "1e+06", "+Inf", "NaN", "3.0"):
        assert families(f"x {value}"), value
    assert unpacked(b"nothing") is None
    assert unpacked(zlib.compress(b"x" * (MOST_BYTES + 1))) is None
    assert unpacked(zlib.compress(b"cohort_x 1\n")[:-4]) is None
    assert packed("x" * (MOST_BYTES + 1)) is None
    assert unpacked(packed("cohort_x 1\n") or b"") == "cohort_x 1\n"


def test_two_releases_that_mean_different_things_by_one_name_show_one_of_them() -> None:
    whole = merged({"a": of("# TYPE x counter\nx 1\n"), "b": of("# TYPE x gauge\nx 2\n")})
    assert whole.splitlines()[2:] == ['x{process="a"} 1']


@pytest.mark.promise("console-metrics")
async def test_a_process_publishes_its_metrics_and_they_go_with_it(store: Store) -> None:
    publisher = Publisher(store.figures, "worker-1-aaaa", SystemClock())
    await publisher.publish()
    found = await store.figures.expositions(["worker-1-aaaa", "never-there"])
    assert list(found) == ["worker-1-aaaa"]
    text = unpacked(found["worker-1-aaaa"])
    assert text is not None
    assert "cohort_turns_total" in text
    assert len(found["worker-1-aaaa"]) < 16 * 1024
    assert (
        0 < await redis_of(store).pttl("cohort:metrics:worker-1-aaaa") <= timedelta(seconds=20).total_seconds() * 1000
    )
    await publisher.end()
    assert await store.figures.expositions(["worker-1-aaaa"]) == {}
