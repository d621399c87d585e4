"""What stops serving while an apply runs, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from breakeven.core.changes import Change, Changes
from breakeven.core.manifests import Manifest, is_group, pod_spec
from breakeven.core.pod_counts import replicas
from breakeven.core.rollout_rules import start_s, surge_and_unavailable

_REPLACED = "is deleted before it is made again"


def outages(changes: Changes) -> tuple[str, ...]:
    """A line for each change that interrupts the service or loses something."""
    return tuple(line for change in changes.objects for line in _of(change, changes))


def _of(change: Change, changes: Changes) -> Iterator[str]:
    what = f"{change.manifest['kind']} {change.manifest.get('metadata', {}).get('name', '')}"
    if change.op == "replace":
        yield f"{what} {_REPLACED}: {_loss(change.manifest)}"
    elif change.op in ("update", "adopt") and change.new and _serves_nobody(change, change.new, changes):
        yield f"{what} replaces its only replica without a spare: an outage until it is ready, {_wait(change.new)}"


def _rolls(manifest: Manifest) -> bool:
    return manifest.get("kind") == "Deployment" or is_group(manifest)


def _loss(manifest: Manifest) -> str:
    if pod_spec(manifest):
        return f"an outage until it is ready, {_wait(manifest)}"
    if manifest["kind"] == "PersistentVolumeClaim":
        return "the weights on it are lost and downloaded again"
    return "an outage until it is ready"


def _wait(manifest: Manifest) -> str:
    return f"up to {ceil(start_s(manifest) / 60)} min"


def _serves_nobody(change: Change, new: Manifest, changes: Changes) -> bool:
    """Pods are replaced when their template changes; a Knative revision starts beside the old one.

    With an autoscaler as few may run as it allows.
    """
    if not _rolls(new):
        return False
    old_replicas = replicas(change.old, changes.manifests_before)[0] if change.old else 0
    surge, unavailable = surge_and_unavailable(new)
    is_new_template = any(path.startswith(("spec.template", "spec.leaderWorkerTemplate")) for path in change.paths)
    return is_new_template and not surge and 0 < old_replicas <= unavailable
