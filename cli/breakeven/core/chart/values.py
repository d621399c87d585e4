"""All values of the chart. Each field of `Values` is a top-level key; the defaults are one A100 with Qwen/Qwen3-8B."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from breakeven.core.chart.autoscaler import Autoscaler
from breakeven.core.chart.exposure import Ingress, Route, Service
from breakeven.core.chart.fields import COUNT, Record, Text
from breakeven.core.chart.group import Group
from breakeven.core.chart.monitoring import Monitoring
from breakeven.core.chart.placement import Disruption, Labels, NodeTerm, Placement, PodMetadata
from breakeven.core.chart.security import ApiKey, HubToken, NetworkPolicy, ServiceAccount
from breakeven.core.chart.server import Engine, Image, Probes, Resources, Rollout, Serverless
from breakeven.core.chart.serving import ChatTemplate, Lora
from breakeven.core.chart.storage import WeightsVolume

_MODEL: Final = Text(
    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?",
    words="a model such as Qwen/Qwen3-8B",
    at_most=128,
)


def _no_budget() -> Disruption:
    """One server, which is the default, needs none."""
    return Disruption(enabled=False)


@dataclass(frozen=True, kw_only=True)
class Values(Record):
    model: Annotated[str, "Model to serve, as the Hugging Face hub spells it; it is also the served name", _MODEL] = (
        "Qwen/Qwen3-8B"
    )
    replicas: Annotated[
        int, "vLLM servers; with `serverless` the most that may run at once; of no effect with an autoscaler", COUNT
    ] = 1
    autoscaler: Annotated[Autoscaler, "Who decides how many servers run"] = field(default_factory=Autoscaler)
    image: Annotated[Image, "The image"] = field(default_factory=Image)
    engine: Annotated[Engine, "Arguments of vLLM"] = field(default_factory=Engine)
    hub_token: Annotated[HubToken, "The token of the Hugging Face hub"] = field(default_factory=HubToken)
    api_key: Annotated[ApiKey, "The key that clients must send"] = field(default_factory=ApiKey)
    weights: Annotated[WeightsVolume, "Where the weights come from, and where they lie"] = field(
        default_factory=WeightsVolume
    )
    group: Annotated[Group, "A server on several nodes"] = field(default_factory=Group)
    resources: Annotated[Resources, "What a pod needs: a server, or its part on one of several nodes"] = field(
        default_factory=Resources
    )
    node_selector_terms: Annotated[
        tuple[NodeTerm, ...],
        "Nodes that may run a server: terms of a required node affinity. One match is enough; none means any node",
    ] = ()
    placement: Annotated[Placement, "Further rules of placement"] = field(default_factory=Placement)
    pod_labels: Annotated[Labels, "Labels of the pods, for cost allocation"] = field(default_factory=dict)
    pod: Annotated[PodMetadata, "Further labels and annotations of the pods"] = field(default_factory=PodMetadata)
    probes: Annotated[Probes, "How the server's health is asked"] = field(default_factory=Probes)
    rollout: Annotated[Rollout, "How a change replaces the servers"] = field(default_factory=Rollout)
    disruption: Annotated[Disruption, "How many servers may be evicted at once"] = field(default_factory=_no_budget)
    network_policy: Annotated[NetworkPolicy, "Who may talk to whom"] = field(default_factory=NetworkPolicy)
    service: Annotated[Service, "The Service"] = field(default_factory=Service)
    service_account: Annotated[ServiceAccount, "The pods' account"] = field(default_factory=ServiceAccount)
    ingress: Annotated[Ingress, "The way in by an ingress controller"] = field(default_factory=Ingress)
    route: Annotated[Route, "The way in by a Gateway"] = field(default_factory=Route)
    serverless: Annotated[Serverless, "Scale to zero"] = field(default_factory=Serverless)
    monitoring: Annotated[Monitoring, "Metrics, alerts, dashboard, traces"] = field(default_factory=Monitoring)
    lora: Annotated[Lora, "LoRA adapters"] = field(default_factory=Lora)
    chat_template: Annotated[ChatTemplate, "How messages become a prompt"] = field(default_factory=ChatTemplate)
