"""What users of other charts suffer from, one test each, named after the complaint; docs/chart.md lists them all.

The numbers are those of the table there. What needs a cluster is in tests/engine/test_chart_rehearsals.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.charts.choices import CHOICES
from tests.vllm import metrics

from breakeven import load, render, resources
from breakeven.core.chart.autoscaler import AutoscalerChoices
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.exposure import Gateway, Ingress, Route
from breakeven.core.chart.placement import Placement, Toleration
from breakeven.core.chart.security import ApiKey, NetworkPolicy, Peer
from breakeven.core.chart.server import ProbeChoices, RolloutChoices
from breakeven.core.chart.serving import Adapter, LoraChoices
from breakeven.core.chart.storage import Weights
from breakeven.core.cost import project
from breakeven.core.deployment import TARGET_UTILISATION, Deployment, EngineChoice
from breakeven.core.manifests import pod_spec, pod_specs
from breakeven.core.plan import Plan, plan
from breakeven.core.scaling import Scaling
from breakeven.errors import InfeasibleError, InputError

Planned = Callable[..., Plan]
Manifest = dict[str, Any]

NODE_PROFILES = [name for name, profile in load.profiles().items() if not profile.is_serverless]
HUB = "hugging-face"


@pytest.fixture
def objects(planned: Planned, helm: Path) -> Callable[..., list[Manifest]]:
    def rendered(profile: str = "8xh100", **inputs: Any) -> list[Manifest]:
        return render.manifests(planned(profile, **inputs), helm)

    return rendered


def one(manifests: list[Manifest], kind: str) -> Manifest:
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def pod(manifests: list[Manifest], kind: str = "Deployment") -> Manifest:
    found: Manifest = one(manifests, kind)["spec"]["template"]["spec"]
    return found


def server(manifests: list[Manifest]) -> Manifest:
    """Of the Deployment, or the leader of a LeaderWorkerSet."""
    (found,) = [manifest for manifest in manifests if manifest["kind"] in ("Deployment", "LeaderWorkerSet")]
    container: Manifest = pod_spec(found)["containers"][0]
    return container


def specs(manifests: list[Manifest]) -> list[Mapping[str, Any]]:
    """Of every pod that they make."""
    return [spec for manifest in manifests for spec in pod_specs(manifest)]


def env(container: Manifest) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def mounts(container: Manifest) -> dict[str, Manifest]:
    return {mount["mountPath"]: mount for mount in container["volumeMounts"]}


def seconds(probe: Manifest) -> int:
    return int(probe["periodSeconds"] * probe["failureThreshold"])


Objects = Callable[..., list[Manifest]]


def scaled_by_hpa(objects: Objects) -> list[Manifest]:
    return objects(model="Qwen/Qwen3-8B", scaling=Scaling(max_replicas=5))


def scaled_by_keda(objects: Objects, **choices: Any) -> list[Manifest]:
    autoscaler = AutoscalerChoices(kind="keda", prometheus_url="http://prometheus.monitoring:9090", **choices)
    return objects(model="Qwen/Qwen3-8B", scaling=Scaling(max_replicas=5), chart=ChartChoices(autoscaler=autoscaler))


@pytest.mark.parametrize("profile", NODE_PROFILES)
def test_complaint_01_no_rollout_asks_for_a_spare_gpu(objects: Objects, profile: str) -> None:
    strategy = one(objects(profile), "Deployment")["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_complaint_01_a_surge_is_there_for_who_asks(objects: Objects) -> None:
    asked = ChartChoices(rollout=RolloutChoices(strategy="start-first"))
    strategy = one(objects(chart=asked), "Deployment")["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize("profile", NODE_PROFILES)
def test_complaint_02_shared_memory_is_always_mounted_and_counted(objects: Objects, profile: str) -> None:
    found = objects(profile)
    (shm,) = [volume for volume in pod(found)["volumes"] if volume["name"] == "shm"]
    assert mounts(server(found))["/dev/shm"]["name"] == "shm"
    assert shm["emptyDir"]["medium"] == "Memory"
    gpus = server(found)["resources"]["limits"]["nvidia.com/gpu"]
    shm_gib, memory_gib = (
        int(size.removesuffix("Gi"))
        for size in (shm["emptyDir"]["sizeLimit"], server(found)["resources"]["limits"]["memory"])
    )
    assert shm_gib >= 2 * gpus
    # What is left for the process is at least 48 GiB a GPU.
    assert memory_gib - shm_gib >= 48 * gpus


def _fitting() -> Iterator[tuple[str, str]]:
    for profile in NODE_PROFILES:
        for model in load.models():
            deployment = Deployment(profile=profile, model=model)
            try:
                plan(deployment, load.facts(deployment))
            except InfeasibleError:
                continue
            yield profile, model


@pytest.mark.parametrize(("profile", "model"), list(_fitting()))
def test_complaint_03_a_slow_load_is_not_killed(planned: Planned, profile: str, model: str) -> None:
    """Liveness waits for the startup probe, which waits for weights ÷ bandwidth and ten minutes of start."""
    found = planned(profile, model=model)
    values = render.values(found)
    assert seconds(values["probes"]["startup"]) >= 600 + found.facts.model.weights_bytes / 0.2e9
    assert values["rollout"]["progressDeadlineSeconds"] > seconds(values["probes"]["startup"])
    assert values["rollout"]["pulumiTimeoutSeconds"] > values["rollout"]["progressDeadlineSeconds"]


def test_complaint_03_a_slower_disk_gets_the_time_that_it_needs(planned: Planned) -> None:
    values = render.values(planned("4xa100", chart=ChartChoices(probes=ProbeChoices(startup_seconds=7200))))
    assert seconds(values["probes"]["startup"]) == 7200
    assert values["rollout"]["progressDeadlineSeconds"] > 7200


def test_complaint_04_ready_only_while_the_engine_answers(objects: Objects) -> None:
    """vLLM opens its port when the model is loaded, and /health asks the engine."""
    container = server(objects())
    health = {"path": "/health", "port": 8000}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == health
    # Out of the Service within 15 s, and before it is restarted.
    assert seconds(container["readinessProbe"]) <= 15 < seconds(container["livenessProbe"])


@pytest.mark.parametrize(
    "chosen", [RolloutChoices(), RolloutChoices(pre_stop_seconds=30, shutdown_timeout_seconds=600)]
)
def test_complaint_05_running_streams_end_before_the_kill(objects: Objects, chosen: RolloutChoices) -> None:
    found = objects(chart=ChartChoices(rollout=chosen))
    container = server(found)
    asleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    (drain,) = [arg for arg in container["args"] if arg.startswith("--shutdown-timeout=")]
    assert asleep == chosen.pre_stop_seconds
    assert drain == f"--shutdown-timeout={chosen.shutdown_timeout_seconds}"
    assert pod(found)["terminationGracePeriodSeconds"] > asleep + chosen.shutdown_timeout_seconds


def test_complaint_05_the_gateway_does_not_cut_a_stream(objects: Objects) -> None:
    route = Route(enabled=True, gateways=(Gateway(name="public"),))
    (rule,) = one(objects(chart=ChartChoices(route=route)), "HTTPRoute")["spec"]["rules"]
    assert rule["timeouts"] == {"request": "600s"}


def test_complaint_06_the_model_is_named_by_position(objects: Objects) -> None:
    """`--model` is deprecated in `vllm serve`; nothing passes a flag that the plan does not know."""
    container = server(objects())
    assert container["command"] == ["vllm", "serve"]
    assert container["args"][0] == "Qwen/Qwen3-235B-A22B"
    flags = {arg.split("=")[0] for arg in container["args"][1:]}
    assert not flags & {"--model", "--disable-log-requests", "--task", "--enable-reasoning"}


def test_complaint_06_no_value_takes_free_arguments() -> None:
    schema = json.loads((resources.chart() / "values.schema.json").read_text(encoding="utf-8"))
    words = {name.lower() for name in _names(schema)}
    assert not {name for name in words if "extraarg" in name or name in ("args", "command")}


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _names(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _names(part)


def test_complaint_07_the_autoscaler_reads_metrics_that_vllm_has(objects: Objects) -> None:
    for found in (scaled_by_hpa(objects), scaled_by_keda(objects)):
        names = metrics.used(json.dumps(found))
        assert names == {"vllm:num_requests_running", "vllm:num_requests_waiting"}
        assert names <= metrics.series()


def test_complaint_07_alerts_and_dashboard_read_metrics_that_vllm_has(objects: Objects) -> None:
    found = objects(model="Qwen/Qwen3-8B", **CHOICES["monitoring"])
    board = json.loads(one(found, "ConfigMap")["data"]["llm-8xh100.llm-8xh100.json"])
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = [rule for group in one(found, "PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
    names = metrics.used(" ".join([*queries, *(rule["expr"] for rule in rules)]))
    assert len(names) > 10
    assert names <= metrics.series()
    # What the dashboard shows of the bill, the rules record.
    recorded = {rule["record"] for rule in rules if "record" in rule}
    assert set(re.findall(r"breakeven:\w+", " ".join(queries))) <= recorded


def test_a_bill_is_recorded_by_the_hour(planned: Planned, objects: Objects) -> None:
    """The plan's $31,500 for a month of 730 h of eight H100."""
    found = objects(model="Qwen/Qwen3-8B", **CHOICES["monitoring"])
    rules = one(found, "PrometheusRule")["spec"]["groups"][0]["rules"]
    (expression,) = [rule["expr"] for rule in rules if rule["record"] == "breakeven:usd_per_hour"]
    assert project(planned("8xh100", model="Qwen/Qwen3-8B")).monthly_usd == 31_500
    assert expression == "vector(43.1507)"


