"""The main job on one stack: preflight → preview → gate → apply → ready."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from breakeven import load, render
from breakeven.core.adoption import Adopted, chosen, shown, title
from breakeven.core.budget import Approval
from breakeven.core.changes import Changes
from breakeven.core.cost import offered_rents, project
from breakeven.core.cost_diff import cost_diff
from breakeven.core.live import Readiness, Target
from breakeven.core.manifests import Manifest
from breakeven.core.plan import Plan
from breakeven.core.pod_counts import gpus_requested
from breakeven.core.preview import Preview, refuse_unpriced_gpus
from breakeven.core.served import served, served_diff
from breakeven.engine import adoption, handover, interrupt, leftovers, preflight, stack, tools
from breakeven.engine.backend import Backend
from breakeven.engine.baseline import NO_BASELINE, baseline
from breakeven.engine.begun import Begun
from breakeven.engine.claim import alone
from breakeven.engine.cluster import Cluster, connect
from breakeven.engine.progress import OnProgress, silent
from breakeven.engine.stack import OnStep, Stack
from breakeven.engine.state import EMPTY, State
from breakeven.engine.watch import OnWait, Watch, until_ready
from breakeven.errors import ClusterError, DeployError, GateError


class Rollout:
    """A context manager: settings that were written for a preview are put back unless it was applied.

    Meanwhile no other `deploy` previews, applies or removes the same stack.
    """

    def __init__(
        self,
        plan: Plan,
        cluster: Cluster,
        backend: Backend,
        on_progress: OnProgress = silent,
        adopt: Sequence[str] = (),
    ) -> None:
        """`adopt` names objects, as KIND/NAME, that are taken over where they exist and are not the stack's."""
        self._adopt = adopt
        self._adopted: tuple[Adopted, ...] = ()
        self._taken: frozenset[str] = frozenset()
        self._created: tuple[Manifest, ...] = ()
        self._plan = plan
        self._cluster = cluster
        self._backend = backend
        self._stack: Stack | None = None
        self._inputs: dict[str, object] = {}
        self._shown = Changes(steps=())
        self._is_new = False
        self._claim = ExitStack()
        self._on_progress = on_progress

    def __enter__(self) -> Rollout:
        with ExitStack() as entered:
            entered.enter_context(interrupt.hearing_sigterm())
            entered.enter_context(alone(self._plan.stack, self._backend, self._on_progress))
            self._claim = entered.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._claim, interrupt.ignored():
            if self._stack:
                self._stack.undo(is_new=self._is_new)

    @property
    def target(self) -> Target:
        return self._cluster.target

    def preview(self) -> Preview:
        """Raises ClusterError (preflight) or GateError (what would be applied is not what is priced)."""
        found = stack.find(self._plan.stack, self._backend)
        state = found.state if found else EMPTY
        _refuse_another_cluster(state, self._cluster.target)
        owns = self._owns_namespace(state)
        manifests = self._manifests(owns)
        named = chosen(self._adopt, manifests)
        wanted = [each for each in named if not state.owns(each)]
        checks = preflight.check(self._plan, manifests, self._cluster, wanted)
        preflight.refuse_failures(checks)
        self._adopted = self._look(wanted)
        opened = self._open(found)
        self._inputs = self._config(owns, opened.adopted)
        opened.configure(self._inputs)
        self._shown = opened.preview()
        changes = shown(self._shown, self._adopted)
        self._taken = frozenset(step.urn for step in changes.steps if step.op == "adopt")
        self._created = changes.created(state.begun)
        self._refuse_foreign()
        projection = project(self._plan)
        # What was recorded and then deleted, or never came to be, costs nothing now.
        before = baseline(state) if gpus_requested(self._shown.manifests_before) else NO_BASELINE
        preview = Preview(
            plan=self._plan,
            target=self._cluster.target,
            checks=tuple(checks),
            changes=changes,
            projection=projection,
            offered=offered_rents(self._plan, load.offers_of(self._plan.facts.profile)),
            diff=cost_diff(before.today, projection),
            drift=cost_diff(before.recorded, before.today),
            serves=served_diff(before.serves, served(self._plan)),
            doubt=before.doubt,
            state=state.digest,
            keeps_namespace=not owns,
            adopt=tuple(title(each) for each in named),
            adopted=self._adopted,
        )
        refuse_unpriced_gpus(preview)
        return preview

    def apply(self, approval: Approval, on_step: OnStep, on_wait: OnWait) -> None:
        """Apply what was previewed and approved; from here on its settings are the stack's.

        The engine waits in silence for pods: `on_wait` is told meanwhile what the cluster says of them.
        Raises ClusterError if the context leads to another cluster than the one that was shown, RolloutFailed with the
        cluster's own reason if the pods do not become ready.
        """
        assert self._stack, "apply follows preview"
        _refuse_moved(self._cluster.target)
        self._refuse_foreign()
        self._refuse_changed()
        if approval.overridden:
            self._record(approval.overridden)
        for servers in self._shown.handed_over:
            handover.keep_replicas(servers, self._plan.namespace, self._cluster)
        begun = Begun(self._shown, self._plan.namespace)
        try:
            with Watch(self._plan, self._cluster, on_wait) as watch:
                self._stack.up(begun.telling(watch.telling(_naming(self._taken, on_step))))
        except DeployError:
            with interrupt.ignored():
                begun.record(self._stack, self._cluster)
            raise

    def _look(self, wanted: Iterable[Manifest]) -> tuple[Adopted, ...]:
        return adoption.look(wanted, self._plan.namespace, self._cluster)

    def _refuse_foreign(self) -> None:
        adoption.refuse_foreign(self._created, self._plan.namespace, self._cluster)

    def _refuse_changed(self) -> None:
        """The engine holds to its plan what it knows; of what it adopts it knows no more than what is wanted."""
        for before, now in zip(self._adopted, self._look(each.manifest for each in self._adopted), strict=True):
            if now != before:
                raise GateError(f"{now.title} was changed meanwhile; nothing was applied", hint="run it again")

    def _record(self, override: dict[str, object]) -> None:
        """The reason is one more output of the stack. The engine applies no outputs but those of a preview."""
        assert self._stack, "apply follows preview"
        self._stack.configure({**self._inputs, "budget_override": override})
        if not self._stack.preview().is_same(self._shown):
            raise GateError("the changes are other ones than were shown; nothing was applied", hint="run it again")

    def wait_until_ready(self, on_wait: OnWait, timeout_s: float) -> Readiness:
        """Poll the cluster until the server is ready. Raises RolloutFailed with the cluster's own reason."""
        return until_ready(self._plan, self._cluster, on_wait, timeout_s)

    def left_behind(self) -> str:
        return leftovers.describe(self._plan.stack, self._backend)

    def _open(self, found: Stack | None) -> Stack:
        self._is_new = found is None or found.is_blank
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

    def _config(self, owns_namespace: bool, adopted_before: Iterable[str]) -> dict[str, object]:
        cluster = {**asdict(self._cluster.target), "owns_namespace": owns_namespace}
        config: dict[str, object] = {"deployment": load.plain(self._plan.deployment), "cluster": cluster}
        adopted = sorted({*adopted_before, *(each.title for each in self._adopted)})
        return {**config, "adopted": adopted} if adopted else config


def _naming(taken: Collection[str], on_step: OnStep) -> OnStep:
    """The engine calls it a creation."""
    return lambda op, urn: on_step("adopt" if urn in taken else op, urn)


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
