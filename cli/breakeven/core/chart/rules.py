"""What the chart's schema refuses although each value alone is fine: rules between values, as JSON schema."""

from __future__ import annotations

from typing import Any, Final

from breakeven.core.chart.autoscaler import GONE_WITH_THE_SERVERS
from breakeven.core.chart.plain import chart_key
from breakeven.core.chart.storage import KEYS

Schema = dict[str, Any]


def at(path: str, schema: Schema) -> Schema:
    """The schema of the value at a dotted path."""
    first, _, rest = path.partition(".")
    return {"properties": {first: at(rest, schema) if rest else schema}}


def rule(why: str, *, when: Schema, then: Schema) -> Schema:
    return {"description": why, "if": when, "then": then}


_SHARED: Final[Schema] = {
    "anyOf": [
        at("replicas", {"minimum": 2}),
        at("group.nodes", {"minimum": 2}),
        at("autoscaler.maxReplicas", {"minimum": 2}),
        at("serverless.enabled", {"const": True}),
        at("rollout.maxSurge", {"minimum": 1}),
        at("weights.download", {"const": True}),
    ]
}
_OWN_CLAIM: Final[Schema] = {"allOf": [at("weights.storage", {"const": "pvc"}), at("weights.claim", {"const": ""})]}

RULES: Final[tuple[Schema, ...]] = (
    rule(
        "KEDA has to know where Prometheus is",
        when=at("autoscaler.kind", {"const": "keda"}),
        then=at("autoscaler.prometheusUrl", {"minLength": 1}),
    ),
    rule(
        "An HPA asks no Prometheus, and Knative scales by itself: nothing there wakes a server by a query",
        when=at("autoscaler.kind", {"enum": ["", "hpa"]}),
        then=at("autoscaler.wakeQuery", {"const": ""}),
    ),
    rule(
        "Metrics of the servers are gone with the last one, and wake none",
        when=at("autoscaler.kind", {"const": "keda"}),
        then=at("autoscaler.wakeQuery", {"not": {"pattern": GONE_WITH_THE_SERVERS}}),
    ),
    rule(
        "Without a query that wakes one, the last server stays: nothing would start it again",
        when=at("autoscaler.wakeQuery", {"const": ""}),
        then=at("autoscaler.minReplicas", {"minimum": 1}),
    ),
    rule(
        "Several servers, the next one beside the last one, or a server and the download share the claim",
        when={"allOf": [_SHARED, _OWN_CLAIM]},
        then=at("weights.accessMode", {"const": "ReadWriteMany"}),
    ),
    rule(
        "An image of the weights has a name",
        when=at("weights.storage", {"const": "image"}),
        then=at("weights.image", {"minLength": 1}),
    ),
    rule(
        "A bucket has an address",
        when=at("weights.storage", {"const": "bucket"}),
        then=at("weights.uri", {"minLength": 1}),
    ),
    *(
        rule(
            f"{chart_key(key)} is for {' or '.join(storages)}",
            when=at("weights.storage", {"not": {"enum": list(storages)}}),
            then=at(f"weights.{chart_key(key)}", {"enum": ["", False]}),
        )
        for key, storages in KEYS.items()
    ),
    rule(
        "A folder, and weights that are there already, are on a volume that exists",
        when={"anyOf": [at("weights.path", {"minLength": 1}), at("weights.offline", {"const": True})]},
        then={"anyOf": [at(f"weights.{key}", {"minLength": 1}) for key in ("claim", "image", "uri")]},
    ),
    rule(
        "A rollout that may neither add nor remove a server never ends",
        when=at("rollout.maxSurge", {"const": 0}),
        then=at("rollout.maxUnavailable", {"minimum": 1}),
    ),
    rule(
        "A policy without callers would close the model to everyone",
        when=at("networkPolicy.enabled", {"const": True}),
        then=at("networkPolicy.callers", {"minItems": 1}),
    ),
    rule(
        "An Ingress without a host would take every host of its controller",
        when=at("ingress.enabled", {"const": True}),
        then=at("ingress.host", {"minLength": 1}),
    ),
    rule(
        "There is one chat template",
        when=at("chatTemplate.template", {"minLength": 1}),
        then=at("chatTemplate.configMap", {"const": ""}),
    ),
    rule(
        "Two monitors of the same pods would count everything twice",
        when=at("monitoring.podMonitor", {"const": True}),
        then=at("monitoring.serviceMonitor", {"const": False}),
    ),
    rule(
        "A route without a Gateway is never used",
        when=at("route.enabled", {"const": True}),
        then=at("route.gateways", {"minItems": 1}),
    ),
    rule(
        "The pods of a group belong together",
        when=at("group.nodes", {"minimum": 2}),
        then=at("placement.spread", {"maxItems": 0}),
    ),
    rule(
        "Knative brings its own way in and its own Services, and has no volumes of each server",
        when=at("serverless.enabled", {"const": True}),
        then={
            "allOf": [
                *(at(f"{key}.enabled", {"const": False}) for key in ("ingress", "route", "networkPolicy")),
                at("autoscaler.kind", {"const": ""}),
                at("monitoring.serviceMonitor", {"const": False}),
                at("group.nodes", {"const": 1}),
                at("weights.storage", {"not": {"const": "ephemeral"}}),
            ]
        },
    ),
)