def test_an_unknown_bill_is_not_recorded_as_anything(objects: Objects) -> None:
    found = objects(model="Qwen/Qwen3-8B", weights=Weights(storage="pvc"), **CHOICES["monitoring"])
    recorded = {rule.get("record") for rule in one(found, "PrometheusRule")["spec"]["groups"][0]["rules"]}
    assert not {name for name in recorded if name and name.startswith("breakeven:usd")}


def test_complaint_08_an_hpa_counts_requests_and_not_cpu(planned: Planned, objects: Objects) -> None:
    spec = one(scaled_by_hpa(objects), "HorizontalPodAutoscaler")["spec"]
    assert {metric["type"] for metric in spec["metrics"]} == {"Pods"}
    # What a server serves within the latency objective, with the headroom of the plan.
    within = int(int(planned("8xh100", model="Qwen/Qwen3-8B").capacity.concurrency) * TARGET_UTILISATION)
    assert {metric["pods"]["target"]["averageValue"] for metric in spec["metrics"]} == {str(within)}


def test_complaint_08_a_server_may_start_before_the_next_ones_do(planned: Planned, objects: Objects) -> None:
    (policy,) = one(scaled_by_hpa(objects), "HorizontalPodAutoscaler")["spec"]["behavior"]["scaleUp"]["policies"]
    assert policy["periodSeconds"] >= planned("8xh100", model="Qwen/Qwen3-8B").startup_s


