"""What a deployment may choose of the chart: the section `chart` of deploy.yaml. Nothing that the plan decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from breakeven.core.chart.autoscaler import AutoscalerChoices
from breakeven.core.chart.exposure import Ingress, Route, Service
from breakeven.core.chart.fields import Record
from breakeven.core.chart.group import GroupChoices
from breakeven.core.chart.monitoring import MonitoringChoices
from breakeven.core.chart.placement import Disruption, Placement, PodMetadata
from breakeven.core.chart.security import ApiKey, NetworkPolicy, ServiceAccount
from breakeven.core.chart.server import ImageSource, ProbeChoices, RolloutChoices
from breakeven.core.chart.serving import ChatTemplate, LoraChoices


@dataclass(frozen=True, kw_only=True)
class ChartChoices(Record):
    image: Annotated[ImageSource, "Where the image is pulled from"] = field(default_factory=ImageSource)
    api_key: Annotated[ApiKey, "The key that clients must send"] = field(default_factory=ApiKey)
    group: Annotated[GroupChoices, "A server on several nodes"] = field(default_factory=GroupChoices)
    placement: Annotated[Placement, "Which nodes, and in which order"] = field(default_factory=Placement)
    pod: Annotated[PodMetadata, "Labels and annotations of the pods"] = field(default_factory=PodMetadata)
    probes: Annotated[ProbeChoices, "How the server's health is asked"] = field(default_factory=ProbeChoices)
    rollout: Annotated[RolloutChoices, "How a change replaces the servers"] = field(default_factory=RolloutChoices)
    disruption: Annotated[Disruption, "How many servers may be evicted at once"] = field(default_factory=Disruption)
    autoscaler: Annotated[AutoscalerChoices, "How the autoscaler of `scaling` reads metrics"] = field(
        default_factory=AutoscalerChoices
    )
    network_policy: Annotated[NetworkPolicy, "Who may talk to whom"] = field(default_factory=NetworkPolicy)
    service: Annotated[Service, "The Service"] = field(default_factory=Service)
    service_account: Annotated[ServiceAccount, "The pods' account"] = field(default_factory=ServiceAccount)
    ingress: Annotated[Ingress, "The way in by an ingress controller"] = field(default_factory=Ingress)
    route: Annotated[Route, "The way in by a Gateway"] = field(default_factory=Route)
    monitoring: Annotated[MonitoringChoices, "Metrics, alerts, dashboard, traces"] = field(
        default_factory=MonitoringChoices
    )
    lora: Annotated[LoraChoices, "LoRA adapters"] = field(default_factory=LoraChoices)
    chat_template: Annotated[ChatTemplate, "How messages become a prompt"] = field(default_factory=ChatTemplate)
