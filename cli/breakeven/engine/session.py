"""Which cluster and which state a run works on: a real cluster's, or the sandbox's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from breakeven import __version__
from breakeven.core.history import Apply
from breakeven.core.live import Holder
from breakeven.core.local import MOST_SANDBOX_NODES
from breakeven.core.plan import Plan
from breakeven.core.preview import Preview
from breakeven.core.saved_plan import Versions
from breakeven.engine import holders, sandbox, tools
from breakeven.engine import offline as offline_engine
from breakeven.engine.backend import Backend, backend
from breakeven.engine.cluster import Cluster, connect
from breakeven.engine.progress import OnProgress
from breakeven.engine.recorded import Recorded, find
from breakeven.engine.rollout import Rollout
from breakeven.engine.workspace import PROJECT
from breakeven.errors import ClusterError, DeployError, InputError


@dataclass(frozen=True, kw_only=True)
class Where:
    """The user's choice of a cluster."""

    kubeconfig: Path | None
    context: str | None
    sandbox: bool

    def __post_init__(self) -> None:
        if self.sandbox and (self.kubeconfig or self.context):
            raise InputError("--sandbox brings its own cluster: leave out --kubeconfig and --context")


def begin(plan: Plan, where: Where, on_progress: OnProgress, adopt: Sequence[str] = ()) -> Rollout:
    """Find or build the programs, reach (or start) the cluster, and be ready to preview."""
    cluster, state = _in_sandbox(plan, on_progress) if where.sandbox else _in_cluster(where, on_progress)
    return Rollout(plan, cluster, state, on_progress, adopt)


def _in_cluster(where: Where, on_progress: OnProgress) -> tuple[Cluster, Backend]:
    # A cluster that cannot be reached is said at once, before minutes of building.
    cluster = connect(where.kubeconfig, where.context)
    tools.require("pulumi", "provider", "helm", progress=on_progress)
    return cluster, backend(None)


def _in_sandbox(plan: Plan, on_progress: OnProgress) -> tuple[Cluster, Backend]:
    # So is a plan that is too large to rehearse.
    if plan.nodes > MOST_SANDBOX_NODES:
        raise InputError(
            f"{plan.nodes:,} nodes are too many for the sandbox, which takes up to {MOST_SANDBOX_NODES}",
            hint="rehearse with fewer replicas; `deploy cost` prices any number",
        )
    groups = plan.runs_as == "LeaderWorkerSet"
    tools.require("pulumi", "provider", "helm", *sandbox.modules(groups=groups), progress=on_progress)
    started = sandbox.up(plan.facts.profile, plan.facts.accelerator, plan.nodes, groups=groups, progress=on_progress)
    return connect(started.kubeconfig, started.context), backend(started.directory)


def versions() -> Versions:
    """Of what previews and applies; the programs are there once a run has begun."""
    provider = tools.version("pulumi-resource-kubernetes")
    return Versions(breakeven=__version__, pulumi=tools.version("pulumi"), provider=provider)


def offline(plan: Plan, *, in_sandbox: bool, on_progress: OnProgress) -> Preview:
    """A preview from the state alone. Raises GateError where what is rendered is not what is priced."""
    # A sandbox that does not run is said at once, too.
    state = _existing_backend(in_sandbox)
    tools.require("pulumi", "provider", "helm", progress=on_progress)
    return offline_engine.preview(plan, state)


def recorded(name: str, *, in_sandbox: bool, on_progress: OnProgress) -> Recorded:
    """An existing stack. Raises DeployError where there is none of that name."""
    state = _existing_backend(in_sandbox)
    tools.require("pulumi", "provider", progress=on_progress)
    found = find(name, state)
    if found is None:
        where = " in the sandbox" if in_sandbox else ""
        elsewhere = "" if in_sandbox else "; --sandbox looks in the sandbox"
        raise DeployError(f"there is no stack {name!r}{where}", hint=f"`deploy up` makes one{elsewhere}")
    return found


def rolling_back(name: str, where: Where, on_progress: OnProgress) -> tuple[Apply, Plan, Where]:
    """The last good apply of a stack, its plan, and the stack's own cluster unless another one is named."""
    found = recorded(name, in_sandbox=where.sandbox, on_progress=on_progress)
    apply, plan = found.last_good()
    if not (where.sandbox or where.kubeconfig or where.context):
        target = found.cluster.target
        where = Where(kubeconfig=Path(target.kubeconfig), context=target.context, sandbox=False)
    return apply, plan, where


def unlock(stack: str, *, in_sandbox: bool, confirm: Callable[[Iterable[Holder]], None]) -> tuple[Holder, ...]:
    """See `holders.unlock`. Needs neither the engine nor, outside the sandbox, a cluster."""
    return holders.unlock(stack, PROJECT, _existing_backend(in_sandbox), confirm)


def _existing_backend(in_sandbox: bool) -> Backend:
    if not in_sandbox:
        return backend(None)
    return backend(_running_sandbox().directory)


def cluster_of(where: Where) -> Cluster:
    """The chosen cluster, for a look at it."""
    if not where.sandbox:
        return connect(where.kubeconfig, where.context)
    running = _running_sandbox()
    return connect(running.kubeconfig, running.context)


def _running_sandbox() -> sandbox.Sandbox:
    running = sandbox.current()
    if running is None:
        raise ClusterError("the sandbox is not running", hint="deploy sandbox up")
    return running
