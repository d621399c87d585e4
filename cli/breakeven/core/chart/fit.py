"""What a deployment chose of the chart, held against its plan: refused here, before anything is rendered."""

from __future__ import annotations

from typing import Final

from breakeven.core.chart.autoscaler import AutoscalerChoices
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.group import GroupChoices
from breakeven.core.chart.serving import ON_VOLUME
from breakeven.core.chart.storage import Weights
from breakeven.errors import InputError

_ADAPTERS: Final = ("chart", "lora", "adapters")


def overlapping(weights: Weights, chart: ChartChoices, *, serverless: bool) -> str:
    """Why a second pod mounts the claim although there is one replica; empty if none does."""
    if weights.download:
        return "the Job that downloads uses it too"
    if serverless:
        return "the next revision starts while the last one still runs"
    return "with strategy start-first two servers overlap" if chart.rollout.strategy == "start-first" else ""


def require_fit(
    weights: Weights, chart: ChartChoices, *, model: str, replicas: int, nodes: int, serverless: bool, scaled: bool
) -> None:
    """Raises InputError for a claim that cannot be shared, for what Knative does by itself, and for adapters that vLLM
    would not load.
    """
    pods = f"{replicas} replicas share it" if nodes == 1 else f"{replicas * nodes} pods share it"
    why = pods if replicas * nodes > 1 else overlapping(weights, chart, serverless=serverless)
    if weights.access_mode == "ReadWriteOnce" and why:
        raise InputError(
            f"ReadWriteOnce: one node holds the claim, but {why}; another pod would wait for ever",
            key=("weights", "access_mode"),
            hint="use access_mode ReadWriteMany with a storage_class that can share, or storage ephemeral: a claim of "
            "each replica",
        )
    if serverless:
        _require_fit_for_knative(weights, chart)
    if nodes > 1 and chart.placement.spread:
        raise InputError(
            f"chart.placement.spread is not for a server on {nodes} nodes, whose pods belong together",
            hint="leave it out; chart.placement.node_selector keeps them in one zone",
        )
    if nodes == 1 and chart.group != GroupChoices():
        raise InputError(
            "chart.group is for a server on several nodes",
            hint="give engine.nodes_per_replica, or leave chart.group out",
        )
    _require_names(model, chart)
    _require_sources(weights, chart)
    if chart.autoscaler != AutoscalerChoices() and (serverless or not scaled):
        raise InputError(
            "is for a deployment with `scaling` on a profile of nodes",
            key=("chart", "autoscaler"),
            hint="give scaling: {max_replicas: …}, or leave chart.autoscaler out; Knative scales a serverless profile",
        )


def _require_fit_for_knative(weights: Weights, chart: ChartChoices) -> None:
    for key, enabled in (
        ("ingress", chart.ingress.enabled),
        ("route", chart.route.enabled),
        ("network_policy", chart.network_policy.enabled),
    ):
        if enabled:
            raise InputError(
                "is not for a serverless profile, whose requests come through Knative's own gateway",
                key=("chart", key),
                hint="configure that gateway, or choose a profile that is not serverless",
            )
    if chart.monitoring.service_monitor:
        raise InputError(
            "is not for a serverless profile: its Services are Knative's",
            key=("chart", "monitoring", "service_monitor"),
            hint="use pod_monitor",
        )
    if weights.storage == "ephemeral":
        raise InputError(
            "ephemeral is not for a serverless profile: Knative has no such volume",
            key=("weights", "storage"),
            hint="use storage pvc, image, bucket or emptyDir",
        )


def _require_names(model: str, chart: ChartChoices) -> None:
    """vLLM would end at its start, once the model is loaded (entrypoints/openai/models/serving.py, 0.32.0)."""
    if model in {adapter.name for adapter in chart.lora.adapters}:
        raise InputError(
            f"{model} is the model's own name",
            key=_ADAPTERS,
            hint="give the adapter another name, by which clients ask for it",
        )


def _require_sources(weights: Weights, chart: ChartChoices) -> None:
    """An adapter lies where the servers can get it."""
    for adapter in chart.lora.adapters:
        on_volume = adapter.source.startswith(ON_VOLUME)
        if on_volume and not (weights.claim or weights.image):
            raise InputError(
                f"{adapter.source} is on no volume: a new one is empty",
                key=_ADAPTERS,
                hint="give weights.claim or weights.image, which hold the adapter, or name it on the hub",
            )
        if not on_volume and not weights.from_hub:
            raise InputError(
                f"{adapter.source} is on the hub, which these servers do not ask",
                key=_ADAPTERS,
                hint="put it on the weights' volume and give its folder below /weights",
            )