def test_complaint_09_zero_servers_only_where_something_wakes_one(objects: Objects) -> None:
    assert one(scaled_by_keda(objects), "ScaledObject")["spec"]["minReplicaCount"] == 1
    waking = one(scaled_by_keda(objects, wake_query="sum(gateway_requests)"), "ScaledObject")["spec"]
    assert waking["minReplicaCount"] == 0
    assert waking["triggers"][1]["metadata"]["query"] == "sum(gateway_requests)"


@pytest.mark.parametrize("query", ["sum(vllm:num_requests_waiting)", "sum(rate(breakeven:tokens_per_second[1m]))"])
def test_complaint_09_a_query_of_the_servers_own_metrics_is_refused(query: str) -> None:
    """Without a server there is no such series (tests/vllm/test_adapters.py asks a Prometheus)."""
    with pytest.raises(ValueError, match="wake_query must be of a metric that is there without a server"):
        AutoscalerChoices(kind="keda", prometheus_url="http://prometheus:9090", wake_query=query)


def test_complaint_09_an_empty_series_does_not_stop_servers(objects: Objects) -> None:
    """KEDA takes it for 0 by default."""
    (trigger,) = one(scaled_by_keda(objects), "ScaledObject")["spec"]["triggers"]
    assert trigger["metadata"]["ignoreNullValues"] == "false"


