"""How many replicas a deployment needs for its traffic, or was asked for."""

from __future__ import annotations

from math import ceil

from breakeven.core.candidates import Candidate
from breakeven.core.deployment import Deployment
from breakeven.core.hardware import Profile
from breakeven.core.scaling import Scaling
from breakeven.core.throughput import Capacity
from breakeven.errors import InputError


def replicas_of(
    deployment: Deployment, profile: Profile, chosen: Candidate, capacity: Capacity
) -> tuple[int, tuple[int, int]]:
    """How many are priced, and the fewest and the most that may run."""
    peak = _needed(deployment, deployment.workload.peak_requests_per_second, capacity)
    if profile.is_serverless:
        return _serverless_replicas(deployment, peak)
    if deployment.scaling:
        return _scaled_replicas(deployment, peak, capacity)
    fixed = deployment.replicas or _filling(deployment, chosen, peak)
    return fixed, (fixed, fixed)


def _filling(deployment: Deployment, chosen: Candidate, peak: int) -> int:
    """As many as fill the nodes that are asked for, or those that the peak needs."""
    if deployment.nodes and deployment.nodes % chosen.split.nodes:
        raise InputError(
            f"nodes {deployment.nodes:,} is no multiple of nodes_per_replica {chosen.split.nodes}: some would be idle",
            hint="give --replicas instead",
        )
    fills = deployment.nodes // chosen.split.nodes if deployment.nodes else ceil(peak / chosen.replicas)
    return fills * chosen.replicas


def _needed(deployment: Deployment, requests_per_second: float, capacity: Capacity) -> int:
    headroom = deployment.headroom
    served = capacity.requests_per_second * headroom.target_utilisation
    return ceil(requests_per_second / served) + headroom.spare_replicas


def _serverless_replicas(deployment: Deployment, peak: int) -> tuple[int, tuple[int, int]]:
    scaling = deployment.scaling or Scaling()
    most = deployment.replicas or deployment.nodes or scaling.max_replicas or max(peak, scaling.min_replicas)
    return most, (scaling.min_replicas, most)


def _scaled_replicas(deployment: Deployment, peak: int, capacity: Capacity) -> tuple[int, tuple[int, int]]:
    """An autoscaler on rented nodes: as many as the mean traffic needs, between its bounds."""
    scaling = deployment.scaling or Scaling()
    least = max(scaling.min_replicas, 0 if deployment.chart.autoscaler.wakes else 1)
    most = scaling.max_replicas or max(peak, least, 1)
    mean = _needed(deployment, deployment.workload.mean_requests_per_second, capacity)
    return min(max(mean, least), most), (least, most)
