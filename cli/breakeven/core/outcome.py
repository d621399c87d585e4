"""What became of a rollout: is it failing for good, why, and what serves meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from breakeven.core.pod_state import PodState, Trouble
from breakeven.core.units import count

# How long a trouble must last before it counts as final, by its kind. "unplaced" is longer than a pod takes to leave
# (core/pod.py) and than an autoscaler takes to say that it adds a node; "image" and "configuration" let the kubelet
# try again (its first pauses are 10 s and 20 s); "refused" lets a quota be raised while the controller retries.
PATIENCE_S: Final = {"unplaced": 120.0, "image": 30.0, "configuration": 30.0, "refused": 20.0}
# One crash may be a broken download.
_CRASHES: Final = 2

_WORDS: Final = {
    "unplaced": "cannot be placed",
    "image": "cannot get the image",
    "configuration": "cannot be started",
    "crash": "crashes again and again",
    "failed": "failed",
    "starting": "is not ready",
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """The stack's pods of its newest revision at one moment.

    `refusal` is why the cluster makes no pod at all, in its own words; `scaling`: an autoscaler adds a node for them;
    `leaving`: others still hold what these wait for.
    """

    pods: tuple[PodState, ...]
    refusal: str = ""
    scaling: bool = False
    leaving: bool = False

    @property
    def troubled(self) -> tuple[PodState, ...]:
        return tuple(pod for pod in self.pods if pod.trouble and not pod.leaving)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A rollout that will not end well by itself. `log` holds the last lines of the first pod's container."""

    what: str
    pod: str = ""
    trouble: Trouble | None = None
    log: tuple[str, ...] = ()


@dataclass
class Judge:
    """Remembers since when each pod has been in trouble. Times are seconds of any one clock."""

    _first: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def failure(self, look: Look, now_s: float) -> Failure | None:
        """The reason to give up, or None while it may still become well."""
        seen = {(pod.name, pod.trouble.kind): pod.trouble.restarts for pod in look.troubled if pod.trouble}
        if look.refusal:
            seen["", "refused"] = 0
        if look.scaling or look.leaving:
            seen = {key: restarts for key, restarts in seen.items() if key[1] != "unplaced"}
        self._first = {key: self._first.get(key, (now_s, restarts)) for key, restarts in seen.items()}
        final = (kind for (name, kind), restarts in seen.items() if self._is_final(name, kind, restarts, now_s))
        kind = next(final, "")
        return describe(look, kind) if kind else None

    def _is_final(self, name: str, kind: str, restarts: int, now_s: float) -> bool:
        since_s, restarts_then = self._first[name, kind]
        if kind == "crash":
            return restarts >= _CRASHES and restarts > restarts_then
        return kind in PATIENCE_S and now_s - since_s >= PATIENCE_S[kind]


def describe(look: Look, kind: str = "") -> Failure:
    """The failure of that kind; by default of the commonest trouble."""
    if kind == "refused" or (look.refusal and not look.pods):
        return Failure(what="the cluster refuses its pods", trouble=Trouble(kind="refused", reason=look.refusal))
    kinds = [pod.trouble.kind for pod in look.troubled if pod.trouble]
    if not kinds:
        return Failure(what="its pods did not become ready in time")
    kind = kind or Counter(kinds).most_common(1)[0][0]
    pods = [pod for pod in look.troubled if pod.trouble and pod.trouble.kind == kind]
    verb = _WORDS[kind] if len(pods) == 1 else _plural(_WORDS[kind])
    return Failure(
        what=f"{len(pods)} of {count(len(look.pods), 'pod')} {verb}", pod=pods[0].name, trouble=pods[0].trouble
    )


def _plural(verb: str) -> str:
    return verb.replace("crashes", "crash").replace("is ", "are ")


def explain(failure: Failure, *, ready: int, wanted: int) -> str:
    """For people: what, the cluster's own words, the last log lines, and what serves meanwhile."""
    lines = [f"the rollout failed: {failure.what}"]
    if failure.trouble:
        lines.append(f"  {failure.pod or 'pods'}: {failure.trouble.text}")
    lines += ["  last lines of its log:", *(f"    {line}" for line in failure.log)] if failure.log else []
    return "\n".join([*lines, serving(ready, wanted)])


def serving(ready: int, wanted: int) -> str:
    """`1 of 2 replicas is ready and goes on serving`"""
    if not ready:
        return f"none of {count(wanted, 'replica')} is ready: nothing serves now"
    return f"{ready} of {count(wanted, 'replica')} {'is' if ready == 1 else 'are'} ready and " + (
        "goes on serving" if ready == 1 else "go on serving"
    )