def test_complaint_09_nothing_else_changes_the_replicas_beside_keda(objects: Objects) -> None:
    assert not {entry["kind"] for entry in scaled_by_keda(objects)} & {"HorizontalPodAutoscaler"}


def test_complaint_10_no_replicas_beside_an_autoscaler(objects: Objects) -> None:
    for found in (scaled_by_hpa(objects), scaled_by_keda(objects)):
        assert "replicas" not in one(found, "Deployment")["spec"]


def test_an_autoscaler_of_nothing_is_refused(planned: Planned) -> None:
    keda = ChartChoices(autoscaler=AutoscalerChoices(kind="keda", prometheus_url="http://prometheus:9090"))
    for profile, inputs in (("4xa100", {}), ("serverless", {"scaling": Scaling()})):
        with pytest.raises(InputError, match=r"chart\.autoscaler: is for a deployment with `scaling`"):
            planned(profile, chart=keda, **inputs)


def test_complaint_11_a_claim_of_one_node_is_refused_for_several_replicas(planned: Planned) -> None:
    one_node = Weights(storage="pvc", access_mode="ReadWriteOnce")
    with pytest.raises(InputError, match="one node holds the claim, but 2 replicas share it") as refused:
        planned("8xh100", replicas=2, model="Qwen/Qwen3-8B", weights=one_node)
    assert "ReadWriteMany" in refused.value.hint
    assert planned("8xh100", replicas=1, weights=one_node).replicas == 1


@pytest.mark.parametrize(
    ("profile", "weights", "chart", "why"),
    [
        (
            "serverless",
            Weights(storage="pvc"),
            ChartChoices(),
            "the next revision starts while the last one still runs",
        ),
        (
            "1xa100",
            Weights(storage="pvc"),
            ChartChoices(rollout=RolloutChoices(strategy="start-first")),
            "with strategy start-first two servers overlap",
        ),
        ("1xa100", Weights(storage="pvc", download=True), ChartChoices(), "the Job that downloads uses it too"),
    ],
)
def test_complaint_11_so_is_one_for_two_pods_at_a_time(
    planned: Planned, profile: str, weights: Weights, chart: ChartChoices, why: str
) -> None:
    shared = render.values(planned(profile, weights=weights, chart=chart, replicas=1))["weights"]["accessMode"]
    assert shared == "ReadWriteMany"
    with pytest.raises(InputError, match=why):
        planned(profile, weights=replace(weights, access_mode="ReadWriteOnce"), chart=chart, replicas=1)


