"""The local rehearsal cluster: its life, and its GPU nodes.

What is real in it: the API server with admission, RBAC and quota, the scheduler and the controllers. What is
simulated (by KWOK): nodes, containers, volumes, addresses of Ingresses, and Knative's controllers.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven import resources
from breakeven.core.hardware import Accelerator, Profile
from breakeven.core.local import SandboxStatus
from breakeven.engine import processes, sandbox_groups, sandbox_nodes, tools
from breakeven.engine.lock import held
from breakeven.engine.progress import OnProgress, Progress, silent
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import ToolError

MODULES: Final = ("kube", "knative-crds")

_NODES_READY_S: Final = 60
_USUAL_START_S: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox. `directory` goes away with it, and whatever else was put there."""

    kubeconfig: Path
    context: str
    directory: Path


def modules(*, groups: bool) -> tuple[str, ...]:
    """What has to be built for it."""
    return (*MODULES, sandbox_groups.MODULE) if groups else MODULES


def up(
    profile: Profile, accelerator: Accelerator, nodes: int, *, groups: bool = False, progress: OnProgress = silent
) -> Sandbox:
    """Start the sandbox if it is not running, and see to `nodes` ready nodes of the profile. Removes nothing.

    With `groups` LeaderWorkerSets have their controller.

    Raises ToolError.
    """
    tools.require(*modules(groups=groups), progress=progress)
    cluster = _cluster()
    with held(_lock(), _waiting(progress)):
        if not (cluster.is_running and _furnished(cluster).is_file()):
            with _step("starting the sandbox", progress):
                _start(cluster)
        _add_nodes(cluster, profile, accelerator, nodes)
        if groups:
            sandbox_groups.start(cluster)
    return _sandbox(cluster)


def down() -> bool:
    """Stop the sandbox and remove it with everything in its directory. Whether there was one."""
    cluster = _cluster()
    with held(_lock(), lambda elapsed_s: None):
        existed = cluster.directory.exists()
        if not cluster.kill():
            raise ToolError("a process of the sandbox does not end", hint=f"see `ps`, then remove {cluster.directory}")
        if existed:
            shutil.rmtree(cluster.directory)
        _lock().unlink()
    with suppress(OSError):  # others' state may lie there
        resources.state_dir().rmdir()
    return existed


def current() -> Sandbox | None:
    """The sandbox, if it is running."""
    cluster = _cluster()
    return _sandbox(cluster) if cluster.exists and cluster.is_running else None


def status() -> SandboxStatus | None:
    """None where there is no sandbox."""
    cluster = _cluster()
    if not cluster.exists:
        return None
    running = cluster.is_running
    return SandboxStatus(
        running=running,
        server=cluster.server,
        kubeconfig=cluster.kubeconfig,
        directory=cluster.directory,
        pools=sandbox_nodes.pools(cluster.nodes()) if running else (),
    )


def _cluster() -> ControlPlane:
    # Resolved, since processes are recognised by this path.
    return ControlPlane(directory=resources.state_dir().resolve() / "sandbox")


def _lock() -> Path:
    """Beside the directory, so that it can be held while that is removed."""
    return _cluster().directory.with_suffix(".lock")


def _furnished(cluster: ControlPlane) -> Path:
    """Marks that CRDs and Stages are in the cluster."""
    return cluster.directory / "furnished"


def _sandbox(cluster: ControlPlane) -> Sandbox:
    return Sandbox(kubeconfig=cluster.kubeconfig, context=cluster.context, directory=cluster.directory)


def _start(cluster: ControlPlane) -> None:
    cluster.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    cluster.directory.chmod(0o700)
    if not cluster.exists:
        cluster.create()
    elif not cluster.is_running:
        cluster.restart()
    cluster.furnish()
    _furnished(cluster).touch()


def _add_nodes(cluster: ControlPlane, profile: Profile, accelerator: Accelerator, count: int) -> None:
    wanted = set(sandbox_nodes.names(profile, count))
    ready = {node["metadata"]["name"]: sandbox_nodes.is_ready(node) for node in cluster.nodes()}
    missing = sorted(wanted - ready.keys())
    if missing:
        cluster.apply(sandbox_nodes.node(name, profile, accelerator) for name in missing)

    def all_ready() -> bool:
        return wanted <= {item["metadata"]["name"] for item in cluster.nodes() if sandbox_nodes.is_ready(item)}

    if not all(ready.get(name) for name in wanted) and not processes.wait_for(all_ready, _NODES_READY_S):
        raise ToolError(
            f"the sandbox's nodes did not become ready in {_NODES_READY_S} s",
            hint=f"look into {cluster.directory}/kwok, or start anew with `deploy sandbox down`",
        )


@contextmanager
def _step(what: str, progress: OnProgress) -> Iterator[None]:
    started = time.monotonic()
    progress(Progress(what=what, state="started", usual_s=_USUAL_START_S))
    yield
    progress(Progress(what=what, state="done", elapsed_s=time.monotonic() - started, usual_s=_USUAL_START_S))


def _waiting(progress: OnProgress) -> Callable[[float], None]:
    def say(elapsed_s: float) -> None:
        what = "waiting for another process that changes the sandbox"
        progress(Progress(what=what, state="waiting", elapsed_s=elapsed_s))

    return say
