"""How the sandbox's objects behave: KWOK's Stages for nodes, pods and volumes, and ours for what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from breakeven.engine import tools

# Of KWOK's own Stages, as they come with the pinned version. Giving it one Stage drops all its defaults.
_KWOK_STAGES: Final = (
    "node/fast/node-initialize",
    "node/heartbeat/node-heartbeat",
    "node/chaos/node-not-ready",
    "pod/general/pod-create",
    "pod/general/pod-init-container-running",
    "pod/general/pod-init-container-completed",
    "pod/general/pod-ready",
    "pod/general/pod-complete",
    # The general one waits for up to the grace period.
    "pod/fast/pod-delete",
    "pod/chaos/pod-container-running-failed",
    "pod/chaos/pod-init-container-running-failed",
    "volume/fast/storage-class",
    "volume/fast/pvc-provision",
    "volume/fast/pvc-delete",
    "volume/fast/pv-bind",
    "volume/fast/pv-delete",
)
# Instead of 1 to 5 s: a rehearsal shows the steps, not the time that a model takes to load. The annotation
# `<stage>.stage.kwok.x-k8s.io/delay` of a pod still overrides it.
_POD_DELAY_MS: Final = 500


def objects() -> list[dict[str, Any]]:
    """All of them: KWOK's own, quickened, and ours; the StorageClass of its volumes is among them."""
    upstream = tools.folder("kube") / "stages"
    paths = [upstream / f"{name}.yaml" for name in _KWOK_STAGES]
    ours = sorted(Path(__file__).with_name("stages").glob("*.yaml"))
    return [_quickened(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in (*paths, *ours)]


def _quickened(stage: dict[str, Any]) -> dict[str, Any]:
    delay = stage.get("spec", {}).get("delay")
    if delay and stage["metadata"]["name"].startswith("pod-") and "jitterDurationMilliseconds" in delay:
        delay["durationMilliseconds"] = _POD_DELAY_MS
        del delay["jitterDurationMilliseconds"]
    return stage
