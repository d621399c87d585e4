"""What would break an apply half way is found before it, on a real API server with its admission, RBAC and quotas."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engine.checks import STACK, TEAM, failed, one
from tests.engine.deploy import refuse, succeed
from tests.engine.users import kubeconfig_with

from breakeven import render
from breakeven.core import manifest_diff
from breakeven.core.deployment import Weights
from breakeven.core.live import Check
from breakeven.core.plan import Plan
from breakeven.engine import cluster as engine_cluster
from breakeven.engine import preflight, tools
from breakeven.engine.backend import backend
from breakeven.engine.cluster import connect
from breakeven.engine.preflight import together
from breakeven.engine.rollout import Rollout
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import ClusterError

RBAC = "rbac.authorization.k8s.io/v1"
READ_NAMESPACES = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}


@pytest.mark.usefixtures("team", "two_nodes")
def test_nothing_is_wrong_and_nothing_is_left_behind(
    checked: Callable[..., list[Check]], cluster: ControlPlane
) -> None:
    checks = checked()
    assert {check.status for check in checks} == {"pass"}, checks
    assert one(checks, "Kubernetes", "pass").detail == "v1.36.3"
    assert (
        "8 GPUs free for it on 2 nodes that the profile accepts; the plan needs 1 × 4"
        in one(checks, "GPUs", "pass").detail
    )
    assert "accepts 3 of 3 objects, and their pods" in one(checks, "Dry run", "pass").detail
    assert not cluster.kubectl("-n", TEAM, "get", "pods,deployments,services", "-o", "name")


def test_a_namespace_that_is_not_there_leaves_questions_open(checked: Callable[..., list[Check]]) -> None:
    checks = checked(namespace="preflight-nowhere")
    assert not failed(checks)
    assert "quota, Pod Security, policies) could not be checked" in one(checks, "Namespace", "warn").detail
    assert "kubectl create namespace preflight-nowhere" in one(checks, "Namespace", "warn").fix


def test_a_namespace_that_is_being_deleted(checked: Callable[..., list[Check]], cluster: ControlPlane) -> None:
    name, version = "preflight-leaving", "v1"
    held = {"name": "held", "namespace": name, "finalizers": ["test.dev/held"]}
    cluster.apply([{"apiVersion": version, "kind": "Namespace", "metadata": {"name": name}}])
    cluster.apply([{"apiVersion": version, "kind": "ConfigMap", "metadata": held}])
    cluster.kubectl("delete", "namespace", name, "--wait=false")
    try:
        assert f"{name} is being deleted" in one(checked(namespace=name), "Namespace", "fail").detail
    finally:
        patch = '{"metadata":{"finalizers":[]}}'
        cluster.kubectl("-n", name, "patch", "configmap", "held", "--type=merge", "-p", patch)


@pytest.mark.usefixtures("team")
def test_forbidden_by_rbac(cluster: ControlPlane, sandbox: Sandbox, tmp_path: Path) -> None:
    """A user who may do all in the namespace but apply Deployments: the engine's preview alone would be green."""
    token = user(cluster, ["services", "serviceaccounts", "pods", "endpoints", "persistentvolumeclaims"])
    config = kubeconfig_with(token, sandbox, tmp_path / "config")
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(config)}
    try:
        message = refuse(5, "up", *STACK, "--yes", env=env)
        assert f"Permissions: you may not create, get, list, patch, watch deployments.apps in {TEAM}" in message
        assert f"list, watch replicasets.apps in {TEAM}" in message
        assert "ask the cluster's administrator for a Role with these" in message
        assert "serviceaccounts" not in message
        assert not cluster.kubectl("-n", TEAM, "get", "services,deployments", "-o", "name")
        assert not list((tmp_path / "state").rglob("Pulumi*.yaml"))
    finally:
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", "preflight-reader")


