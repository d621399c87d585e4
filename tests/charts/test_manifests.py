"""What Helm makes of the values: the GPUs that are priced are the GPUs that are applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven import load, render
from breakeven.core.chart.autoscaler import AutoscalerChoices
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.exposure import Ingress
from breakeven.core.chart.monitoring import MonitoringChoices
from breakeven.core.chart.placement import Placement, PodMetadata
from breakeven.core.chart.security import ApiKey, NetworkPolicy, Peer
from breakeven.core.chart.server import ImageSource
from breakeven.core.chart.serving import ChatTemplate
from breakeven.core.deployment import Deployment, Weights
from breakeven.core.plan import Plan, plan
from breakeven.core.pod_counts import gpus_range, gpus_requested
from breakeven.core.scaling import Scaling
from breakeven.errors import DeployError, InfeasibleError, ToolError
from breakeven.yaml_text import to_yaml

Planned = Callable[..., Plan]

KEDA = AutoscalerChoices(kind="keda", prometheus_url="http://prometheus.monitoring:9090")
WAKING = AutoscalerChoices(
    kind="keda", prometheus_url="http://prometheus.monitoring:9090", wake_query="sum(gateway_requests)"
)

PROFILES = sorted(load.profiles())
MODELS = sorted(load.models())


def _one(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def _container(manifest: dict[str, Any]) -> dict[str, Any]:
    (found,) = manifest["spec"]["template"]["spec"]["containers"]
    return dict(found)


def _fits(profile: str, model: str) -> bool:
    deployment = Deployment(profile=profile, model=model)
    try:
        plan(deployment, load.facts(deployment))
    except InfeasibleError:
        return False
    return True


FITTING = [(profile, model) for profile in PROFILES for model in MODELS if _fits(profile, model)]


@pytest.mark.parametrize(("profile", "model"), FITTING)
@pytest.mark.parametrize("replicas", [None, 3])
def test_the_manifests_request_the_gpus_of_the_plan(
    planned: Planned, helm: Path, profile: str, model: str, replicas: int | None
) -> None:
    plan = planned(profile, model=model, replicas=replicas)
    assert gpus_requested(render.manifests(plan, helm)) == plan.gpus


@settings(max_examples=20, deadline=None)
@given(
    shape=st.sampled_from(FITTING),
    count=st.integers(min_value=1, max_value=500),
    key=st.sampled_from(["replicas", "nodes"]),
)
def test_law_what_is_rendered_is_what_is_planned(
    planned: Planned, helm: Path, shape: tuple[str, str], count: int, key: str
) -> None:
    profile, model = shape
    plan = planned(profile, model=model, **{key: count})
    assert gpus_requested(render.manifests(plan, helm)) == plan.gpus


@pytest.mark.parametrize("autoscaler", [AutoscalerChoices(), KEDA, WAKING])
@pytest.mark.parametrize("scaling", [Scaling(), Scaling(min_replicas=2, max_replicas=5), Scaling(max_replicas=1)])
def test_the_autoscaler_keeps_to_the_range_of_the_plan(
    planned: Planned, helm: Path, autoscaler: AutoscalerChoices, scaling: Scaling
) -> None:
    plan = planned("4xa100", model="Qwen/Qwen3-8B", scaling=scaling, chart=ChartChoices(autoscaler=autoscaler))
    assert gpus_range(render.manifests(plan, helm)) == plan.gpus_range
    assert plan.replicas_range[0] == (scaling.min_replicas if autoscaler.wakes else max(1, scaling.min_replicas))


@pytest.mark.parametrize("scaling", [None, Scaling(min_replicas=2, max_replicas=5)])
def test_knative_keeps_to_the_range_of_the_plan(planned: Planned, helm: Path, scaling: Scaling | None) -> None:
    plan = planned("serverless", scaling=scaling)
    assert gpus_range(render.manifests(plan, helm)) == plan.gpus_range


def test_a_node_profile_is_a_deployment_behind_a_service(planned: Planned, helm: Path) -> None:
    found = [(m["kind"], m["metadata"]["name"]) for m in render.manifests(planned("4xa100"), helm)]
    assert found == [
        ("Namespace", "llm-4xa100"),
        ("ServiceAccount", "llm-4xa100"),
        ("Service", "llm-4xa100"),
        ("Deployment", "llm-4xa100"),
    ]


def test_the_service_listens_where_the_plan_says(planned: Planned, helm: Path) -> None:
    plan = planned("4xa100", namespace="ml-prod")
    service = _one(render.manifests(plan, helm), "Service")
    name, namespace, (port,) = (
        service["metadata"]["name"],
        service["metadata"]["namespace"],
        service["spec"]["ports"],
    )
    assert plan.endpoint == f"http://{name}.{namespace}.svc:{port['port']}/v1"


def test_a_serverless_profile_is_a_knative_service(planned: Planned, helm: Path) -> None:
    manifests = render.manifests(planned("serverless"), helm)
    assert [m["apiVersion"] for m in manifests] == ["v1", "v1", "serving.knative.dev/v1"]
    annotations = _one(manifests, "Service")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/min-scale"] == "0"


def test_names_and_namespaces_are_the_plans(planned: Planned, helm: Path) -> None:
    manifests = render.manifests(planned("1xa100", name="chat", namespace="ml-prod"), helm)
    assert {m["metadata"]["name"] for m in manifests} == {"ml-prod", "llm-chat"}
    assert {m["metadata"].get("namespace") for m in manifests} == {None, "ml-prod"}


NAMES = ("2024", "1e3", "12e4567", "0x1", "0o7", "true", "on", "y", "null", "1.0")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_yaml_reads_as_something_else_stays_a_name(planned: Planned, helm: Path, name: str) -> None:
    namespace = name.replace(".", "-")
    chart = ChartChoices(
        api_key=ApiKey(secret_name=name, secret_key=name),
        image=ImageSource(pull_secrets=(name,)),
        placement=Placement(priority_class=name, runtime_class=name, node_selector={"pool": name}),
        pod=PodMetadata(labels={"team": name}),
        network_policy=NetworkPolicy(enabled=True, callers=(Peer(namespace=namespace),)),
        ingress=Ingress(enabled=True, host="a.example", class_name=name, tls_secret=name),
        monitoring=MonitoringChoices(rules=True, labels={"release": name}),
        chat_template=ChatTemplate(config_map=name),
    )
    weights = Weights(storage="pvc", claim=name, compile_cache_claim=name)
    plan = planned("1xa100", namespace=namespace, hub_token_secret=name, weights=weights, chart=chart)
    found = list(_named(render.manifests(plan, helm)))
    assert len(found) > 30
    assert not [value for value in found if not isinstance(value, str)]
    # In the files, too: what reads them knows other numbers than PyYAML.
    assert to_yaml({"a": name}) == f"a: '{name}'\n"


def _named(part: Any) -> Iterator[Any]:
    """What must be text: names of objects and keys, and labels."""
    if isinstance(part, list):
        for item in part:
            yield from _named(item)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in ("labels", "matchLabels", "nodeSelector", "annotations"):
                yield from value.values()
            elif key in ("name", "namespace", "key") or key.endswith("Name"):
                yield value
            else:
                yield from _named(value)


def test_vllm_gets_what_was_sized(planned: Planned, helm: Path) -> None:
    container = _container(_one(render.manifests(planned("4xa100"), helm), "Deployment"))
    assert container["image"] == "vllm/vllm-openai:v0.32.0"
    assert container["command"] == ["vllm", "serve"]
    assert container["args"] == [
        "Qwen/Qwen2.5-72B-Instruct",
        "--served-model-name=Qwen/Qwen2.5-72B-Instruct",
        "--port=8000",
        "--tensor-parallel-size=4",
        "--max-model-len=32768",
        "--gpu-memory-utilization=0.92",
        "--shutdown-timeout=60",
        "--enable-auto-tool-choice",
        "--tool-call-parser=hermes",
    ]


def test_the_hubs_token_is_a_reference(planned: Planned, helm: Path) -> None:
    plan = planned("1xa100", hub_token_secret="hugging-face")
    env = _container(_one(render.manifests(plan, helm), "Deployment"))["env"]
    reference = {"secretKeyRef": {"name": "hugging-face", "key": "token"}}
    assert {"name": "HF_TOKEN", "valueFrom": reference} in env


def test_replicas_share_a_claim(planned: Planned, helm: Path) -> None:
    manifests = render.manifests(planned("4xa100", nodes=2, weights=Weights(storage="pvc")), helm)
    claim = _one(manifests, "PersistentVolumeClaim")
    assert claim["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "163Gi"}},
    }


def test_a_failing_helm_is_a_tool_error_with_its_words(planned: Planned, tmp_path: Path) -> None:
    broken = tmp_path / "helm"
    broken.write_text("#!/bin/sh\necho 'Error: no space left' >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(ToolError, match=r"exit code 3:\nError: no space left"):
        render.manifests(planned("1xa100"), broken)


def test_a_missing_helm_is_a_tool_error(planned: Planned, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="helm template: "):
        render.manifests(planned("1xa100"), tmp_path / "helm")


def test_helm_settings_of_the_user_change_nothing(
    planned: Planned, helm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = render.manifests(planned("1xa100"), helm)
    monkeypatch.setenv("HELM_NAMESPACE", "other")
    monkeypatch.setenv("HELM_DEBUG", "true")
    assert render.manifests(planned("1xa100"), helm) == before


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "", "a\nb"])
def test_no_object_name_leaves_the_directory(planned: Planned, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    hostile = [{"kind": "ConfigMap", "metadata": {"name": name}}]
    monkeypatch.setattr(render, "manifests", lambda *_: hostile)
    with pytest.raises(DeployError, match="cannot be a file name"):
        render.files(planned("1xa100"), Path("helm"))


def test_two_objects_never_share_a_file(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    twins = [{"kind": "Service", "metadata": {"name": "a"}}] * 2
    monkeypatch.setattr(render, "manifests", lambda *_: twins)
    with pytest.raises(DeployError, match="two objects"):
        render.files(planned("1xa100"), Path("helm"))
