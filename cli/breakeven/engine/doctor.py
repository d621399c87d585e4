"""Is this machine, and the cluster, ready for an apply?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Final

from breakeven import load, resources
from breakeven.core.live import Check
from breakeven.core.units import count
from breakeven.engine import session, tools
from breakeven.engine.cluster import Cluster
from breakeven.engine.preflight import gpus
from breakeven.errors import DeployError

# All programs with Go's module and build caches, as measured: 1 GB of programs, 4.5 GB of modules, 2.5 GB of builds.
_BUILD_GB: Final = 8


def examine(where: session.Where) -> list[Check]:
    """Every check, whatever the others say."""
    return [*_machine(), *_programs(), *_cluster(where)]


def _machine() -> Iterator[Check]:
    directory = resources.cache_dir()
    existing = next(parent for parent in (directory, *directory.parents) if parent.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    detail = f"{free_gb:.0f} GB free at {existing}"
    if free_gb >= _BUILD_GB:
        yield Check(name="Disk", status="pass", detail=detail)
    else:
        fix = f"building the programs takes about {_BUILD_GB} GB"
        yield Check(name="Disk", status="warn", detail=detail, fix=fix)


def _programs() -> Iterator[Check]:
    for record in tools.report():
        if record.path:
            yield Check(name=record.program, status="pass", detail=f"{record.version}, {record.origin}: {record.path}")
        else:
            fix = "deploy tools --build"
            yield Check(name=record.program, status="warn", detail=f"{record.version} is not built yet", fix=fix)


def _cluster(where: session.Where) -> Iterator[Check]:
    try:
        cluster = session.cluster_of(where)
        target = cluster.target
        detail = f"{target.server}, Kubernetes {cluster.version} (context {target.context})"
        yield Check(name="Cluster", status="pass", detail=detail)
        yield from _accelerators(cluster)
    except DeployError as error:
        yield Check(name="Cluster", status="fail", detail=str(error), fix=error.hint)


def _accelerators(cluster: Cluster) -> Iterator[Check]:
    """Which profiles find nodes here."""
    nodes = cluster.list("/api/v1/nodes")
    for profile in load.profiles().values():
        each = [gpus.allocatable_gpus(node) for node in gpus.accepted(nodes, profile.placement)]
        suited = [found for found in each if found >= profile.gpus_per_node]
        detail = f"{count(len(suited), 'node')} with {count(profile.gpus_per_node, 'GPU')} or more"
        yield Check(name=f"Nodes for {profile.name}", status="pass" if suited else "warn", detail=detail)
