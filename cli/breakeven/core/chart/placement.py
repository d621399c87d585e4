"""Where pods run, what they are called for others, and how many may be evicted at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from breakeven.core.chart.fields import COUNT, LABEL_KEY, LABEL_VALUE, NAME, NotEmpty, Record

Labels = Mapping[Annotated[str, LABEL_KEY], Annotated[str, LABEL_VALUE]]
Annotations = Mapping[Annotated[str, LABEL_KEY], str]


@dataclass(frozen=True, kw_only=True)
class NodeLabel(Record):
    key: Annotated[str, "Key of a node's label", LABEL_KEY]
    operator: Annotated[Literal["In"], "In: the label has one of the values"] = "In"
    values: Annotated[tuple[Annotated[str, LABEL_VALUE], ...], "Values that are taken", NotEmpty()]


@dataclass(frozen=True, kw_only=True)
class NodeTerm(Record):
    match_expressions: Annotated[tuple[NodeLabel, ...], "Labels that a node must have, all of them", NotEmpty()]


@dataclass(frozen=True, kw_only=True)
class Toleration(Record):
    """A taint that does not keep the pods away."""

    key: Annotated[str, "Key of the taint", LABEL_KEY]
    operator: Annotated[Literal["Exists", "Equal"], "Exists takes any value"] = "Exists"
    value: Annotated[str, "Value of the taint, with Equal", LABEL_VALUE] = ""
    effect: Annotated[Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"], "Effect; every one if empty"] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.operator == "Exists" and self.value:
            raise ValueError("value must be left out with operator Exists, which takes any value")


@dataclass(frozen=True, kw_only=True)
class Spread(Record):
    """Servers spread over zones or nodes."""

    topology_key: Annotated[str, "Label that names the zone or node", LABEL_KEY]
    max_skew: Annotated[int, "Most servers that one zone or node has more than another", COUNT] = 1
    when_unsatisfiable: Annotated[
        Literal["ScheduleAnyway", "DoNotSchedule"], "Whether a server waits rather than break the rule"
    ] = "ScheduleAnyway"


@dataclass(frozen=True, kw_only=True)
class Placement(Record):
    tolerations: Annotated[tuple[Toleration, ...], "Taints that are tolerated, beside nvidia.com/gpu"] = ()
    node_selector: Annotated[Labels, "Labels that a node must have, beside one of nodeSelectorTerms"] = field(
        default_factory=dict
    )
    priority_class: Annotated[str, "PriorityClass; the cluster's default if empty", NAME] = ""
    runtime_class: Annotated[str, "RuntimeClass, such as nvidia where the cluster has it; none if empty", NAME] = ""
    spread: Annotated[
        tuple[Spread, ...], "Topology spread; none by default, so that the nodes that are paid for are filled"
    ] = ()


@dataclass(frozen=True, kw_only=True)
class PodMetadata(Record):
    labels: Annotated[Labels, "Further labels of the pods"] = field(default_factory=dict)
    annotations: Annotated[Annotations, "Annotations of the pods; a change of one restarts them"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class Disruption(Record):
    enabled: Annotated[bool, "A PodDisruptionBudget, where there is more than one server"] = True
    max_unavailable: Annotated[int, "Servers that a drain of nodes may take at once", COUNT] = 1
