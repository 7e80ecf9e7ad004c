"""deploy/: Kubernetes' own schemas and systemd's own check, and what these files share with the product."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import kubernetes_validate
import pytest
import yaml

from tasks.config.settings import load
from tests.harness.processes import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
UNITS = sorted(file for file in (ROOT / "deploy" / "systemd").iterdir())
PROCESSES = {"bot", "worker", "console", "flower"}


def documents(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file.read_text()))


def kustomization() -> dict[str, Any]:
    return documents(KUBERNETES / "kustomization.yaml")[0]


RESOURCES = [(name, each) for name in kustomization()["resources"] for each in documents(KUBERNETES / name)]
DEPLOYMENTS = [each for _, each in RESOURCES if each["kind"] == "Deployment"]


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return only


@pytest.mark.parametrize(("name", "resource"), RESOURCES, ids=[f"{n}-{r['kind']}" for n, r in RESOURCES])
def test_each_resource_follows_kubernetes_own_schema(name: str, resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, "1.37", strict=True)
    assert resource["metadata"]["name"] == f"cohort-{name.removesuffix('.yaml')}"


def test_a_resource_with_a_wrong_field_is_refused() -> None:
    wrong = {**DEPLOYMENTS[0], "spec": {**DEPLOYMENTS[0]["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


def test_pods_are_found_by_their_own_labels_alone() -> None:
    for _, resource in RESOURCES:
        chosen = resource["spec"]["selector"]["matchLabels"]
        (owner,) = [each for each in DEPLOYMENTS if each["metadata"]["name"] == resource["metadata"]["name"]]
        assert chosen.items() <= owner["spec"]["template"]["metadata"]["labels"].items()
        assert (
            sum(chosen.items() <= each["spec"]["template"]["metadata"]["labels"].items() for each in DEPLOYMENTS) == 1
        )


def test_each_container_runs_as_an_ordinary_user_reads_only_and_is_bounded() -> None:
    for deployment in DEPLOYMENTS:
        pod = deployment["spec"]["template"]["spec"]
        own = container(deployment)
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == int(
            cast("re.Match[str]", re.search(r"--uid (\d+)", (ROOT / "Dockerfile").read_text()))[1]
        )
        assert own["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert own["resources"]["limits"]["memory"]
        assert own["args"] == ["cohort", deployment["metadata"]["name"].removeprefix("cohort-")]


def test_a_pod_is_given_more_time_to_end_than_its_turns_are_and_memory_above_the_worker_s_own_limit() -> None:
    (worker,) = [each for each in DEPLOYMENTS if each["metadata"]["name"] == "cohort-worker"]
    grace = worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > load({}).drain_grace.total_seconds() + 5
    own = {each["name"]: each["value"] for each in container(worker)["env"]}
    assert container(worker)["resources"]["limits"]["memory"] == "1Gi"
    assert int(own["COHORT_WORKER_MAX_RSS_MIB"]) < 1024


def test_each_setting_that_is_given_exists() -> None:
    given = {literal.split("=")[0] for each in kustomization()["configMapGenerator"] for literal in each["literals"]}
    given |= {each["name"] for deployment in DEPLOYMENTS for each in container(deployment).get("env", [])}
    for unit in UNITS:
        given |= set(re.findall(r"\b(COHORT_\w+)=", unit.read_text()))
    known = (ROOT / "docs" / "settings.md").read_text()
    assert [name for name in given if f"`{name}`" not in known] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_is_one_that_systemd_accepts(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    commands = re.findall(r"^ExecStart=/opt/cohort/\.venv/bin/cohort (\w+)$", text, flags=re.MULTILINE)
    assert set(commands) <= PROCESSES
    if unit.suffix == ".service":
        assert len(commands) == 1
        assert "PartOf=cohort.target" in text
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        # A machine without systemd: at least every line is a section, a comment or a setting.
        assert all(re.fullmatch(r"|#.*|\[\w+\]|[A-Z]\w+=.*", line) for line in text.splitlines())
        return
    for other in UNITS:
        (tmp_path / other.name).write_text(other.read_text().replace("/opt/cohort/.venv/bin/cohort", "/bin/true"))
    done = subprocess.run(
        (analyze, "verify", "--recursive-errors=no", "--man=no", tmp_path / unit.name.replace("@", "@1")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_unit_is_given_more_time_to_end_than_its_turns_are() -> None:
    (worker,) = [unit for unit in UNITS if unit.name.startswith("cohort-worker")]
    seconds = re.search(r"^TimeoutStopSec=(\d+)$", worker.read_text(), flags=re.MULTILINE)
    assert seconds
    assert int(seconds[1]) > load({}).drain_grace.total_seconds() + 5
