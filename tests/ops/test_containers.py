"""docker-compose.yml and Dockerfile, as far as they can be proved without containers."""

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tasks.config.settings import load
from tests.harness.processes import ROOT
from tools.images import PINNED, renewed


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
    for service in compose()["services"].values():
        assert service["restart"] == "unless-stopped"
        assert "healthcheck" in service
        if "REDIS_URL" in service.get("environment", {}):
            assert service["depends_on"]["redis"]["condition"] == "service_healthy"


def test_what_compose_starts_by_itself_is_the_product_and_the_rest_stands_in_profiles() -> None:
    services = compose()["services"]
    assert {name for name, service in services.items() if "profiles" not in service} == {"redis", "bot", "worker"}
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_what_the_observability_profile_mounts_is_there() -> None:
    for name in ("prometheus", "grafana"):
        for volume in compose()["services"][name]["volumes"]:
            source = volume.split(":")[0]
            assert not source.startswith("./") or (ROOT / source).is_file(), source
    scraped = yaml.safe_load((ROOT / "deploy" / "observability" / "prometheus.yaml").read_text())
    (found,) = scraped["scrape_configs"][0]["dns_sd_configs"]
    assert str(found["port"]) == compose()["services"]["worker"]["environment"]["COHORT_METRICS_PORT"]
    assert set(found["names"]) <= set(compose()["services"])


def test_traces_of_bot_and_workers_go_to_the_profile_s_jaeger_and_the_docs_name_the_same_one() -> None:
    services = compose()["services"]
    for name in ("bot", "worker"):
        own = services[name]["environment"]
        assert own["COHORT_TRACES"] == "${COHORT_TRACES:-off}"
        assert own["OTEL_EXPORTER_OTLP_ENDPOINT"] == "${OTEL_EXPORTER_OTLP_ENDPOINT:-http://jaeger:4318}"
    assert services["jaeger"]["profiles"] == services["prometheus"]["profiles"] == ["observability"]
    named = re.findall(r"jaegertracing/jaeger:[\w.]+", (ROOT / "docs" / "watching.md").read_text())
    assert set(named) == {services["jaeger"]["image"].partition("@")[0]}


def test_agents_are_mounted_read_only() -> None:
    volumes = compose()["services"]["worker"]["volumes"]
    assert "./agent-cards:/app/agent-cards:ro" in volumes
    assert "./fastagent.config.yaml:/app/fastagent.config.yaml:ro" in volumes


@pytest.mark.promise("locked-install")
def test_every_image_is_pinned_by_its_digest() -> None:
    text = (ROOT / "Dockerfile").read_text()
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, flags=re.MULTILINE))
    bases = re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE)
    images = [re.sub(r"\$\{(\w+)\}", lambda name: defaults.get(name[1], ""), base) for base in bases]
    services = [service for service in compose()["services"].values() if "build" not in service]
    images += [service["image"] for service in services]
    images += re.findall(r"--from=(\S*[:/]\S*)", text)
    images += re.findall(r"^# *syntax=(\S+)", text, flags=re.MULTILINE | re.IGNORECASE)
    assert len(images) >= 6
    assert [image for image in images if not PINNED.fullmatch(image)] == []


def test_pins_are_renewed_in_place_and_only_by_digests() -> None:
    text = (ROOT / "Dockerfile").read_text()
    asked: list[str] = []
    fresh = renewed(text, lambda name: asked.append(name) or f"sha256:{'a' * 64}")
    assert asked == ["python:3.13-slim"]
    assert f"ARG PYTHON_IMAGE=python:3.13-slim@sha256:{'a' * 64}\n" in fresh
    assert renewed(fresh, lambda _: PINNED.search(text)["digest"]) == text
    with pytest.raises(ValueError, match="no digest"):
        renewed(text, lambda _: "")


@pytest.mark.promise("locked-install")
def test_the_image_installs_only_what_is_locked_and_runs_as_an_ordinary_user() -> None:
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
