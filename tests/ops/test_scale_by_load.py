"""deploy/kubernetes/scale-by-load: fields that KEDA has, rules that Kubernetes has, a metric that processes have."""

import re
from copy import deepcopy
from typing import Any, Literal

import kubernetes_validate
import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from tests.harness.processes import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class _Target(_Part):
    name: str
    kind: str = "Deployment"
    api_version: str = "apps/v1"


class _Prometheus(_Part):
    """What KEDA's scaler for Prometheus reads. All values are strings, numbers too."""

    server_address: str = Field(pattern=r"^https?://")
    query: str
    threshold: str = Field(pattern=r"^\d+(\.\d+)?$")
    activation_threshold: str = "0"
    namespace: str | None = None
    ignore_null_values: Literal["true", "false"] = "true"


class _Trigger(_Part):
    type: Literal["prometheus"]
    metadata: _Prometheus
    name: str | None = None
    metric_type: Literal["AverageValue", "Value"] = "AverageValue"
    use_cached_metrics: bool = False
    authentication_ref: dict[str, str] | None = None


class _Autoscaler(_Part):
    name: str | None = None
    behavior: dict[str, Any]
    """Kubernetes' own, and checked by its schema."""


class _Advanced(_Part):
    restore_to_original_replica_count: bool = False
    horizontal_pod_autoscaler_config: _Autoscaler


class _Spec(_Part):
    scale_target_ref: _Target
    triggers: list[_Trigger] = Field(min_length=1)
    polling_interval: int = Field(30, gt=0)
    cooldown_period: int = Field(300, ge=0)
    initial_cooldown_period: int = Field(0, ge=0)
    idle_replica_count: int | None = Field(None, ge=0)
    min_replica_count: int = Field(0, ge=0)
    max_replica_count: int = Field(100, gt=0)
    fallback: dict[str, Any] | None = None
    advanced: _Advanced | None = None


class _Metadata(_Part):
    name: str
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class ScaledObject(_Part):
    """The fields of KEDA's own definition (2.x), as far as an operator would set them for workers."""

    api_version: Literal["keda.sh/v1alpha1"]
    kind: Literal["ScaledObject"]
    metadata: _Metadata
    spec: _Spec


def written() -> dict[str, Any]:
    return yaml.safe_load((KUBERNETES / "scale-by-load" / "scaledobject.yaml").read_text())


def worker() -> dict[str, Any]:
    documents = yaml.safe_load_all((KUBERNETES / "worker.yaml").read_text())
    (deployment,) = [each for each in documents if each["kind"] == "Deployment"]
    return deployment


def test_what_scales_workers_has_the_fields_of_keda_and_names_their_deployment() -> None:
    spec = ScaledObject.model_validate(written()).spec
    assert spec.scale_target_ref.name == worker()["metadata"]["name"]
    assert spec.scale_target_ref.kind == worker()["kind"]
    assert worker()["spec"]["replicas"] <= spec.min_replica_count < spec.max_replica_count


def test_how_fast_it_scales_follows_kubernetes_own_schema() -> None:
    spec = written()["spec"]
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "cohort-worker"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", **spec["scaleTargetRef"]},
            "maxReplicas": spec["maxReplicaCount"],
            "behavior": spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
        },
    }
    kubernetes_validate.validate(autoscaler, "1.37", strict=True)


@pytest.mark.parametrize("field", ["maxReplicas", "scaleDown", "threshold"])
def test_a_scaled_object_with_a_wrong_field_is_refused(field: str) -> None:
    wrong = deepcopy(written())
    if field == "threshold":
        wrong["spec"]["triggers"][0]["metadata"][field] = 0.7
    else:
        wrong["spec"][field] = 2
    with pytest.raises(ValidationError):
        ScaledObject.model_validate(wrong)


def test_workers_scale_by_the_load_that_exists_and_that_the_docs_name() -> None:
    (trigger,) = ScaledObject.model_validate(written()).spec.triggers
    names = re.findall(r"cohort_\w+", trigger.metadata.query)
    assert names
    known = (ROOT / "tasks" / "telemetry" / "metrics.py").read_text()
    assert [name for name in names if f'"{name}"' not in known] == []
    assert f"`{trigger.metadata.query}`" in (ROOT / "docs" / "watching.md").read_text()
    # A ratio for the pool: shared out among the pods it would mean another thing.
    assert trigger.metric_type == "Value"