def test_complaint_11_each_replica_may_have_a_claim_of_its_own(objects: Objects) -> None:
    found = objects(model="Qwen/Qwen3-8B", weights=Weights(storage="ephemeral"))
    (volume,) = [volume for volume in pod(found)["volumes"] if volume["name"] == "weights"]
    assert volume["ephemeral"]["volumeClaimTemplate"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert not [entry for entry in found if entry["kind"] == "PersistentVolumeClaim"]


@pytest.mark.parametrize("name", CHOICES)
def test_complaint_12_no_cache_is_written_to_a_read_only_volume(objects: Objects, name: str) -> None:
    """The hub's client writes lock files beside its cache, even to read."""
    found = objects(model="Qwen/Qwen3-8B", **CHOICES[name])
    (workload,) = [entry for entry in found if entry["kind"] in ("Deployment", "LeaderWorkerSet")]
    container = pod_spec(workload)["containers"][0]
    writable = [path for path, mount in mounts(container).items() if not mount.get("readOnly")]
    for variable in ("HOME", "HF_HOME", "HF_XET_CACHE", "VLLM_CACHE_ROOT"):
        folder = env(container)[variable]
        assert any(folder == path or folder.startswith(f"{path}/") for path in writable), variable


@pytest.mark.parametrize("name", CHOICES)
def test_complaint_13_no_secret_value_is_in_a_manifest(objects: Objects, name: str) -> None:
    inputs = CHOICES[name] | {"hub_token_secret": HUB}
    found = objects(model="Qwen/Qwen3-8B", **inputs)
    assert not [entry for entry in found if entry["kind"] == "Secret"]
    variables = [pair for spec in specs(found) for container in spec["containers"] for pair in env(container).items()]
    assert variables
    for variable, value in variables:
        is_secret = re.search("TOKEN|API_KEY|PASSWORD", variable)
        assert not is_secret or value["secretKeyRef"]["name"], variable


@pytest.mark.parametrize("key", ["hubToken", "apiKey"])
def test_complaint_13_no_value_takes_a_secret_itself(key: str) -> None:
    schema = json.loads((resources.chart() / "values.schema.json").read_text(encoding="utf-8"))
    group = schema["properties"][key]
    assert set(group["properties"]) == {"secretName", "secretKey"}
    # A token of the hub is hf_…, and a name has no underscore: one given by mistake is refused.
    assert not re.fullmatch(group["properties"]["secretName"]["pattern"], "hf_abcdefghijk")


def test_complaint_13_whoever_does_not_download_holds_no_token(objects: Objects) -> None:
    found = objects("1xa100", weights=Weights(storage="pvc", download=True), hub_token_secret=HUB)
    assert "HF_TOKEN" not in env(server(found))
    (job,) = pod(found, "Job")["containers"]
    assert env(job)["HF_TOKEN"] == {"secretKeyRef": {"name": HUB, "key": "token"}}


@pytest.mark.parametrize("name", CHOICES)
def test_complaint_14_no_container_is_root(objects: Objects, name: str) -> None:
    """Admission by a real API server: tests/engine/test_chart.py."""
    found = objects(model="Qwen/Qwen3-8B", **CHOICES[name])
    containers = [c for spec in specs(found) for c in (*spec["containers"], *spec.get("initContainers", ()))]
    assert containers
    for container in containers:
        assert container["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 2000,
            "runAsGroup": 2000,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }


@pytest.mark.parametrize(
    ("weights", "model"),
    [
        (Weights(storage="pvc", claim="models", path="qwen/qwen3-8b"), "/weights/qwen/qwen3-8b"),
        (Weights(storage="image", image="registry.example/qwen3-8b:1"), "/weights"),
        (Weights(storage="pvc", claim="models", offline=True), "Qwen/Qwen3-8B"),
    ],
)
def test_complaint_15_an_air_gapped_server_asks_nothing_of_the_hub(
    objects: Objects, weights: Weights, model: str
) -> None:
    policy = NetworkPolicy(enabled=True, callers=(Peer(namespace="gateway"),))
    found = objects("1xa100", weights=weights, chart=ChartChoices(network_policy=policy))
    container = server(found)
    assert env(container)["HF_HUB_OFFLINE"] == env(container)["TRANSFORMERS_OFFLINE"] == "1"
    assert container["args"][:2] == [model, "--served-model-name=Qwen/Qwen3-8B"]
    assert one(found, "NetworkPolicy")["spec"]["egress"] == []


def test_complaint_15_offline_without_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="offline must have weights that are there already"):
        Weights(storage="pvc", offline=True)


def test_complaint_16_each_deployment_has_its_own_tolerations(objects: Objects) -> None:
    taint = Toleration(key="team", operator="Equal", value="search", effect="NoSchedule")
    found = pod(objects(chart=ChartChoices(placement=Placement(tolerations=(taint,)))))["tolerations"]
    assert found == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "team", "operator": "Equal", "value": "search", "effect": "NoSchedule"},
    ]


def test_complaint_17_the_chart_forces_no_affinity(helm: Path) -> None:
    """By itself it runs on any GPU; a profile names the products that were priced, on every platform."""
    text = render._helm_template(helm, "llm-a", "ai", "")
    assert "affinity" not in text


def test_complaint_18_no_service_of_the_namespace_sets_a_variable(objects: Objects) -> None:
    found = objects()
    assert pod(found)["enableServiceLinks"] is False
    assert one(found, "Service")["metadata"]["name"].startswith("llm-")


