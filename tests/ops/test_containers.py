"""docker-compose.yml and Dockerfile, as far as they can be proved without containers."""

import subprocess
import sys
from typing import Any

import pytest
import yaml

from tasks.settings import load
from tests.ops.conftest import ROOT


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_compose_file_follows_its_schema() -> None:
    command = (
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    )
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_container_is_given_more_time_to_end_than_its_turns_are() -> None:
    grace = compose()["services"]["worker"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > load({}).drain_grace.total_seconds() + 5


def test_redis_in_containers_neither_loses_nor_evicts() -> None:
    command = compose()["services"]["redis"]["command"]
    pairs = dict(zip(command[1::2], command[2::2], strict=True))
    assert pairs["--appendonly"] == "yes"
    assert pairs["--appendfsync"] == "always"
    assert pairs["--maxmemory-policy"] == "noeviction"


def test_no_container_starts_before_redis_answers_and_all_come_back() -> None:
    services = compose()["services"]
    for name, service in services.items():
        assert service["restart"] == "unless-stopped"
        if name != "redis":
            assert service["depends_on"]["redis"]["condition"] == "service_healthy"
    assert "healthcheck" in services["redis"]


def test_agents_are_mounted_read_only() -> None:
    volumes = compose()["services"]["worker"]["volumes"]
    assert "./agent-cards:/app/agent-cards:ro" in volumes
    assert "./fastagent.config.yaml:/app/fastagent.config.yaml:ro" in volumes


@pytest.mark.promise("locked-install")
def test_the_image_installs_only_what_is_locked_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r /build/requirements.txt" in text
    assert text.index("USER cohort") < text.index("CMD")
    copied = {
        word
        for line in text.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {name for name in copied if not name.startswith("--")} == kept