def user(cluster: ControlPlane, resources: list[str], verbs: str = "*", role: str = "own") -> str:
    """Token of a new user with these rights in the team's namespace, who sees only namespaces beside it."""
    cluster.apply([{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator", "namespace": TEAM}}])
    account = f"--serviceaccount={TEAM}:operator"
    cluster.kubectl("-n", TEAM, "create", "role", role, f"--verb={verbs}", f"--resource={','.join(resources)}")
    cluster.kubectl("-n", TEAM, "create", "rolebinding", role, f"--role={role}", account)
    reader = "preflight-reader"
    cluster.apply(
        [{"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": reader}, "rules": [READ_NAMESPACES]}]
    )
    subject = {"kind": "ServiceAccount", "name": "operator", "namespace": TEAM}
    role_ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": reader}
    binding = {"metadata": {"name": reader}, "roleRef": role_ref, "subjects": [subject]}
    cluster.apply([{"apiVersion": RBAC, "kind": "ClusterRoleBinding", **binding}])
    return cluster.kubectl("-n", TEAM, "create", "token", "operator").strip()


@pytest.mark.usefixtures("team")
def test_what_may_not_be_looked_at_is_said(
    cluster: ControlPlane, sandbox: Sandbox, checked: Callable[..., list[Check]], tmp_path: Path
) -> None:
    token = user(cluster, ["*.*", "services", "serviceaccounts", "pods", "endpoints", "persistentvolumeclaims"])
    config = kubeconfig_with(token, sandbox, tmp_path / "config")
    try:
        checks = checked(kubeconfig=config)
    finally:
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", "preflight-reader")
    assert not failed(checks), checks
    assert "refused GET /api/v1/nodes: 403" in one(checks, "GPUs", "warn").detail


@pytest.mark.usefixtures("team")
def test_the_right_that_tells_clusters_apart_is_named(cluster: ControlPlane, sandbox: Sandbox, tmp_path: Path) -> None:
    token = cluster.kubectl("-n", TEAM, "create", "token", "default").strip()
    config = kubeconfig_with(token, sandbox, tmp_path / "config")
    with pytest.raises(ClusterError, match="you may not `get` namespace kube-system of https://") as caught:
        connect(config, None)
    assert "ClusterRole with `get` on that namespace" in caught.value.hint


@pytest.mark.usefixtures("team")
def test_rights_that_the_apply_itself_does_not_need(
    cluster: ControlPlane, sandbox: Sandbox, checked: Callable[..., list[Check]], tmp_path: Path
) -> None:
    """Without delete nothing can be removed; without create pods no pod can be tried."""
    user(cluster, ["pods"], "get,list,watch", "look")
    kinds = [
        "deployments.apps",
        "services",
        "serviceaccounts",
        "replicasets.apps",
        "endpoints",
        "persistentvolumeclaims",
    ]
    token = user(cluster, kinds, "get,list,watch,create,patch")
    config = kubeconfig_with(token, sandbox, tmp_path / "config")
    try:
        checks = checked(kubeconfig=config)
    finally:
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", "preflight-reader")
    assert not failed(checks), checks
    detail = one(checks, "Permissions", "warn").detail
    assert f"you may not delete serviceaccounts in {TEAM}; delete services in {TEAM}; delete deployments.apps" in detail
    assert "`deploy destroy` and a replacement will not" in detail
    assert "since you may not create pods" in one(checks, "Pod", "warn").detail


@pytest.mark.usefixtures("two_nodes")
@pytest.mark.fault(
    "GPUs that another pod holds",
    "a warning that names the pods: nodes may join",
    "0",
)
def test_gpus_that_another_pod_holds(
    team: Callable[..., None], checked: Callable[..., list[Check]], cluster: ControlPlane
) -> None:
    """Two GPUs of each node of four are taken: four are free, but no node has four."""
    for node in ("4xa100-0", "4xa100-1"):
        team(holder(f"holder-{node}", node, 2))
    found = one(checked(), "GPUs", "warn")
    assert (
        "4 GPUs free for it on 2 nodes that the profile accepts; the plan needs 1 × 4: room for 0 of 1" in found.detail
    )
    assert f"held by {TEAM}/holder-4xa100-0, {TEAM}/holder-4xa100-1" in found.fix
    assert "4 GPUs free for it on 2 nodes" in one(checked("1xa100", replicas=4), "GPUs", "pass").detail
    cluster.kubectl("cordon", "4xa100-1")
    try:
        found = one(checked("1xa100", replicas=4), "GPUs", "warn")
    finally:
        cluster.kubectl("uncordon", "4xa100-1")
    assert "2 GPUs free for it on 1 node" in found.detail
    assert re.search(r"room for 2 of 4; \d+ other nodes? not ready, cordoned or tainted", found.detail)


def holder(name: str, node: str, gpus: int) -> dict[str, Any]:
    container = {"name": "holder", "image": "holder", "resources": {"limits": {"nvidia.com/gpu": gpus}}}
    spec = {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@pytest.mark.usefixtures("team")
def test_a_missing_storage_class_and_none_by_default(
    checked: Callable[..., list[Check]], cluster: ControlPlane
) -> None:
    checks = checked(weights=Weights(storage="pvc", storage_class="fast"))
    assert one(checks, "Storage", "fail").detail == "there is no StorageClass fast"
    weights = Weights(storage="pvc")
    assert "StorageClass" in one(checked(weights=weights), "Storage", "pass").detail
    about = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "preflight-block"}}
    cluster.apply([{**about, "provisioner": "ebs.csi.aws.com"}])
    try:
        block = Weights(storage="pvc", storage_class="preflight-block")
        assert one(checked(weights=block), "Storage", "pass")
        shared = one(checked(weights=block, replicas=2), "Storage", "fail")
    finally:
        cluster.kubectl("delete", "storageclass", "preflight-block")
    assert shared.detail == "StorageClass preflight-block (ebs.csi.aws.com) has no ReadWriteMany"
    (name,) = cluster.kubectl("get", "storageclass", "-o", "name").split()
    mark = "storageclass.kubernetes.io/is-default-class"
    cluster.kubectl("annotate", name, f"{mark}-", "--overwrite")
    try:
        found = one(checked(weights=weights), "Storage", "fail")
    finally:
        cluster.kubectl("annotate", name, f"{mark}=true", "--overwrite")
    assert "PersistentVolumeClaim llm-flight names no StorageClass, none is default" in found.detail
    assert name.rpartition("/")[2] in found.fix


def test_a_secret_without_the_key_and_no_secret(team: Callable[..., None], checked: Callable[..., list[Check]]) -> None:
    assert one(checked(hub_token_secret="hf"), "Hub token", "fail").detail == f"there is no Secret {TEAM}/hf"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hf"}, "stringData": {"TOKEN": "canary-value"}}
    team(secret)
    checks = checked(hub_token_secret="hf")
    assert one(checks, "Hub token", "fail").detail == f"Secret {TEAM}/hf has no key `token`"
    assert one(checks, "Hub token", "fail").fix == "the keys that it has: TOKEN"
    assert "canary-value" not in str(checks)
    team({**secret, "stringData": {"token": "canary-value"}})
    assert one(checked(hub_token_secret="hf"), "Hub token", "pass")


@pytest.mark.usefixtures("team")
def test_knative_must_have_its_volume_flags_enabled(checked: Callable[..., list[Check]], cluster: ControlPlane) -> None:
    flags = ["affinity", "tolerations", "securitycontext", "persistent-volume-claim", "persistent-volume-write"]
    flags.append("volumes-image")
    data = {f"kubernetes.podspec-{flag}": "allowed" for flag in flags}
    where = {"name": "config-features", "namespace": "knative-serving"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "knative-serving"}}
    cluster.apply([namespace])
    cluster.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": where, "data": data}])
    try:
        checks = checked("serverless")
        assert one(checks, "Knative flags", "pass")
        assert not failed(checks)
        assert "accepts 2 of 2 objects, and their pods" in one(checks, "Dry run", "pass").detail
        found = one(checked("serverless", weights=Weights(storage="pvc")), "Knative flags", "fail")
        image = Weights(storage="image", image="registry.example/qwen3-8b:1")
        of_image = one(checked("serverless", weights=image), "Knative flags", "fail")
    finally:
        cluster.kubectl("delete", "namespace", "knative-serving", "--wait=false")
    assert found.detail == (
        "not enabled: kubernetes.podspec-persistent-volume-claim, kubernetes.podspec-persistent-volume-write"
    )
    assert of_image.detail == "not enabled: kubernetes.podspec-volumes-image"


