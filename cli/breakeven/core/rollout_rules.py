"""What is wrong with a rollout by its manifests alone: it waits for itself, or is given up while it still loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor
from typing import Final

from breakeven.core.live import Check
from breakeven.core.manifests import Manifest, group_size, is_group, is_knative_service, mapping, pod_spec, whole
from breakeven.core.pod_counts import replicas
from breakeven.core.units import count

# What Kubernetes and Pulumi's provider take where nothing is said.
_DEADLINE_S: Final = 600
_PULUMI_S: Final = 600
_PULUMI_WAIT: Final = "pulumi.com/timeoutSeconds"
_SURGE: Final = "25%"
_PROBE_PERIOD_S: Final = 10
_PROBE_FAILURES: Final = 3

_ONE_NODE: Final = {"ReadWriteOnce", "ReadWriteOncePod"}


def checks(manifests: Sequence[Manifest]) -> list[Check]:
    """What was found for each object that runs servers, failures first."""
    found = [check for manifest in manifests if _rolls(manifest) for check in _checks(manifest, manifests)]
    return sorted(found, key=lambda check: check.status != "fail")


def _rolls(manifest: Manifest) -> bool:
    return manifest.get("kind") == "Deployment" or is_knative_service(manifest) or is_group(manifest)


def _checks(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[Check]:
    problems = [*_surge_problems(manifest), *_volume_problems(manifest, manifests), *_start_problems(manifest)]
    for detail, fix in problems:
        yield Check(name="Rollout", status="fail", detail=f"{_name(manifest)}: {detail}", fix=fix)
    if not problems:
        yield Check(name="Rollout", status="pass", detail=_summary(manifest))


def _name(manifest: Manifest) -> str:
    return f"{manifest.get('kind')} {mapping(manifest, 'metadata').get('name')}"


def _summary(manifest: Manifest) -> str:
    start, deadline = f"{ceil(start_s(manifest) / 60)}", f"{floor(deadline_s(manifest) / 60)}"
    if is_knative_service(manifest):
        how = "a new revision starts beside the old one"
    else:
        surge, unavailable = surge_and_unavailable(manifest)
        what = "pod group" if is_group(manifest) else "pod"
        how = f"up to {count(surge, what)} more" if surge else f"{count(unavailable, what)} at a time, none to spare"
    return f"{how}; a start may take {start} of the {deadline} min that it has"


def surge_and_unavailable(manifest: Manifest) -> tuple[int, int]:
    """How many more, and how many fewer, than its replicas a rollout may have."""
    wanted = whole(manifest, "spec.replicas", mapping(manifest, "spec").get("replicas", 1))
    strategy = mapping(manifest, "spec", "strategy")
    if strategy.get("type") == "Recreate":
        return 0, wanted
    limits, surge, unavailable = mapping(manifest, "spec", "strategy", "rollingUpdate"), _SURGE, _SURGE
    if is_group(manifest):
        limits, surge, unavailable = (
            mapping(manifest, "spec", "rolloutStrategy", "rollingUpdateConfiguration"),
            "0",
            "1",
        )
    more = _share(manifest, limits.get("maxSurge", surge), wanted, up=True)
    return more, _share(manifest, limits.get("maxUnavailable", unavailable), wanted, up=False)


def _share(manifest: Manifest, value: object, replicas: int, *, up: bool) -> int:
    """Kubernetes rounds a surge up and what is unavailable down."""
    text = str(value)
    if not text.endswith("%"):
        return whole(manifest, "rollingUpdate", value)
    share = whole(manifest, "rollingUpdate", text[:-1]) * replicas / 100
    return ceil(share) if up else floor(share)


def _surge_problems(manifest: Manifest) -> Iterator[tuple[str, str]]:
    if not is_knative_service(manifest) and surge_and_unavailable(manifest) == (0, 0):
        yield "no pod may be added and none removed, so a change never begins", "set maxUnavailable to 1"


def _volume_problems(manifest: Manifest, manifests: Iterable[Manifest]) -> Iterator[tuple[str, str]]:
    """A volume that one node holds keeps pods on other nodes waiting for ever."""
    volumes = pod_spec(manifest).get("volumes") or ()
    used = {(volume.get("persistentVolumeClaim") or {}).get("claimName") for volume in volumes}
    most = _most_pods(manifest, manifests)
    for claim in manifests:
        is_used = claim.get("kind") == "PersistentVolumeClaim" and mapping(claim, "metadata").get("name") in used
        if is_used and most > 1 and set(mapping(claim, "spec").get("accessModes") or ()) <= _ONE_NODE:
            what = f"{most} pods want {_name(claim)}, which one node holds at a time"
            yield what, "use ReadWriteMany, or keep the weights on the nodes: --weights-storage emptyDir"


def _most_pods(manifest: Manifest, manifests: Iterable[Manifest]) -> int:
    """During a rollout. Knative starts a revision before it ends the former."""
    if is_knative_service(manifest):
        return 2
    return (replicas(manifest, manifests)[1] + surge_and_unavailable(manifest)[0]) * group_size(manifest)


def _start_problems(manifest: Manifest) -> Iterator[tuple[str, str]]:
    start, deadline = start_s(manifest), deadline_s(manifest)
    if start >= deadline:
        what = f"a start may take {start:,} s, and after {deadline:,} s without progress it counts as failed"
        yield what, "raise progressDeadlineSeconds above the startup probe's period × failures"
    wait = _annotation(manifest, _PULUMI_WAIT, _PULUMI_S)
    if wait < deadline:
        what = f"Pulumi waits {wait:,} s, and the rollout may take {deadline:,} s"
        yield what, "raise the annotation pulumi.com/timeoutSeconds"


def start_s(manifest: Manifest) -> int:
    """How long the slowest container may load before it is restarted."""
    containers = pod_spec(manifest).get("containers") or ()
    probes = (container.get("startupProbe") for container in containers)
    return max((_probe_s(manifest, probe) for probe in probes if probe), default=0)


def _probe_s(manifest: Manifest, probe: Manifest) -> int:
    period = whole(manifest, "periodSeconds", probe.get("periodSeconds", _PROBE_PERIOD_S))
    failures = whole(manifest, "failureThreshold", probe.get("failureThreshold", _PROBE_FAILURES))
    return whole(manifest, "initialDelaySeconds", probe.get("initialDelaySeconds", 0)) + period * failures


def deadline_s(manifest: Manifest) -> int:
    """How long a rollout may go without progress; of groups only Pulumi counts the time."""
    if is_group(manifest):
        return _annotation(manifest, _PULUMI_WAIT, _PULUMI_S)
    if not is_knative_service(manifest):
        value = mapping(manifest, "spec").get("progressDeadlineSeconds", _DEADLINE_S)
        return whole(manifest, "progressDeadlineSeconds", value)
    annotations = mapping(manifest, "spec", "template", "metadata", "annotations")
    text = str(annotations.get("serving.knative.dev/progress-deadline", f"{_DEADLINE_S}s"))
    return whole(manifest, "progress-deadline", text.removesuffix("s"))


def _annotation(manifest: Manifest, key: str, default: int) -> int:
    return whole(manifest, key, mapping(manifest, "metadata", "annotations").get(key, default))
