"""The main job on one stack: preflight → preview → gate → apply → ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from breakeven import load, render
from breakeven.core.cost import offered_rents, project
from breakeven.core.cost_diff import NOTHING, cost_diff
from breakeven.core.live import Readiness, Target
from breakeven.core.plan import Plan
from breakeven.core.plan import plan as size
from breakeven.core.pod_counts import gpus_requested
from breakeven.core.preview import Preview, refuse_unpriced_gpus
from breakeven.engine import interrupt, preflight, stack, tools
from breakeven.engine.backend import Backend
from breakeven.engine.cluster import Cluster, connect
from breakeven.engine.lock import held, holder
from breakeven.engine.progress import OnProgress, Progress, silent
from breakeven.engine.stack import OnStep, Stack
from breakeven.engine.state import EMPTY, State
from breakeven.errors import ClusterError, DeployError

OnWait = Callable[[Readiness], None]

_WATCH_EVERY_S: Final = 5.0
_POLL_S: Final = 2.0


class Rollout:
    """A context manager: settings that were written for a preview are put back unless it was applied.

    Meanwhile no other `deploy` previews, applies or removes the same stack.
    """

    def __init__(self, plan: Plan, cluster: Cluster, backend: Backend, on_progress: OnProgress = silent) -> None:
        self._plan = plan
        self._cluster = cluster
        self._backend = backend
        self._stack: Stack | None = None
        self._former: bytes | None = None
        self._is_new = False
        self._claim = ExitStack()
        self._on_progress = on_progress

    def __enter__(self) -> Rollout:
        self._claim.enter_context(_alone(self._plan.stack, self._backend, self._on_progress))
        return self

    def __exit__(self, *_: object) -> None:
        with self._claim, interrupt.ignored():
            if self._stack and self._former is not None:
                self._stack.restore(self._former)
                if self._is_new:
                    self._stack.remove()

    def preview(self) -> Preview:
        """Raises ClusterError (preflight) or GateError (what would be applied is not what is priced)."""
        found = stack.find(self._plan.stack, self._backend)
        state = found.state if found else EMPTY
        _refuse_another_cluster(state, self._cluster.target)
        owns = self._owns_namespace(state)
        checks = preflight.check(self._plan, self._manifests(owns), self._cluster)
        preflight.refuse_failures(checks)
        opened = self._open(found)
        self._former = opened.configure(self._config(owns))
        changes = opened.preview()
        preflight.refuse_foreign(changes.created(state.begun), self._plan.namespace, self._cluster)
        projection = project(self._plan)
        preview = Preview(
            plan=self._plan,
            target=self._cluster.target,
            checks=tuple(checks),
            changes=changes,
            projection=projection,
            offered=offered_rents(self._plan, load.offers_of(self._plan.facts.profile)),
            # What was recorded and then deleted, or never came to be, costs nothing now.
            diff=cost_diff(state.cost if gpus_requested(changes.manifests_before) else NOTHING, projection),
            keeps_namespace=not owns,
        )
        refuse_unpriced_gpus(preview)
        return preview

    def apply(self, on_step: OnStep, on_wait: OnWait) -> None:
        """Apply what was previewed; from here on its settings are the stack's.

        The engine waits in silence for pods: `on_wait` is told meanwhile what the cluster says of them.
        Raises ClusterError if the context leads to another cluster than the one that was shown.
        """
        assert self._stack, "apply follows preview"
        _refuse_moved(self._cluster.target)
        self._former = None
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(done, on_wait), daemon=True)
        watcher.start()
        try:
            self._stack.up(on_step)
        finally:
            done.set()
            watcher.join()

    def _watch(self, done: threading.Event, on_wait: OnWait) -> None:
        told = ""
        while not done.wait(_WATCH_EVERY_S):
            with suppress(DeployError):
                readiness = _readiness(self._plan, self._cluster)
                if readiness.found and readiness.reason not in ("", told):
                    told = readiness.reason
                    on_wait(readiness)

    def wait_until_ready(self, on_wait: OnWait, timeout_s: float) -> Readiness:
        """Poll the cluster until the server is ready. Raises DeployError with the cluster's own reason."""
        deadline = time.monotonic() + timeout_s
        told: Readiness | None = None
        while True:
            readiness = _readiness(self._plan, self._cluster)
            if readiness.is_ready:
                return readiness
            if not readiness.found or time.monotonic() > deadline:
                waited = f" after {timeout_s:.0f} s" if readiness.found else ""
                raise DeployError(f"not ready{waited}: {readiness.reason}", hint="`deploy up` goes on with it")
            if readiness != told:
                on_wait(readiness)
            told = readiness
            time.sleep(_POLL_S)

    def _open(self, found: Stack | None) -> Stack:
        self._is_new = found is None
        self._stack = found or stack.create(self._plan.stack, self._backend)
        return self._stack

    def _manifests(self, owns_namespace: bool) -> list[render.Manifest]:
        """What the stack would own."""
        rendered = render.manifests(self._plan, tools.path("helm"))
        return [manifest for manifest in rendered if owns_namespace or manifest["kind"] != "Namespace"]

    def _owns_namespace(self, state: State) -> bool:
        """A namespace that was there before is used, but never managed: destroy would delete it with all it holds."""
        name = self._plan.namespace
        return state.owns_namespace(name) or self._cluster.get("v1", "Namespace", "", name) is None

    def _config(self, owns_namespace: bool) -> dict[str, object]:
        cluster = {**asdict(self._cluster.target), "owns_namespace": owns_namespace}
        return {"deployment": load.plain(self._plan.deployment), "cluster": cluster}


