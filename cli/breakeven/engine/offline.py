"""A preview without the cluster: what is rendered, beside what the stack's state recorded at its last apply."""

from __future__ import annotations

from breakeven import load, render
from breakeven.core import manifest_diff
from breakeven.core.cost import offered_rents, project
from breakeven.core.cost_diff import cost_diff
from breakeven.core.live import NOWHERE, Target
from breakeven.core.plan import Plan
from breakeven.core.pod_counts import gpus_requested
from breakeven.core.preview import Preview, refuse_unpriced_gpus
from breakeven.core.served import served, served_diff
from breakeven.engine import preflight, stack, tools
from breakeven.engine.backend import Backend
from breakeven.engine.baseline import NO_BASELINE, baseline
from breakeven.engine.state import EMPTY, State


def preview(plan: Plan, backend: Backend) -> Preview:
    """Raises GateError where what is rendered is not what is priced."""
    found = stack.find(plan.stack, backend)
    state = found.state if found else EMPTY
    # Whether a namespace is there already, only the cluster knows: one that a new stack would use may be.
    keeps = bool(state.objects) and not state.owns_namespace(plan.namespace)
    rendered = [
        each for each in render.manifests(plan, tools.path("helm")) if not (keeps and each["kind"] == "Namespace")
    ]
    projection = project(plan)
    before = baseline(state) if gpus_requested(state.objects) else NO_BASELINE
    shown = Preview(
        plan=plan,
        target=_recorded(state),
        checks=tuple(preflight.offline(rendered)),
        changes=manifest_diff.changes(state.objects, rendered),
        projection=projection,
        offered=offered_rents(plan, load.offers_of(plan.facts.profile)),
        diff=cost_diff(before.today, projection),
        drift=cost_diff(before.recorded, before.today),
        serves=served_diff(before.serves, served(plan)),
        doubt=before.doubt,
        state=state.digest,
        keeps_namespace=keeps,
        is_offline=True,
    )
    refuse_unpriced_gpus(shown)
    return shown


def _recorded(state: State) -> Target:
    """Where the stack lives, as far as its state says."""
    recorded = state.outputs.get("cluster") or {}
    names = ("kubeconfig", "context", "server", "identifier")
    return Target(**{name: str(recorded[name]) for name in names}) if recorded else NOWHERE
