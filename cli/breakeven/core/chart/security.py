"""Secrets by reference, who may talk to whom, and the pods' account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from breakeven.core.chart.fields import NAME, SECRET_KEY, Number, Record, Text
from breakeven.core.chart.placement import Annotations, Labels

_CIDR: Final = Text(pattern=r"[0-9a-fA-F.:]+/[0-9]{1,3}", words="a range of addresses such as 10.0.0.0/8")
_NAMESPACE: Final = Text(pattern=r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?", words="the name of a namespace")


@dataclass(frozen=True, kw_only=True)
class HubToken(Record):
    secret_name: Annotated[
        str, "Name of the Secret that holds the Hugging Face token, for gated models; none if empty", NAME
    ] = ""
    secret_key: Annotated[str, "Key of the token in that Secret", SECRET_KEY] = "token"


@dataclass(frozen=True, kw_only=True)
class ApiKey(Record):
    """Clients must send it as bearer token to /v1; vLLM leaves other paths open: see networkPolicy, ingress, route."""

    secret_name: Annotated[str, "Name of the Secret that holds the API key; none if empty", NAME] = ""
    secret_key: Annotated[str, "Key of the API key in that Secret", SECRET_KEY] = "api-key"


@dataclass(frozen=True, kw_only=True)
class Peer(Record):
    """Pods of a namespace."""

    namespace: Annotated[str, "Their namespace; the release's if empty", _NAMESPACE] = ""
    pod_labels: Annotated[Labels, "Labels that they have; any pod of the namespace if empty"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class Destination(Record):
    """Addresses that the pods may connect to."""

    cidr: Annotated[str, "Range of addresses", _CIDR]
    port: Annotated[int, "TCP port", Number(at_least=1, at_most=65_535)] = 443


@dataclass(frozen=True, kw_only=True)
class NetworkPolicy(Record):
    """Off unless the callers are named: the chart cannot know them."""

    enabled: Annotated[
        bool, "Only callers and scrapers reach the port; out go DNS and the hub while they are needed, and destinations"
    ] = False
    callers: Annotated[tuple[Peer, ...], "Who asks the model: the gateway, the ingress controller, applications"] = ()
    scrapers: Annotated[tuple[Peer, ...], "Who reads the metrics: Prometheus"] = ()
    destinations: Annotated[
        tuple[Destination, ...], "What else the pods may connect to: object storage, a mirror of the hub, a proxy"
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.enabled and not self.callers:
            raise ValueError("callers must be given with enabled: nobody could ask the model")
        if not self.enabled and (self.callers or self.scrapers or self.destinations):
            raise ValueError("enabled must be true for callers, scrapers and destinations to count")


@dataclass(frozen=True, kw_only=True)
class ServiceAccount(Record):
    """The pods' account. It holds no token of the cluster; a cloud's identity needs an annotation only."""

    annotations: Annotated[Annotations, "Annotations, such as the cloud's role that may read the bucket"] = field(
        default_factory=dict
    )
