"""Is there a StorageClass for the volume, and can it do what the volume asks?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from breakeven.core.live import Check
from breakeven.core.manifests import Manifest, pod_spec, pod_specs
from breakeven.engine.preflight.subject import Subject

_CLAIM: Final = "PersistentVolumeClaim"
_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
# Block devices, of which one node has one: no ReadWriteMany file system.
# https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes, and each driver's own documentation:
# https://github.com/kubernetes-sigs/aws-ebs-csi-driver, https://cloud.google.com/kubernetes-engine/docs/concepts/persistent-volumes,
# https://learn.microsoft.com/azure/aks/azure-csi-disk-storage-provision
_ONE_NODE_DRIVERS: Final = {"ebs.csi.aws.com", "pd.csi.storage.gke.io", "disk.csi.azure.com"}


def check(subject: Subject) -> Iterator[Check]:
    yield from (_exists(subject, name) for name in sorted(_claims_of_others(subject)))
    new = [*_new_claims(subject)]
    if new:
        classes = subject.cluster.list("/apis/storage.k8s.io/v1/storageclasses")
        yield from (_class(title, spec, classes) for title, spec in new)


def _claims_of_others(subject: Subject) -> set[str]:
    """Claims that the pods name and the stack does not make."""
    volumes = [
        volume for runner in subject.runners for spec in pod_specs(runner) for volume in spec.get("volumes") or ()
    ]
    claims = [volume["persistentVolumeClaim"] for volume in volumes if volume.get("persistentVolumeClaim")]
    used = {str(claim["claimName"]) for claim in claims}
    return used - {item.manifest["metadata"]["name"] for item in subject.objects if item.kind == _CLAIM}


def _exists(subject: Subject, name: str) -> Check:
    where = f"{_CLAIM} {subject.plan.namespace}/{name}"
    if subject.cluster.get("v1", _CLAIM, subject.plan.namespace, name) is not None:
        return Check(name="Storage", status="pass", detail=f"{where} exists")
    fix = "make it, or name one that is there; pods wait for it"
    return Check(name="Storage", status="fail", detail=f"there is no {where}", fix=fix)


def _new_claims(subject: Subject) -> Iterator[tuple[str, Manifest]]:
    """What is made with the stack, or with each of its pods. A claim that is there keeps the volume that it has."""
    for item in subject.objects:
        if item.kind == _CLAIM and item.live is None:
            yield item.title, item.manifest["spec"]
    for runner in subject.runners:
        for volume in pod_spec(runner).get("volumes") or ():
            if "ephemeral" in volume:
                yield f"the volume {volume['name']} of each pod", volume["ephemeral"]["volumeClaimTemplate"]["spec"]


def _class(title: str, spec: Manifest, classes: Sequence[dict[str, Any]]) -> Check:
    name = spec.get("storageClassName")
    found = _named(name, classes) if name else _default(classes)
    if found is None:
        names = ", ".join(entry["metadata"]["name"] for entry in classes) or "none"
        detail = f"there is no StorageClass {name}" if name else f"{title} names no StorageClass, none is default"
        fix = f"give --storage-class, or keep the weights on the nodes: --weights-storage emptyDir; there are: {names}"
        return Check(name="Storage", status="fail", detail=detail, fix=fix)
    detail = f"StorageClass {found['metadata']['name']} ({found['provisioner']})"
    if "ReadWriteMany" in spec.get("accessModes", ()) and found["provisioner"] in _ONE_NODE_DRIVERS:
        fix = "name the class of a shared file system with --storage-class; the volume would never be made"
        return Check(name="Storage", status="fail", detail=f"{detail} has no ReadWriteMany", fix=fix)
    return Check(name="Storage", status="pass", detail=detail)


def _named(name: str, classes: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    return next((entry for entry in classes if entry["metadata"]["name"] == name), None)


def _default(classes: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    return next(
        (entry for entry in classes if (entry["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"), None
    )
