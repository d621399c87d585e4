"""Which fields of a pod Knative has to be told to allow: its ConfigMap knative-serving/config-features.

https://knative.dev/docs/serving/configuration/feature-flags/
"""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.storage import Weights


def features(weights: Weights, chart: ChartChoices) -> tuple[str, ...]:
    """In the order of their names' importance: what every deployment needs first."""
    return tuple(f"kubernetes.podspec-{name}" for name in ("affinity", "tolerations", *_chosen(weights, chart)))


def _chosen(weights: Weights, chart: ChartChoices) -> Iterator[str]:
    if weights.storage == "pvc" or weights.compile_cache_claim:
        yield from ("persistent-volume-claim", "persistent-volume-write", "securitycontext")
    if weights.storage == "image":
        yield "volumes-image"
    if weights.download:
        yield "init-containers"
    placement = chart.placement
    for name, value in (
        ("nodeselector", placement.node_selector),
        ("runtimeclassname", placement.runtime_class),
        ("priorityclassname", placement.priority_class),
        ("topologyspreadconstraints", placement.spread),
    ):
        if value:
            yield name
