"""How requests reach the servers. Only /v1 leaves the cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from breakeven.core.chart.fields import HOST, NAME, REQUIRED_NAME, SECONDS, Record
from breakeven.core.chart.placement import Annotations


@dataclass(frozen=True, kw_only=True)
class Service(Record):
    """Reachable inside the cluster only; the name is the release's."""

    annotations: Annotated[Annotations, "Annotations of the Service"] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ingress(Record):
    enabled: Annotated[bool, "An Ingress that routes /v1, and nothing else, to the Service"] = False
    class_name: Annotated[str, "IngressClass; the cluster's default if empty", NAME] = ""
    host: Annotated[str, "Host name that is asked for", HOST] = ""
    tls_secret: Annotated[str, "Secret with the certificate of the host; no TLS if empty", NAME] = ""
    annotations: Annotated[Annotations, "Annotations, such as the controller's timeouts or cert-manager's issuer"] = (
        field(default_factory=dict)
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.enabled and not self.host:
            raise ValueError("host must be given with enabled: without it every host of the controller is taken")


@dataclass(frozen=True, kw_only=True)
class Gateway(Record):
    """A Gateway that takes the route. TLS is ended there."""

    name: Annotated[str, "Name of the Gateway", REQUIRED_NAME]
    namespace: Annotated[str, "Its namespace; the release's if empty", NAME] = ""
    section_name: Annotated[str, "Its listener, such as https; all if empty", NAME] = ""


@dataclass(frozen=True, kw_only=True)
class Route(Record):
    enabled: Annotated[bool, "An HTTPRoute (Gateway API) that routes /v1, and nothing else, to the Service"] = False
    gateways: Annotated[tuple[Gateway, ...], "Gateways that take the route"] = ()
    hosts: Annotated[tuple[Annotated[str, HOST], ...], "Host names; those of the Gateways if empty"] = ()
    timeout_seconds: Annotated[
        int, "Longest time of a request; a long answer is a stream that some Gateways would cut", SECONDS
    ] = 600

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.enabled and not self.gateways:
            raise ValueError("gateways must be given with enabled: a route without one is never used")
