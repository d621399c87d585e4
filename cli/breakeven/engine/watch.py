"""A look at the cluster while the engine waits: an apply that fails for good ends with its reason, not at its deadline.

The engine (3.259.0 with provider 4.25.0) waits for a Deployment in silence, for as long as its model may load, and
then says that it has no minimum availability.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

from breakeven.core import outcome
from breakeven.core.live import Readiness
from breakeven.core.outcome import Failure, Judge
from breakeven.core.plan import Plan
from breakeven.engine import interrupt, pods
from breakeven.engine.cluster import API_VERSIONS, Cluster
from breakeven.errors import DeployError

OnWait = Callable[[Readiness], None]
OnStep = Callable[[str, str], None]

_LOOK_EVERY_S: Final = 3.0
_POLL_S: Final = 2.0
_WORKLOADS: Final = {f"kubernetes:{version}:{kind}" for kind, version in API_VERSIONS.items()}
_HINT: Final = (
    "`deploy status` shows its pods; after the cure `deploy up` goes on with it, "
    "and `deploy up --rollback` returns to the last good plan"
)


class RolloutFailed(DeployError):
    """The apply was made, and its pods do not serve. What was applied stays, and is in the state."""


class Watch:
    """A context manager around the engine's `up`, whose steps it must be told: before the engine has come to the
    servers, their pods are those of the last apply, and may be what this one cures.

    Raises RolloutFailed with the cluster's own reason where the engine fails, or would.
    """

    def __init__(self, plan: Plan, cluster: Cluster, on_wait: OnWait) -> None:
        self._plan = plan
        self._cluster = cluster
        self._on_wait = on_wait
        self._begun = threading.Event()
        self._done = threading.Event()
        self._failure: Failure | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        if kind is None:
            return
        # Other kinds of error say themselves what is wrong.
        if self._failure is None and kind is DeployError and self._begun.is_set():
            self._failure = _troubled(self._plan, self._cluster)
        if self._failure:
            raise _failed(self._failure, self._plan, self._cluster) from error

    def telling(self, on_step: OnStep) -> OnStep:
        """`on_step`, heard by the watch as well."""

        def heard(op: str, urn: str) -> None:
            on_step(op, urn)
            if urn.split("::")[-2].rsplit("$", 1)[-1] in _WORKLOADS:
                self._begun.set()

        return heard

    def _watch(self) -> None:
        judge, told = Judge(), ""
        while not self._done.wait(_LOOK_EVERY_S):
            # A cluster that does not answer for a moment says nothing of the rollout.
            with suppress(DeployError):
                told = self._tell(told)
                if self._begun.is_set() and self._failure is None:
                    self._failure = judge.failure(pods.look(self._plan, self._cluster), time.monotonic())
                    if self._failure:
                        interrupt.stop_engine()

    def _tell(self, told: str) -> str:
        readiness = pods.readiness(self._plan, self._cluster)
        if readiness.found and readiness.reason not in ("", told):
            self._on_wait(readiness)
            return readiness.reason
        return told


def until_ready(plan: Plan, cluster: Cluster, on_wait: OnWait, timeout_s: float) -> Readiness:
    """Poll until the server is ready. Raises RolloutFailed with the cluster's own reason."""
    deadline, judge = time.monotonic() + timeout_s, Judge()
    told: Readiness | None = None
    while True:
        readiness = pods.readiness(plan, cluster)
        if readiness.is_ready:
            return readiness
        if not readiness.found:
            raise RolloutFailed(f"not ready: {readiness.reason}", hint=_HINT)
        failure = judge.failure(pods.look(plan, cluster), time.monotonic())
        if failure is None and time.monotonic() > deadline:
            failure = outcome.describe(pods.look(plan, cluster))
        if failure:
            raise _failed(failure, plan, cluster)
        if readiness != told:
            on_wait(readiness)
        told = readiness
        time.sleep(_POLL_S)


def _troubled(plan: Plan, cluster: Cluster) -> Failure | None:
    """Why an apply that the engine gave up failed; None where it was not for the pods."""
    with suppress(DeployError):
        look = pods.look(plan, cluster)
        return outcome.describe(look) if look.troubled or look.refusal else None
    return None


def _failed(failure: Failure, plan: Plan, cluster: Cluster) -> RolloutFailed:
    ready, wanted = 0, plan.replicas
    with suppress(DeployError):
        failure = pods.explained(failure, plan, cluster)
        readiness = pods.readiness(plan, cluster)
        ready, wanted = readiness.ready, readiness.wanted
    return RolloutFailed(outcome.explain(failure, ready=ready, wanted=wanted), hint=_HINT)
