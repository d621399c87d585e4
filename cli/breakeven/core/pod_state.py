"""One pod as its API object tells: where it runs, whether it serves, and what keeps it from doing so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from breakeven.core.manifests import Manifest

# "starting" may still become well; the others are told apart because each is given another time to do so.
Kind = Literal["unplaced", "image", "configuration", "crash", "refused", "failed", "starting"]

_IMAGE: Final = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
_CONFIGURATION: Final = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
GROUP_REVISION: Final = "leaderworkerset.sigs.k8s.io/template-revision-hash"
_REVISION_LABELS: Final = ("pod-template-hash", "serving.knative.dev/revision", GROUP_REVISION)
_MOST_MESSAGE: Final = 400


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a pod does not serve, in the words of the scheduler or the kubelet."""

    kind: Kind
    reason: str
    message: str = ""
    container: str = ""
    restarts: int = 0

    @property
    def text(self) -> str:
        """`Unschedulable: 0/4 nodes are available: …`"""
        return ": ".join(part for part in (self.reason, self.message) if part)


@dataclass(frozen=True, kw_only=True)
class PodState:
    """`node` is empty where it has none. `leaving`: it is being deleted. `revision` is what it was made from."""

    name: str
    node: str
    ready: bool
    leaving: bool
    revision: str
    trouble: Trouble | None


def pod_state(pod: Manifest) -> PodState:
    """From a Pod as the API server gives it."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    labels = metadata.get("labels") or {}
    ready = (_condition(status, "Ready") or {}).get("status") == "True"
    return PodState(
        name=metadata["name"],
        node=(pod.get("spec") or {}).get("nodeName") or "",
        ready=ready,
        leaving=bool(metadata.get("deletionTimestamp")),
        revision=next((labels[label] for label in _REVISION_LABELS if label in labels), ""),
        trouble=None if ready else _trouble(status),
    )


def _trouble(status: Manifest) -> Trouble:
    if status.get("phase") == "Failed":
        ended = next((detail for _, detail in _terminated(status)), "")
        message = _short(status.get("message") or ended)
        return Trouble(kind="failed", reason=status.get("reason") or "Failed", message=message)
    placed = _condition(status, "PodScheduled") or {}
    if placed.get("status") == "False":
        reason = placed.get("reason") or "not scheduled"
        # A queue's gate, such as Kueue's, opens when its quota allows.
        kind: Kind = "unplaced" if reason == "Unschedulable" else "starting"
        return Trouble(kind=kind, reason=reason, message=_short(placed.get("message")))
    found = [trouble for container in _containers(status) if (trouble := _container_trouble(container))]
    return next(
        (trouble for trouble in found if trouble.kind != "starting"),
        found[0] if found else Trouble(kind="starting", reason="not ready yet"),
    )


def _container_trouble(container: Manifest) -> Trouble | None:
    """None for one that runs as it should, or has done its work."""
    state, name = container.get("state") or {}, container.get("name", "")
    waiting, restarts = state.get("waiting") or {}, int(container.get("restartCount") or 0)
    reason, message = waiting.get("reason") or "", _short(waiting.get("message"))
    if reason in _IMAGE:
        return Trouble(kind="image", reason=reason, message=message, container=name)
    if reason in _CONFIGURATION:
        return Trouble(kind="configuration", reason=reason, message=message, container=name)
    if reason == "CrashLoopBackOff" or (restarts and not container.get("ready")) or _failed(state):
        ended = _short(_ending(container) or message)
        return Trouble(kind="crash", reason=reason or "restarted", message=ended, container=name, restarts=restarts)
    if waiting:
        return Trouble(kind="starting", reason=reason or "waiting", message=message, container=name)
    if "running" in state and not container.get("ready"):
        return Trouble(kind="starting", reason="runs, but is not ready yet", container=name)
    return None


def _failed(state: Manifest) -> bool:
    return bool((state.get("terminated") or {}).get("exitCode"))


def _ending(container: Manifest) -> str:
    """How a container ended last: `exit code 137 (OOMKilled)`, and what it wrote to its termination log."""
    for state in (container.get("state") or {}, container.get("lastState") or {}):
        ended = state.get("terminated")
        if ended:
            reason = f" ({ended['reason']})" if ended.get("reason") else ""
            said = str(ended.get("message") or "").strip()
            return f"exit code {ended.get('exitCode')}{reason}{f': {said}' if said else ''}"
    return ""


def _terminated(status: Manifest) -> Iterator[tuple[str, str]]:
    for container in _containers(status):
        if detail := _ending(container):
            yield container.get("name", ""), detail


def _containers(status: Manifest) -> list[dict[str, Any]]:
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _condition(status: Manifest, kind: str) -> dict[str, Any] | None:
    return next((entry for entry in status.get("conditions") or () if entry.get("type") == kind), None)


def _short(message: Any) -> str:
    """On one line, and no longer than a screen takes."""
    text = " ".join(str(message or "").split())
    return text if len(text) <= _MOST_MESSAGE else f"{text[: _MOST_MESSAGE - 1]}…"
