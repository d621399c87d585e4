"""Which existing objects are meant, and what a stack would do to them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from breakeven.core.adoption import Adopted, chosen, shown, stored
from breakeven.core.changes import Change, Changes
from breakeven.errors import InputError

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "llm-x", "namespace": "team"},
    "spec": {
        "replicas": 1,
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {"containers": [{"name": "vllm", "resources": {"limits": {"nvidia.com/gpu": 1}}}]},
        },
    },
}
SERVICE: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "llm-x", "namespace": "team"}}
MANIFESTS = [DEPLOYMENT, SERVICE]


def adopted(pod: dict[str, Any], **metadata: Any) -> Adopted:
    """The Deployment with another pod, as it lies in the cluster."""
    template = {"metadata": {"labels": {"app": "x"}}, "spec": pod}
    live = {
        **DEPLOYMENT,
        "metadata": {"name": "llm-x", "namespace": "team", **metadata},
        "spec": {"replicas": 3, "template": template},
    }
    return Adopted(manifest=DEPLOYMENT, live=live, result={**live, "spec": {"replicas": 1, "template": template}})


def test_objects_are_named_as_kubectl_names_them() -> None:
    assert chosen(["deployment/llm-x", "Deployment/llm-x"], MANIFESTS) == (DEPLOYMENT,)
    assert chosen([], MANIFESTS) == ()


def test_what_is_not_of_the_stack_is_refused_with_what_is() -> None:
    with pytest.raises(InputError, match="--adopt: Deployment/llm-y is no object of this stack") as caught:
        chosen(["Service/llm-x", "Deployment/llm-y"], MANIFESTS)
    assert caught.value.hint == "it has Deployment/llm-x, Service/llm-x"


@pytest.mark.parametrize("kind", ["Namespace", "namespace", "ns"])
def test_a_namespace_is_never_adopted(kind: str) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
    with pytest.raises(InputError, match="never adopted"):
        chosen([f"{kind}/team"], [namespace, *MANIFESTS])


def test_an_adoption_is_shown_as_what_becomes_of_the_object() -> None:
    create = Change(op="create", urn="u", type="kubernetes:apps/v1:Deployment", old=None, new=DEPLOYMENT)
    other = Change(op="create", urn="v", type="kubernetes:core/v1:Service", old=None, new=SERVICE)
    found = adopted({"containers": [{"name": "vllm"}]})
    step, untouched = shown(Changes(steps=(create, other)), [found]).steps
    assert (step.op, step.paths, step.old) == ("adopt", ("spec.replicas",), found.live)
    assert untouched == other


def test_what_others_set_in_its_pods_is_found_and_defaults_are_not() -> None:
    own = {"name": "vllm", "resources": {"limits": {"nvidia.com/gpu": "1", "example.com/nic": "1"}}}
    pod = {
        "containers": [{"name": "side"}, {**own, "env": [{"name": "X", "value": "1"}]}],
        "nodeSelector": {"zone": "a"},
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
    }
    assert adopted(pod).besides == (
        "spec.template.spec.containers.side",
        'spec.template.spec.containers.vllm.resources.limits["example.com/nic"]',
        "spec.template.spec.containers.vllm.env.X",
        "spec.template.spec.nodeSelector.zone",
    )
    assert adopted({"containers": [{"name": "vllm", "terminationMessagePath": "/dev"}]}).besides == ()


def test_a_restart_by_kubectl_is_no_part_of_its_pods() -> None:
    found = adopted({"containers": [{"name": "vllm"}]})
    template = {**found.result["spec"]["template"], "metadata": {"annotations": {"restartedAt": "now"}}}
    result = {**found.result, "spec": {"template": template}}
    assert Adopted(manifest=DEPLOYMENT, live=found.live, result=result).besides == ()


def test_who_else_is_in_charge_is_told() -> None:
    annotations = {"meta.helm.sh/release-name": "mine"}
    owners = [{"kind": "Model", "name": "big"}]
    found = adopted({}, annotations=annotations, labels={"kustomize.toolkit.fluxcd.io/name": "fleet"})
    assert found.in_charge == ("Helm's release mine", "Flux's Kustomization fleet")
    assert adopted({}, ownerReferences=owners).in_charge == ("Model big",)


def test_secrets_are_found_also_in_the_copy_that_kubectl_keeps() -> None:
    pod = {"containers": [{"name": "vllm", "env": [{"name": "HF_TOKEN", "value": "canary"}]}]}
    copy = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"kind": "Deployment", "spec": pod})}
    assert adopted(pod).secrets == ("spec.template.spec.containers[0].env[0].value",)
    assert adopted({}, annotations=copy).secrets == (
        'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
    )
    assert adopted({}, annotations={next(iter(copy)): "{"}).secrets == ()


def test_what_the_api_server_keeps_for_itself_is_no_content() -> None:
    live = {
        **SERVICE,
        "status": {"loadBalancer": {}},
        "metadata": {**SERVICE["metadata"], "uid": "u", "resourceVersion": "5", "managedFields": []},
    }
    assert stored(live) == SERVICE
