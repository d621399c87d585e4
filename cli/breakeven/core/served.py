"""What a plan can serve, before → after → Δ: the other half of what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from breakeven.core.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Served:
    """Over all replicas, for requests of the workload's shape. `concurrency` is how many are in work at once."""

    requests_per_second: float
    kv_tokens: int
    concurrency: int


NOTHING_SERVED = Served(requests_per_second=0.0, kv_tokens=0, concurrency=0)


def served(plan: Plan) -> Served:
    """Requests at once are limited by the KV cache, or by vLLM's max_num_seqs."""
    held = int(plan.memory.requests(plan.workload.tokens_per_request))
    return Served(
        requests_per_second=round(plan.requests_per_second, 4),
        kv_tokens=plan.replicas * plan.memory.kv_tokens,
        concurrency=plan.replicas * min(held, plan.facts.accelerator.max_num_seqs),
    )


@dataclass(frozen=True, kw_only=True)
class ServedLine:
    """One figure on both sides; `before` is None where it is not known any more."""

    name: str
    before: float | None
    after: float

    @property
    def delta(self) -> float | None:
        return None if self.before is None else round(self.after - self.before, 4)


def served_diff(before: Served | None, after: Served) -> tuple[ServedLine, ...]:
    """A line for each figure."""
    old: Mapping[str, float] = asdict(before) if before else {}
    return tuple(ServedLine(name=name, before=old.get(name), after=value) for name, value in asdict(after).items())


def recorded_served(record: Mapping[str, Any]) -> Served | None:
    """From a stack's record of its plan; None where an earlier version did not write it."""
    try:
        return Served(**{name: record["serves"][name] for name in asdict(NOTHING_SERVED)})
    except (KeyError, TypeError):
        return None
