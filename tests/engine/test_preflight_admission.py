"""What a namespace and its cluster let in: quotas, limits, Pod Security and policies, asked by dry runs."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.checks import STACK, TEAM, failed, one
from tests.engine.deploy import deploy, refuse, succeed

from breakeven import resources
from breakeven.core.live import Check
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane


@pytest.mark.fault(
    "A quota that is too small",
    "preflight fails",
    "5",
)
def test_a_quota_counts_all_replicas_and_what_others_use(
    team: Callable[..., None], checked: Callable[..., list[Check]]
) -> None:
    team(quota("requests.nvidia.com/gpu", "4"))
    checks = checked(replicas=2)
    assert failed(checks) == ["Quota"]  # one pod alone would be let in
    assert one(checks, "Quota", "fail").detail == ("team allows requests.nvidia.com/gpu 4, needed 8, used by others 0")
    assert "room for all 1 of the replicas" in one(checked(replicas=1), "Quota", "pass").detail


def test_a_quota_of_what_the_pod_does_not_name(team: Callable[..., None], checked: Callable[..., list[Check]]) -> None:
    team(quota("limits.cpu", "100"))
    assert "must specify limits.cpu" in one(checked(), "Pod", "fail").detail


def test_a_limit_range_speaks(team: Callable[..., None], checked: Callable[..., list[Check]]) -> None:
    limit = {"type": "Container", "max": {"memory": "100Gi"}}
    team({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "team"}, "spec": {"limits": [limit]}})
    assert "maximum memory usage per Container is 100Gi, but limit is 200Gi" in one(checked(), "Pod", "fail").detail


def quota(resource: str, hard: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "team"},
        "spec": {"hard": {resource: hard}},
    }


@pytest.mark.usefixtures("team")
def test_pod_security_refuses_pods_only_so_a_pod_is_tried(
    checked: Callable[..., list[Check]], cluster: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster.kubectl("label", "namespace", TEAM, "pod-security.kubernetes.io/enforce=restricted")
    assert not failed(checked())
    chart = shutil.copytree(resources.chart(), tmp_path / "vllm")
    container = chart / "templates" / "_container.tpl"
    assert "allowPrivilegeEscalation: false" in container.read_text()
    container.write_text(container.read_text().replace("allowPrivilegeEscalation: false", "privileged: true"))
    monkeypatch.setattr(resources, "chart", lambda: chart)
    checks = checked()
    assert failed(checks) == ["Pod"]
    refused = one(checks, "Pod", "fail")
    assert (
        f"a pod of Deployment llm-flight in namespace {TEAM}, which enforces Pod Security restricted: "
        in refused.detail
    )
    assert 'violates PodSecurity "restricted:latest": privileged' in refused.detail
    assert "another Pod Security level" in refused.fix


@pytest.mark.parametrize(("kind", "name"), [("deployments", "Dry run"), ("pods", "Pod")])
@pytest.mark.usefixtures("team")
@pytest.mark.fault(
    "Admission refuses",
    "preflight fails",
    "5",
)
def test_a_policy_that_refuses(
    kind: str, name: str, checked: Callable[..., list[Check]], cluster: ControlPlane
) -> None:
    validation = {"expression": "object.metadata.name == 'never'", "message": "ask the platform team first"}
    policy(cluster, "Validating", kind, {"validations": [validation]}, {"validationActions": ["Deny"]})
    try:
        checks = eventually(checked, lambda checks: bool(failed(checks)))
    finally:
        cluster.kubectl("delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", "preflight")
        left = eventually(checked, lambda checks: not failed(checks))
    assert not failed(left)
    assert failed(checks) == [name]
    assert "ask the platform team first" in one(checks, name, "fail").detail
    assert "meet that policy of the cluster" in one(checks, name, "fail").fix


@pytest.mark.parametrize(
    ("kind", "path", "name", "message"),
    [
        ("deployments", "spec", "Dry run", "admission makes 8 GPUs of the 4 that were asked for"),
        ("pods", "", "Pod", "admission gives a pod 8 GPUs instead of 4; the bill is for 4"),
    ],
)
@pytest.mark.usefixtures("team")
def test_a_policy_that_adds_gpus_which_nobody_priced(
    kind: str, path: str, name: str, message: str, checked: Callable[..., list[Check]], cluster: ControlPlane
) -> None:
    where = "/spec/replicas" if path else "/spec/containers/0/resources/limits/nvidia.com~1gpu"
    value = "2" if path else "'8'"
    patch = f"[JSONPatch{{op: 'replace', path: '{where}', value: {value}}}"
    if not path:
        patch += f", JSONPatch{{op: 'replace', path: '{where.replace('limits', 'requests')}', value: {value}}}"
    mutation = {"patchType": "JSONPatch", "jsonPatch": {"expression": f"{patch}]"}}
    rules = {"mutations": [mutation], "reinvocationPolicy": "Never", "failurePolicy": "Fail"}
    policy(cluster, "Mutating", kind, rules, {})
    try:
        checks = eventually(checked, lambda checks: bool(failed(checks)))
    finally:
        cluster.kubectl("delete", "mutatingadmissionpolicy,mutatingadmissionpolicybinding", "preflight")
        left = eventually(checked, lambda checks: not failed(checks))
    assert not failed(left)
    assert one(checks, name, "fail").detail == message


def policy(cluster: ControlPlane, type_: str, kind: str, rules: dict[str, Any], binding: dict[str, Any]) -> None:
    group = {"deployments": "apps", "pods": ""}[kind]
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [kind]}
    where = {"matchLabels": {"kubernetes.io/metadata.name": TEAM}}
    spec = {"matchConstraints": {"namespaceSelector": where, "resourceRules": [rule]}, **rules}
    about = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "preflight"}}
    cluster.apply(
        [
            {**about, "kind": f"{type_}AdmissionPolicy", "spec": spec},
            {**about, "kind": f"{type_}AdmissionPolicyBinding", "spec": {"policyName": "preflight", **binding}},
        ]
    )


def eventually(look: Callable[[], list[Check]], is_there: Callable[[list[Check]], bool]) -> list[Check]:
    """The API server takes up a new policy, and lets go of one, within seconds."""
    deadline = time.monotonic() + 30
    while not is_there(found := look()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def test_several_failures_are_told_together(team: Callable[..., None], sandbox: Sandbox, tmp_path: Path) -> None:
    team(quota("pods", "0"))
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    message = refuse(5, "preview", *STACK, "--hub-token-secret", "hf", env=env)
    assert "Error: 3 checks failed; nothing was changed\n✗ Hub token: " in message
    assert "✗ Quota: team allows pods 0, needed 1, used by others 0\n  → fewer --replicas" in message
    assert "✗ Pod: a pod of Deployment llm-flight in namespace" in message
    assert "exceeded quota: team" in message


@pytest.mark.usefixtures("team")
def test_a_volume_that_cannot_change_is_refused_in_plain_words(sandbox: Sandbox, tmp_path: Path) -> None:
    """A second replica wants a shared volume; a claim cannot change its access mode. The engine would fail with it."""
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "KUBECONFIG": str(sandbox.kubeconfig)}
    flags = (*STACK, "--weights-storage", "pvc", "--storage-usd-per-gib-month", "0.1")
    try:
        succeed("up", *flags, "--yes", env=env)
        message = refuse(5, "preview", *flags, "--replicas", "2", env=env)
        assert "Dry run: PersistentVolumeClaim llm-flight: " in message
        assert "spec is immutable after creation" in message
        assert "Next: `deploy destroy` first, or begin another stack with --name" in message
        assert "no changes" in succeed("preview", *flags, env=env)
        assert "no changes" in succeed("preview", *flags, "--offline", env=env)
        offline = json.loads(succeed("preview", *flags, "--offline", "--replicas", "2", "-o", "json", env=env))
        assert offline["offline"] is True
        changed = {change["kind"]: change["op"] for change in offline["changes"]}
        assert (changed["Deployment"], changed["PersistentVolumeClaim"]) == ("update", "update")
    finally:
        deploy("destroy", "--profile", "4xa100", "--name", "flight", "--confirm", "flight", env=env)
