"""Accelerators, rentable offers for them, and the hardware profiles that people choose from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from breakeven.core.units import HOURS_PER_MONTH, require_not_negative, require_positive


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """One GPU as the engine sees it. `memory_gib` is what vLLM's log prints, not the marketing number.

    FLOPS are dense, without sparsity; None where the hardware has no such arithmetic. `bf16_tflops` are those of fp16
    too, and of fp16 alone on cards without bf16. `link_gb_per_s` is to the other GPUs of a node, one direction.
    """

    name: str
    title: str
    memory_gib: float
    bandwidth_gb_per_s: float
    bf16_tflops: float
    link_gb_per_s: float
    link: Literal["nvlink", "pcie", "infinity-fabric"]
    # vLLM's API server picks these defaults by device memory and name: docs in catalog/accelerators.yaml.
    max_num_seqs: int
    max_num_batched_tokens: int
    source: str
    checked: date
    bf16: bool = True
    fp8_tflops: float | None = None
    int8_tops: float | None = None

    def __post_init__(self) -> None:
        require_positive(
            memory_gib=self.memory_gib,
            bandwidth_gb_per_s=self.bandwidth_gb_per_s,
            bf16_tflops=self.bf16_tflops,
            link_gb_per_s=self.link_gb_per_s,
            max_num_seqs=self.max_num_seqs,
            max_num_batched_tokens=self.max_num_batched_tokens,
            fp8_tflops=self.fp8_tflops,
            int8_tops=self.int8_tops,
        )


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A dated, rentable price of `gpu_count` GPUs together."""

    name: str
    provider: str
    sku: str
    accelerator: str
    gpu_count: int
    usd_per_hour: Decimal
    region: str
    commitment: Literal["on-demand", "spot", "reserved"]
    source: str
    checked: date
    # The least time that is paid for.
    billed_by: Literal["second", "minute", "hour", "unspecified"] = "unspecified"

    def __post_init__(self) -> None:
        require_positive(gpu_count=self.gpu_count, usd_per_hour=self.usd_per_hour)

    @property
    def usd_per_gpu_hour(self) -> Decimal:
        return self.usd_per_hour / self.gpu_count

    def usd_per_month(self, gpus: int) -> Decimal:
        """Unrounded USD for `gpus` GPUs over a month of 730 h."""
        return self.usd_per_gpu_hour * gpus * HOURS_PER_MONTH


@dataclass(frozen=True, kw_only=True)
class LabelMatch:
    """A node label and the values that are accepted for it."""

    key: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"label {self.key} accepts no value")


@dataclass(frozen=True, kw_only=True)
class PlatformPlacement:
    """How one platform labels the nodes of a profile; all labels of a platform must match."""

    platform: Literal["gfd", "gke", "karpenter", "aks"]
    labels: tuple[LabelMatch, ...]
    source: str

    def __post_init__(self) -> None:
        if not self.labels:
            raise ValueError(f"platform {self.platform} has no label")


@dataclass(frozen=True, kw_only=True)
class ReferenceRow:
    """The brief's price and throughput of a profile, with the one workload for which the throughput holds.

    `usd_per_month` is for one node; both figures are absent where the brief says "variable".
    """

    usd_per_month: Decimal | None = None
    requests_per_second: float | None = None
    workload: str
    source: str
    checked: date

    def __post_init__(self) -> None:
        require_positive(usd_per_month=self.usd_per_month, requests_per_second=self.requests_per_second)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A node shape that can be rented whole ("node"), or GPU seconds behind scale-to-zero ("serverless")."""

    name: str
    title: str
    kind: Literal["node", "serverless"]
    accelerator: str
    gpus_per_node: int
    placement: tuple[PlatformPlacement, ...]
    model: str
    offers: tuple[str, ...]
    reference: ReferenceRow
    ops_usd_per_month: Decimal
    setup_usd_per_month: Decimal

    def __post_init__(self) -> None:
        require_positive(gpus_per_node=self.gpus_per_node)
        require_not_negative(ops_usd_per_month=self.ops_usd_per_month, setup_usd_per_month=self.setup_usd_per_month)
        if not self.placement:
            raise ValueError(f"profile {self.name} names no placement")
        if self.kind == "serverless" and not self.offers:
            raise ValueError(f"serverless profile {self.name} needs an offer: it has no monthly rent")

    @property
    def is_serverless(self) -> bool:
        return self.kind == "serverless"
