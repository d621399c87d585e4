"""Who decides how many servers run at a time: an autoscaler that reads vLLM's own metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from breakeven.core.chart.fields import COUNT, Number, Record, Text

_URL: Final = Text(
    pattern=r"(https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?)?", words="http:// or https:// with a host"
)
_QUERY: Final = Text(pattern=r"([^\r\n]*[^\r\n\s][^\r\n]*)?", words="PromQL in one line", at_most=1000)
# vLLM's metrics, and what the rules record of them.
GONE_WITH_THE_SERVERS: Final = "(vllm|breakeven):"


@dataclass(frozen=True, kw_only=True)
class AutoscalerChoices(Record):
    """How an autoscaler gets vLLM's metrics. It exists where the deployment has `scaling`."""

    kind: Annotated[
        Literal["hpa", "keda"],
        "hpa: a HorizontalPodAutoscaler, which prometheus-adapter gives the metrics; keda: a ScaledObject of KEDA, "
        "which asks Prometheus itself",
    ] = "hpa"
    prometheus_url: Annotated[str, "Address of Prometheus, for keda", _URL] = ""
    wake_query: Annotated[
        str,
        "PromQL of a metric that is there without a server, such as a gateway's requests: above 0 it starts the first "
        "one. With it, and keda, zero servers may run",
        _QUERY,
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind == "keda" and not self.prometheus_url:
            raise ValueError("prometheus_url must be given with kind keda")
        if self.kind == "hpa" and (self.prometheus_url or self.wake_query):
            raise ValueError("kind must be keda for prometheus_url and wake_query: an HPA asks no Prometheus")

        if re.search(GONE_WITH_THE_SERVERS, self.wake_query):
            raise ValueError(
                "wake_query must be of a metric that is there without a server, such as a gateway's: vLLM's own are "
                f"gone with the last one, got {self.wake_query!r}"
            )

    @property
    def wakes(self) -> bool:
        """Something starts the first server."""
        return bool(self.wake_query)


@dataclass(frozen=True, kw_only=True)
class Autoscaler(Record):
    kind: Annotated[
        Literal["", "hpa", "keda"], "hpa: by prometheus-adapter; keda: by KEDA; if empty, `replicas` servers run"
    ] = ""
    prometheus_url: Annotated[str, "Address of Prometheus, for keda", _URL] = ""
    wake_query: Annotated[str, "PromQL that starts the first server when it is above 0, for keda", _QUERY] = ""
    min_replicas: Annotated[int, "Fewest servers; 0 needs wakeQuery", Number(at_least=0)] = 1
    max_replicas: Annotated[int, "Most servers", COUNT] = 1
    requests_per_server: Annotated[int, "Requests at once of each server, on average; more start another", COUNT] = 126
    scale_up_seconds: Annotated[
        int,
        "Seconds in which the servers may double: those that start answer nothing yet",
        Number(at_least=1, at_most=1800),
    ] = 323
    scale_down_seconds: Annotated[
        int, "Seconds that a server must have been too many before it goes", Number(at_least=0, at_most=3600)
    ] = 323
