"""The cluster as it was found: which one, what was checked, what is ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, kw_only=True)
class Target:
    """One cluster, by file and context; never the file's contents, which would lie in the state in plaintext.

    `identifier` is the UID of the kube-system namespace: the same cluster under whatever address.
    """

    kubeconfig: str
    context: str
    server: str
    identifier: str


@dataclass(frozen=True, kw_only=True)
class StackCluster:
    """A cluster as a stack's configuration names it. `owns_namespace`: the namespace is made, and goes, with it."""

    kubeconfig: str
    context: str
    identifier: str
    owns_namespace: bool
    server: str = ""


NOWHERE: Final = Target(kubeconfig="", context="", server="", identifier="")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at before an apply. `fix` is the next step where the status is not "pass"."""

    name: str
    status: Literal["pass", "warn", "fail"]
    detail: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who made a lock on a stack, and when. Of another machine's processes nobody here can tell whether they live."""

    user: str
    host: str
    pid: int
    since: str
    process: Literal["alive", "gone", "elsewhere"]


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Live state of one stack's servers. `reason` says why they are not ready, as far as the cluster tells."""

    found: bool
    ready: int
    wanted: int
    gpus: int
    reason: str = ""

    @property
    def is_ready(self) -> bool:
        """One that was scaled to nothing by hand serves nobody."""
        return self.found and 0 < self.wanted <= self.ready


@dataclass(frozen=True, kw_only=True)
class Health:
    """What the endpoint answers to GET /health. "unknown": it was not asked, and `detail` says why."""

    status: Literal["ok", "failing", "simulated", "unknown"]
    detail: str
