"""A server on several nodes: a group of pods, one a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from breakeven.core.chart.fields import COUNT, SECONDS, Record, Text

# The libraries that carry what nodes say to one another; vLLM's own variables are the chart's.
_VARIABLE: Final = Text(
    pattern=r"(NCCL|GLOO)_[A-Z0-9_]+", words="a variable of NCCL or Gloo such as NCCL_SOCKET_IFNAME"
)


@dataclass(frozen=True, kw_only=True)
class GroupChoices(Record):
    environment: Annotated[
        Mapping[Annotated[str, _VARIABLE], str],
        "Variables of NCCL and Gloo, where they do not find the network between the nodes by themselves, such as "
        "NCCL_SOCKET_IFNAME: eth0",
    ] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Group(GroupChoices):
    nodes: Annotated[int, "Nodes that each server spans; above 1 it is a LeaderWorkerSet", COUNT] = 1
    timeout_seconds: Annotated[int, "Seconds that the nodes of a server wait for one another", SECONDS] = 682