def test_complaint_18_every_variable_is_one_that_vllm_or_its_libraries_know(objects: Objects) -> None:
    """vLLM warns of VLLM_* variables that it does not know."""
    found = objects(chart=ChartChoices(api_key=ApiKey(secret_name="keys")), hub_token_secret=HUB)
    names = {name for name in env(server(found)) if name.startswith("VLLM_")}
    assert names == {"VLLM_CACHE_ROOT", "VLLM_NO_USAGE_STATS", "VLLM_API_KEY"}


def test_complaint_19_adapters_are_served_from_the_first_answer_on(objects: Objects) -> None:
    """By vLLM's own flags: no controller loads them afterwards into servers that come and go."""
    arguments = server(objects(model="Qwen/Qwen3-8B", **CHOICES["adapters"]))["args"]
    at = arguments.index("--lora-modules")
    assert arguments[at + 1 : at + 3] == ["style=acme/qwen3-8b-style", "tone=acme/qwen3-8b-tone"]
    assert {"--enable-lora", "--max-loras=2", "--max-lora-rank=32"} <= set(arguments)


@pytest.mark.parametrize(
    ("source", "weights", "why"),
    [
        (
            "acme/style",
            Weights(storage="pvc", claim="models", path="qwen"),
            "is on the hub, which these servers do not",
        ),
        ("/weights/style", Weights(storage="pvc"), "is on no volume"),
        ("/weights/style", Weights(), "is on no volume"),
    ],
)
def test_complaint_19_an_adapter_that_no_server_could_load_is_refused(
    planned: Planned, source: str, weights: Weights, why: str
) -> None:
    chosen = ChartChoices(lora=LoraChoices(adapters=(Adapter(name="style", source=source),)))
    with pytest.raises(InputError, match=why):
        planned("8xh100", model="Qwen/Qwen3-8B", weights=weights, chart=chosen)


def test_complaint_19_an_adapter_of_the_models_name_is_refused(planned: Planned) -> None:
    chosen = ChartChoices(lora=LoraChoices(adapters=(Adapter(name="Qwen/Qwen3-8B", source="acme/style"),)))
    with pytest.raises(InputError, match="Qwen/Qwen3-8B is the model's own name"):
        planned("8xh100", model="Qwen/Qwen3-8B", chart=chosen)


def test_complaint_19_two_adapters_of_one_name_are_refused() -> None:
    twins = (Adapter(name="style", source="acme/a"), Adapter(name="style", source="acme/b"))
    with pytest.raises(ValueError, match="adapters must have different names"):
        LoraChoices(adapters=twins)


def test_complaint_20_nodes_wait_for_one_another(objects: Callable[..., list[Manifest]]) -> None:
    """As long as a start may take, be it for the image or for the weights: the leader's probe gives as much."""
    group = one(objects(engine=EngineChoice(nodes_per_replica=2)), "LeaderWorkerSet")["spec"]
    templates = group["leaderWorkerTemplate"]
    leader, worker = (templates[name]["spec"]["containers"][0] for name in ("leaderTemplate", "workerTemplate"))
    (wait,) = [flag for flag in leader["args"] if flag.startswith("--distributed-timeout-seconds=")]
    assert wait in worker["args"]
    assert 600 < int(wait.partition("=")[2]) <= seconds(leader["startupProbe"])
    assert group["startupPolicy"] == "LeaderCreated"


def test_complaint_20_one_lost_node_renews_the_group(objects: Callable[..., list[Manifest]]) -> None:
    group = one(objects(engine=EngineChoice(nodes_per_replica=2)), "LeaderWorkerSet")["spec"]
    assert group["leaderWorkerTemplate"]["restartPolicy"] == "RecreateGroupOnPodRestart"


def test_complaint_21_the_compile_cache_outlives_the_pod(objects: Objects) -> None:
    kept = objects("1xa100", weights=Weights(storage="pvc"))
    assert env(server(kept))["VLLM_CACHE_ROOT"] == "/weights/vllm"
    streamed = Weights(storage="bucket", uri="s3://models/qwen3-8b", compile_cache_claim="compile-cache")
    assert env(server(objects("1xa100", weights=streamed)))["VLLM_CACHE_ROOT"] == "/cache/vllm"


