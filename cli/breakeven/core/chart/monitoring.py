"""What Prometheus, Grafana and a collector of traces are told. Nothing is rendered that is not asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from breakeven.core.chart.fields import SECONDS, Number, Record, Text
from breakeven.core.chart.placement import Labels

# vLLM sends by gRPC, which has no paths: /v1/traces is of a port that speaks HTTP (vllm/tracing/otel.py, 0.32.0).
_COLLECTOR: Final = Text(
    pattern=r"((https?|grpc)://[A-Za-z0-9._-]+(:[0-9]{1,5})?)?", words="an address without a path: http://host:4317"
)
_COMPARATOR: Final = Text(pattern=r"([A-Za-z0-9._-]+/[A-Za-z0-9._/:@-]+)?", words="an API's model such as openai/gpt-5")
_USD: Final = Text(pattern=r"([0-9]+(\.[0-9]+)?)?", words="USD such as 2.50")


def _grafana() -> Labels:
    return {"grafana_dashboard": "1"}


@dataclass(frozen=True, kw_only=True)
class ApiRate(Record):
    """What the same tokens would cost elsewhere, as `deploy cost` shows it. A stack does not follow its changes."""

    comparator: Annotated[str, "Model of an API; nothing is compared if empty", _COMPARATOR] = ""
    usd_per_million_input_tokens: Annotated[float, "Its price of a million input tokens", Number(at_least=0)] = 0.0
    usd_per_million_output_tokens: Annotated[float, "Its price of a million output tokens", Number(at_least=0)] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        priced = (self.usd_per_million_input_tokens > 0, self.usd_per_million_output_tokens > 0)
        if priced != (bool(self.comparator),) * 2:
            raise ValueError("comparator must be given with the prices of its input and output tokens, or none of them")


@dataclass(frozen=True, kw_only=True)
class MonitoringChoices(Record):
    pod_monitor: Annotated[bool, "A PodMonitor: the Prometheus operator scrapes the servers"] = False
    service_monitor: Annotated[
        bool, "A ServiceMonitor instead, for a Prometheus operator that is not told to look for PodMonitors"
    ] = False
    rules: Annotated[bool, "A PrometheusRule: the bill as series, and alerts"] = False
    dashboard: Annotated[bool, "A dashboard in a ConfigMap, for Grafana's sidecar"] = False
    interval_seconds: Annotated[int, "Seconds between two scrapes", SECONDS] = 15
    labels: Annotated[Labels, "Labels of monitors and PrometheusRule, by which the operator chooses them"] = field(
        default_factory=dict
    )
    dashboard_labels: Annotated[Labels, "Labels of the dashboard, by which Grafana's sidecar finds it"] = field(
        default_factory=_grafana
    )
    traces_endpoint: Annotated[
        str, "Collector that takes traces by OTLP over gRPC, usually at port 4317; none if empty", _COLLECTOR
    ] = ""
    api: Annotated[ApiRate, "The API to compare with"] = field(default_factory=ApiRate)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pod_monitor and self.service_monitor:
            raise ValueError("service_monitor must be left out with pod_monitor: every request would count twice")


@dataclass(frozen=True, kw_only=True)
class Monitoring(MonitoringChoices):
    """The same with the plan's figures."""

    usd_per_hour: Annotated[str, "The bill by the hour, as priced; unknown if empty", _USD] = ""
    ttft_seconds: Annotated[float, "Objective of the slowest of 100 first tokens; none if 0", Number(at_least=0)] = 2.0
    tpot_seconds: Annotated[float, "Objective of the usual pace of tokens; none if 0", Number(at_least=0)] = 0.05
    start_seconds: Annotated[int, "Longest time of a start", SECONDS] = 690
