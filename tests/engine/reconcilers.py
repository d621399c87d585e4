"""What Flux's kustomize-controller and Argo CD do with a tree, step by step, by the files that `deploy init` writes.

Both apply server-side by force. They differ in how they mark what is theirs, and so in how they find what to prune.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from breakeven.engine.sandbox_cluster import ControlPlane

Manifest = dict[str, Any]
# Group, kind, namespace, name.
Key = tuple[str, str, str, str]

FLUX = "kustomize.toolkit.fluxcd.io"
ARGO = "argocd.argoproj.io"


def key(one: Manifest) -> Key:
    group = one["apiVersion"].rpartition("/")[0]
    return group, one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]


@dataclass(kw_only=True)
class Reconciler:
    """`root` is the repository: rendered/ and gitops/ lie in it."""

    cluster: ControlPlane
    root: Path

    def reconcile(self) -> None:
        raise NotImplementedError

    def build(self, folder: Path) -> list[Manifest]:
        return [one for one in yaml.safe_load_all(self.cluster.kubectl("kustomize", str(folder))) if one]

    def apply(self, found: Iterable[Manifest], manager: str) -> None:
        if items := list(found):
            listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
            how = ("apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", "-f", "-")
            self.cluster.kubectl(*how, stdin=listed)

    def delete(self, found: Iterable[Key], *, how: str) -> None:
        for group, kind, namespace, name in found:
            resource = f"{kind}.{group}" if group else kind
            where = ("-n", namespace) if namespace else ()
            self.cluster.kubectl(*where, "delete", resource, name, f"--cascade={how}")


@dataclass(kw_only=True)
class Flux(Reconciler):
    """The tree with the Kustomization's patches; labels of its owner; and an inventory of what was applied last.

    https://fluxcd.io/flux/components/kustomize/kustomizations/#prune
    """

    inventory: set[Key] = field(default_factory=set)

    def reconcile(self) -> None:
        applied = yaml.safe_load((self.root / "gitops/flux/kustomization.yaml").read_text())
        assert applied["spec"]["prune"]
        labels = {f"{FLUX}/{part}": applied["metadata"][part] for part in ("name", "namespace")}
        found = self._built(applied["spec"])
        for one in found:
            one["metadata"].setdefault("labels", {}).update(labels)
        # Definitions and namespaces go first: https://github.com/fluxcd/pkg/blob/main/ssa/manager_apply.go
        self.apply((one for one in found if one["kind"] == "Namespace"), "kustomize-controller")
        self.apply((one for one in found if one["kind"] != "Namespace"), "kustomize-controller")
        wanted = {key(one) for one in found}
        self.delete(self._stale(wanted, labels), how="background")
        self.inventory = wanted

    def _built(self, spec: Manifest) -> list[Manifest]:
        """The controller writes the patches into a kustomization over the path, as here."""
        over = self.root / ".flux"
        over.mkdir(exist_ok=True)
        resources = [os.path.relpath(self.root / spec["path"], over)]
        (over / "kustomization.yaml").write_text(json.dumps({"resources": resources, "patches": spec["patches"]}))
        return self.build(over)

    def _stale(self, wanted: set[Key], labels: dict[str, str]) -> Iterator[Key]:
        """Of the last inventory, what is no longer wanted, still its own, and not kept by its annotation."""
        for group, kind, namespace, name in sorted(self.inventory - wanted):
            where = ("-n", namespace) if namespace else ()
            said = self.cluster.kubectl(
                *where, "get", f"{kind}.{group}" if group else kind, name, "--ignore-not-found", "-o", "json"
            )
            metadata = json.loads(said)["metadata"] if said else {}
            is_kept = metadata.get("annotations", {}).get(f"{FLUX}/prune") == "disabled"
            if said and labels.items() <= metadata.get("labels", {}).items() and not is_kept:
                yield group, kind, namespace, name


@dataclass(kw_only=True)
class Argo(Reconciler):
    """The path of the Application in its waves; an annotation that names application and object; no inventory.

    https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
    """

    def reconcile(self) -> None:
        application = yaml.safe_load((self.root / "gitops/argocd/application.yaml").read_text())
        assert application["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
        found = self.build(self.root / application["spec"]["source"]["path"])
        name = application["metadata"]["name"]
        for one in found:
            one["metadata"].setdefault("annotations", {})[f"{ARGO}/tracking-id"] = tracking_id(name, key(one))
        for wave in sorted({_wave(one) for one in found}):
            self.apply((one for one in found if _wave(one) == wave), "argocd-controller")
        # PruneLast, and what came last goes first.
        stale = self._stale(name, {key(one) for one in found})
        self.delete((key(one) for one in sorted(stale, key=_wave, reverse=True)), how="foreground")

    def _stale(self, name: str, wanted: set[Key]) -> list[Manifest]:
        """What lives of the project's kinds, names this application and itself, and is no longer wanted."""
        found = []
        for one in self._live():
            annotations = one["metadata"].get("annotations", {})
            is_own = annotations.get(f"{ARGO}/tracking-id") == tracking_id(name, key(one))
            is_kept = "Prune=false" in annotations.get(f"{ARGO}/sync-options", "")
            if is_own and not is_kept and key(one) not in wanted:
                found.append(one)
        return found

    def _live(self) -> Iterator[Manifest]:
        project = yaml.safe_load((self.root / "gitops/argocd/project.yaml").read_text())["spec"]
        known = self.cluster.kubectl("api-resources", "-o", "name", "--no-headers")
        for entry in (*project["clusterResourceWhitelist"], *project["namespaceResourceWhitelist"]):
            group = f".{entry['group']}" if entry["group"] else ""
            resource = f"{_plural(entry['kind'])}{group}"
            if resource in known.splitlines():
                yield from json.loads(self.cluster.kubectl("get", resource, "-A", "-o", "json"))["items"]


def tracking_id(application: str, one: Key) -> str:
    group, kind, namespace, name = one
    return f"{application}:{group}/{kind}:{namespace}/{name}"


def _wave(one: Manifest) -> int:
    return int(one["metadata"].get("annotations", {}).get(f"{ARGO}/sync-wave", "0"))


def _plural(kind: str) -> str:
    lower = kind.lower()
    if lower.endswith("y"):
        return f"{lower[:-1]}ies"
    return f"{lower}es" if lower.endswith("s") else f"{lower}s"