@contextmanager
def _alone(name: str, backend: Backend, on_progress: OnProgress) -> Iterator[None]:
    """Runs of `deploy` share the settings of a stack: one would apply what another previews."""
    path = backend.stack_directory(name).with_suffix(".lock")

    def say(elapsed_s: float) -> None:
        what = f"waiting for another `deploy` on stack {name} ({holder(path)})"
        on_progress(Progress(what=what, state="waiting", elapsed_s=elapsed_s))

    with held(path, say):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _refuse_moved(shown: Target) -> None:
    """The engine reads the kubeconfig anew; somebody may have edited it while the question was on the screen."""
    found = connect(Path(shown.kubeconfig), shown.context).target
    if found.identifier != shown.identifier:
        raise ClusterError(
            f"context {shown.context} led to {shown.server} and now leads to {found.server}, another cluster; "
            "nothing was applied",
            hint="run it again, and confirm the cluster that is shown",
        )


def _refuse_another_cluster(state: State, target: Target) -> None:
    recorded = state.outputs.get("cluster") or {}
    if recorded and recorded["identifier"] != target.identifier:
        raise ClusterError(
            f"this stack lives in another cluster, {recorded['server']} (context {recorded['context']}), "
            f"not in {target.server} (context {target.context})",
            hint="choose that context, or another --name for this cluster",
        )


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An existing stack as its inputs and its last apply left it, with its own cluster."""

    stack: Stack
    state: State
    cluster: Cluster
    plan: Plan
    backend: Backend

    def destroy(self, on_step: OnStep, on_progress: OnProgress) -> None:
        """Delete all that the stack made, and the stack."""
        if self.keeps_namespace and self.state.begun:
            raise DeployError(
                "an apply of this stack was killed while it made objects; they may be in no record, and would stay",
                hint="`deploy up` finishes it; destroy it then",
            )
        with _alone(self.plan.stack, self.backend, on_progress):
            self.stack.destroy(on_step)

    @property
    def keeps_namespace(self) -> bool:
        return not self.state.owns_namespace(self.plan.namespace)

    def readiness(self) -> Readiness:
        return _readiness(self.plan, self.cluster)


def find(name: str, backend: Backend) -> Recorded | None:
    """The stack of that name and the cluster that it was applied to; None where there is no such stack.

    Raises ClusterError if the recorded context now leads to another cluster.
    """
    opened = stack.find(name, backend)
    if opened is None:
        return None
    config = opened.config()
    where = config["cluster"]
    cluster = connect(Path(where["kubeconfig"]), where["context"])
    if cluster.target.identifier != where["identifier"]:
        raise ClusterError(
            f"context {where['context']} leads to {cluster.target.server}, which is not the cluster of this stack",
            hint="point the context back to the cluster that it was when the stack was applied",
        )
    deployment = load.deployment_from(config["deployment"], str(opened.settings_file))
    plan = size(deployment, load.facts(deployment))
    return Recorded(stack=opened, state=opened.state, cluster=cluster, plan=plan, backend=backend)


def _readiness(plan: Plan, cluster: Cluster) -> Readiness:
    return cluster.readiness(namespace=plan.namespace, name=plan.release, serverless=plan.facts.profile.is_serverless)
