"""What the user asks for: the content of deploy.yaml, of the flags and of the stack's configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from breakeven.core.api_rates import ApiRates
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.storage import Weights as Weights
from breakeven.core.engine_args import KvCacheDtype
from breakeven.core.measurement import Measurement
from breakeven.core.needs import Needs
from breakeven.core.precision import Precision
from breakeven.core.scaling import Scaling
from breakeven.core.slo import Slo
from breakeven.core.units import require_not_negative, require_positive
from breakeven.core.workload import Workload

# Prefixed with "llm-" it must stay a DNS label of a Service (RFC 1035, 63 characters), with room for suffixes.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


# Capacity is an estimate that nine in ten measured rows lie within a factor 1.3 of (core/latency.RATE_BAND). At 1 ÷ 1.3
# of it the objective holds although the truth is at the band's low end.
TARGET_UTILISATION: Final = 0.77

# The largest cluster that Kubernetes supports: https://kubernetes.io/docs/setup/best-practices/cluster-large/
_MOST_NODES: Final = 5000
# The largest open model, Kimi-K2 in 16 bits, takes 2 TB: five nodes of 8 × 80 GB.
MOST_NODES_PER_REPLICA: Final = 16


def _require_name(key: str, name: str | None, pattern: re.Pattern[str], length: str) -> None:
    if name is not None and not pattern.fullmatch(name):
        marks = "0-9, '.' and '-'" if pattern is _OBJECT else "0-9 and '-'"
        raise ValueError(f"{key} must be {length} of a-z, {marks}, and begin and end with a-z or 0-9, got {name!r}")


def _require_count(**counts: int | None) -> None:
    for key, count in counts.items():
        if count is not None and not 0 < count <= _MOST_NODES:
            raise ValueError(f"{key} must be from 1 to {_MOST_NODES:,}, got {count:,}")


@dataclass(frozen=True, kw_only=True)
class FixedInfrastructure:
    """What a cluster costs besides its GPUs. What is None is not included in the bill, and said so; 0 is a price."""

    control_plane_usd_per_month: Decimal | None = None
    cpu_nodes_usd_per_month: Decimal | None = None
    load_balancer_usd_per_month: Decimal | None = None
    egress_usd_per_month: Decimal | None = None

    def __post_init__(self) -> None:
        require_not_negative(**vars(self))


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Which price counts. Without `offer` and `usd_per_gpu_hour`, the profile's reference rent, or its first offer if
    serverless. `api_overrides` are dated API prices that go before the price book's.
    `spot_interruption_allowance` is the share of a spot rent that interruptions cost on top: work done again, and
    on-demand hours in between.
    """

    offer: str | None = None
    usd_per_gpu_hour: Decimal | None = None
    api_overrides: tuple[ApiRates, ...] | None = None
    ops_usd_per_month: Decimal | None = None
    setup_usd_per_month: Decimal | None = None
    storage_usd_per_gib_month: Decimal | None = None
    spot_interruption_allowance: float | None = None
    fixed: FixedInfrastructure = field(default_factory=FixedInfrastructure)

    def __post_init__(self) -> None:
        if self.offer is not None and self.usd_per_gpu_hour is not None:
            raise ValueError("give offer (a dated price) or usd_per_gpu_hour (your own), not both")
        require_not_negative(
            usd_per_gpu_hour=self.usd_per_gpu_hour,
            ops_usd_per_month=self.ops_usd_per_month,
            setup_usd_per_month=self.setup_usd_per_month,
            storage_usd_per_gib_month=self.storage_usd_per_gib_month,
            spot_interruption_allowance=self.spot_interruption_allowance,
        )


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What an apply must keep to, per month; a limit that is not given does not bind. `core.budget` judges."""

    max_usd_per_month: Decimal | None = None
    max_increase_usd: Decimal | None = None
    max_increase_percent: float | None = None
    max_usd_above_api: Decimal | None = None
    allow_unknown_prices: bool = False

    def __post_init__(self) -> None:
        require_not_negative(
            max_usd_per_month=self.max_usd_per_month,
            max_increase_usd=self.max_increase_usd,
            max_increase_percent=self.max_increase_percent,
            max_usd_above_api=self.max_usd_above_api,
        )


@dataclass(frozen=True, kw_only=True)
class EngineChoice:
    """How vLLM runs a replica; what is None is chosen: the best for the latency objective per dollar.

    `precision` other than the checkpoint's quantises its weights at the start. A replica lies on one node unless
    `nodes_per_replica` says otherwise; then it fills them.
    """

    tensor_parallel_size: int | None = None
    pipeline_parallel_size: int | None = None
    nodes_per_replica: int | None = None
    precision: Precision | None = None
    kv_cache_dtype: KvCacheDtype | None = None

    def __post_init__(self) -> None:
        require_positive(
            tensor_parallel_size=self.tensor_parallel_size, pipeline_parallel_size=self.pipeline_parallel_size
        )
        if self.nodes_per_replica is not None and not 0 < self.nodes_per_replica <= MOST_NODES_PER_REPLICA:
            raise ValueError(
                f"nodes_per_replica must be from 1 to {MOST_NODES_PER_REPLICA}, got {self.nodes_per_replica:,}"
            )

    @property
    def nodes(self) -> int:
        """That a replica spans."""
        return self.nodes_per_replica or 1


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """How much more than the peak is bought: a share of the capacity that stays free, and replicas beyond it."""

    target_utilisation: float = TARGET_UTILISATION
    spare_replicas: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.target_utilisation <= 1:
            raise ValueError(f"target_utilisation must be above 0 and at most 1, got {self.target_utilisation}")
        if not 0 <= self.spare_replicas <= _MOST_NODES:
            raise ValueError(f"spare_replicas must be from 0 to {_MOST_NODES:,}, got {self.spare_replicas:,}")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The inputs of one stack; everything but the profile has a default.

    `team` and `environment` say on whose bill it is.
    """

    profile: str
    name: str | None = None
    team: str | None = None
    environment: str | None = None
    model: str | None = None
    namespace: str | None = None
    replicas: int | None = None
    nodes: int | None = None
    max_model_len: int | None = None
    hub_token_secret: str | None = None
    workload: Workload = field(default_factory=Workload)
    slo: Slo = field(default_factory=Slo)
    headroom: Headroom = field(default_factory=Headroom)
    scaling: Scaling | None = None
    needs: Needs = field(default_factory=Needs)
    engine: EngineChoice = field(default_factory=EngineChoice)
    measured: Measurement | None = None
    weights: Weights = field(default_factory=Weights)
    prices: Prices = field(default_factory=Prices)
    budget: Budget = field(default_factory=Budget)
    chart: ChartChoices = field(default_factory=ChartChoices)

    def __post_init__(self) -> None:
        _require_count(replicas=self.replicas, nodes=self.nodes)
        require_positive(max_model_len=self.max_model_len)
        _require_name("name", self.name, _NAME, "at most 40")
        _require_name("team", self.team, _NAMESPACE, "at most 63")
        _require_name("environment", self.environment, _NAMESPACE, "at most 63")
        _require_name("namespace", self.namespace, _NAMESPACE, "at most 63")
        if self.namespace and self.namespace.startswith("kube-"):
            raise ValueError(f"namespace must not begin with kube-: those are Kubernetes' own, got {self.namespace!r}")
        _require_name("hub_token_secret", self.hub_token_secret, _OBJECT, "at most 253")
        if self.replicas is not None and self.nodes is not None:
            raise ValueError("give replicas (vLLM servers) or nodes (of the profile), not both")
        if self.scaling and (self.replicas is not None or self.nodes is not None):
            raise ValueError("give scaling, or how many replicas or nodes there are, not both")

    @property
    def stack(self) -> str:
        """The Pulumi stack, and what `deploy destroy` asks to type."""
        return self.name or self.profile
