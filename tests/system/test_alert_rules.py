"""Dashboard and alert rules: every metric that they name is one that processes have, and each alert says what to do."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from tasks.telemetry import metrics
from tests.harness.processes import ROOT

FOLDER = ROOT / "deploy" / "observability"
_NAME = re.compile(r"\b(?:cohort|process)_[a-z_]+\b")
_SUFFIXES = ("_bucket", "_count", "_sum", "_total", "_created")


def known() -> set[str]:
    assert metrics.TURNS is not None
    families = [family.name for family in REGISTRY.collect()] + of_the_console()
    return {*families, *(f"{name}{suffix}" for name in families for suffix in _SUFFIXES)}


def of_the_console() -> list[str]:
    named = re.findall(r'"(cohort_\w+)"', (ROOT / "ops" / "web" / "scrape.py").read_text())
    return [name for name in named if name != "cohort_own_"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return [*(rule["expr"] for rule in rules()), *(target["expr"] for panel in panels for target in panel["targets"])]


@pytest.mark.promise("metrics-shown")
def test_rules_and_panels_name_only_metrics_that_exist() -> None:
    named = {name for expression in expressions() for name in _NAME.findall(expression)}
    assert sorted(named - known()) == []
    assert len(named) > 20


@pytest.mark.promise("metrics-shown")
def test_what_the_console_alone_knows_is_shown_and_watched() -> None:
    assert len(of_the_console()) > 4
    named = {name for expression in expressions() for name in _NAME.findall(expression)}
    assert sorted(set(of_the_console()) - named) == []


@pytest.mark.promise("metrics-shown")
def test_what_tells_processes_apart_by_their_address_does_so_behind_the_console_as_well() -> None:
    # There all samples have the console's address, and the label `process` says whose they are.
    apart = [expression for expression in expressions() if "instance" in expression]
    assert len(apart) >= 3
    assert [expression for expression in apart if not re.search(r"\(.*\binstance, process\b.*\)", expression)] == []


def test_both_ways_to_scrape_name_ports_that_the_compose_file_has() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    (job,) = yaml.safe_load((FOLDER / "prometheus-console.yaml").read_text())["scrape_configs"]
    port = services["console"]["environment"]["COHORT_CONSOLE_PORT"]
    assert job["static_configs"] == [{"targets": [f"console:{port}"]}]
    assert set(job["basic_auth"]) == {"username", "password_file"}


@pytest.mark.promise("metrics-shown")
def test_each_alert_says_what_is_wrong_and_what_to_do_first() -> None:
    wrong = [
        rule["alert"]
        for rule in rules()
        if set(rule["annotations"]) != {"summary", "runbook"} or rule["labels"].keys() != {"severity"}
    ]
    assert wrong == []
    balanced = [expression for expression in expressions() if expression.count("(") != expression.count(")")]
    assert balanced == []


@pytest.mark.promise("metrics-shown")
def test_the_rules_fire_as_their_own_tests_say() -> None:
    tests = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
    expected = {case["alertname"] for test in tests for case in test["alert_rule_test"]}
    assert expected <= {rule["alert"] for rule in rules()}
    promtool = shutil.which("promtool")
    if promtool is not None:
        done = subprocess.run(
            [promtool, "test", "rules", "alerts_test.yaml"], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_label_whose_values_come_from_outside_has_a_bounded_number_of_them() -> None:
    values = {metrics.bounded("of-a-test", f"model-{number}") for number in range(500)}
    assert len(values) == 51
    assert metrics.bounded("of-a-test", "model-3") == "model-3"