def test_complaint_21_weights_are_streamed_from_object_storage(objects: Objects) -> None:
    found = server(objects("1xa100", weights=Weights(storage="bucket", uri="s3://models/qwen3-8b")))
    assert found["args"][0] == "s3://models/qwen3-8b"
    assert "--load-format=runai_streamer" in found["args"]


def test_complaint_23_pods_say_whose_they_are(objects: Objects) -> None:
    labels = one(objects(), "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels["breakeven/profile"] == "8xh100"
    # OpenCost sums by the second.
    assert labels["breakeven/model"] == labels["llm-d.ai/model"] == "Qwen-Qwen3-235B-A22B"


@pytest.mark.parametrize("name", CHOICES)
def test_complaint_27_nothing_outside_the_namespace_is_touched(objects: Objects, name: str) -> None:
    """No roles, no CRDs, no operator; only the namespace itself is not namespaced."""
    found = objects(model="Qwen/Qwen3-8B", **CHOICES[name])
    namespaces = {entry["metadata"].get("namespace") for entry in found if entry["kind"] != "Namespace"}
    assert namespaces == {"llm-8xh100"}
    assert not {entry["kind"] for entry in found} & {"Role", "RoleBinding", "ClusterRole", "CustomResourceDefinition"}


@pytest.mark.parametrize("name", CHOICES)
def test_complaint_28_every_name_is_the_releases(objects: Objects, name: str) -> None:
    first, second = (
        {
            (entry["kind"], entry["metadata"]["name"])
            for entry in objects(model="Qwen/Qwen3-8B", name=release, namespace="ai", **CHOICES[name])
            if entry["kind"] != "Namespace"
        }
        for release in ("one", "two")
    )
    assert first
    assert not first & second


def test_complaint_28_two_namespaces_have_two_dashboards(objects: Objects) -> None:
    """Under one name: Grafana and its sidecar know no namespaces."""
    chosen = CHOICES["monitoring"]
    found = [one(objects(model="Qwen/Qwen3-8B", name="chat", namespace=n, **chosen), "ConfigMap") for n in ("a", "b")]
    (first,), (second,) = (entry["data"].items() for entry in found)
    assert first[0] != second[0]
    boards = [json.loads(text) for _, text in (first, second)]
    for key in ("uid", "title"):
        assert boards[0][key] != boards[1][key]
        # Grafana refuses longer ids.
        assert len(boards[0]["uid"]) <= 40


def test_no_path_but_v1_leaves_the_cluster(objects: Objects) -> None:
    """vLLM's key covers /v1 only: /metrics, /tokenize, /pause and others answer anyone who reaches the port."""
    chosen = ChartChoices(
        ingress=Ingress(enabled=True, host="llm.example.com"),
        route=Route(enabled=True, gateways=(Gateway(name="public"),)),
    )
    found = objects(chart=chosen)
    (rule,) = one(found, "Ingress")["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/v1"]
    (rule,) = one(found, "HTTPRoute")["spec"]["rules"]
    assert [match["path"] for match in rule["matches"]] == [{"type": "PathPrefix", "value": "/v1"}]


def test_only_callers_and_scrapers_reach_the_port(objects: Objects) -> None:
    policy = NetworkPolicy(enabled=True, callers=(Peer(namespace="gateway"),), scrapers=(Peer(namespace="monitoring"),))
    (rule,) = one(objects(chart=ChartChoices(network_policy=policy)), "NetworkPolicy")["spec"]["ingress"]
    assert [peer["namespaceSelector"]["matchLabels"] for peer in rule["from"]] == [
        {"kubernetes.io/metadata.name": "gateway"},
        {"kubernetes.io/metadata.name": "monitoring"},
    ]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8000}]


def test_usage_statistics_are_off(objects: Objects) -> None:
    found = env(server(objects()))
    assert found["VLLM_NO_USAGE_STATS"] == found["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_the_pod_holds_no_token_of_the_cluster(objects: Objects) -> None:
    found = objects("1xa100", weights=Weights(storage="pvc", download=True))
    assert one(found, "ServiceAccount")["automountServiceAccountToken"] is False
    for kind in ("Deployment", "Job"):
        assert pod(found, kind)["automountServiceAccountToken"] is False