@pytest.mark.fault(
    "The API server falls silent (a played one)",
    "preflight ends",
    "5",
)
def test_an_api_server_that_falls_silent_ends_the_preflight(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine_cluster, "_TIMEOUT_S", (1, 1))
    plan = planned("4xa100")
    silent = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path not in ("/version", "/api/v1/namespaces/kube-system"):
                silent.wait(20)
                return
            body = json.dumps({"gitVersion": "v1.36.3", "metadata": {"uid": "some"}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PATCH = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        cluster = connect(kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}"), None)
        began = time.monotonic()
        with pytest.raises(ClusterError, match="is unreachable: Read timed out"):
            preflight.check(plan, [render.namespace_manifest(plan)], cluster)
        assert time.monotonic() - began < 8
    finally:
        silent.set()
        server.shutdown()
        server.server_close()


def kubeconfig(directory: Path, server: str) -> Path:
    path = directory / "config"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "slow",
        "clusters": [{"name": "slow", "cluster": {"server": server}}],
        "users": [{"name": "slow", "user": {}}],
        "contexts": [{"name": "slow", "context": {"cluster": "slow", "user": "slow"}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.fault(
    "The API server takes too long for all questions together (made waits)",
    "preflight ends",
    "5",
)
def test_too_many_slow_answers_end_it_too(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_PATIENCE_S", 0.5)
    cluster = connect(sandbox.kubeconfig, None)
    with pytest.raises(ClusterError, match=r"is too slow: it answered \d+ of 40 questions"):
        together.together(cluster, [lambda: time.sleep(0.2)] * 40)


def test_an_offline_preview_asks_no_cluster_and_says_what_it_skipped(sandbox: Sandbox, tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(tmp_path / "none")}
    out = succeed("preview", *STACK, "--offline", env=env)
    assert "Cluster  not asked" in out
    assert "! Cluster: not looked at: Kubernetes, Permissions, GPUs, Storage, Secrets, Namespace, Quota, Dry run" in out
    assert "0 → 4 GPUs" in out
    assert "rises by $9,500.00 to $9,500.00" in out
    assert not list((tmp_path / "state").rglob("Pulumi*.yaml"))
    assert "--offline asks no cluster" in refuse(2, "preview", *STACK, "--offline", "--context", "x", env=env)


@pytest.mark.parametrize("profile", ["1xa100", "4xa100", "8xh100", "serverless"])
def test_what_is_checked_is_what_the_engine_previews(
    profile: str, sandbox: Sandbox, planned: Callable[..., Plan], tmp_path: Path
) -> None:
    """Preflight renders by Helm, the provider by its own: the same objects, field by field."""
    plan = planned(profile, name="flight")
    with Rollout(plan, connect(sandbox.kubeconfig, None), backend(tmp_path)) as rollout:
        previewed = rollout.preview().changes.manifests_after
    rendered = render.manifests(plan, tools.path("helm"))
    assert manifest_diff.changes(previewed, rendered).is_empty
