"""What a change costs: the lock files before beside those after, deployment by deployment and in total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.core.api_spend import ApiEquivalent, cheapest
from breakeven.core.budget import Verdict, judge
from breakeven.core.cost import CostProjection
from breakeven.core.cost_diff import NOTHING, CostDiff, cost_diff
from breakeven.core.deployment import Budget
from breakeven.core.served import NOTHING_SERVED, Served


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A deployment as its lock file tells it."""

    name: str
    team: str
    environment: str
    profile: str
    gpus: int
    cost: CostProjection
    serves: Served | None
    apis: tuple[ApiEquivalent, ...]
    budget: Budget

    @property
    def api(self) -> ApiEquivalent | None:
        return cheapest(self.apis)


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A rendered directory: its deployments by folder, and the budget of the whole."""

    deployments: Mapping[str, Locked]
    budget: Budget


@dataclass(frozen=True, kw_only=True)
class Change:
    """One folder on both sides; None where it is not."""

    folder: str
    before: Locked | None
    after: Locked | None
    diff: CostDiff
    verdict: Verdict

    @property
    def is_priced(self) -> bool:
        """Whether it belongs into the table: its bill, its GPUs or what it serves changes."""
        sides = (self.before, self.after)
        gpus, serves = ({getattr(side, key, None) for side in sides} for key in ("gpus", "serves"))
        return bool(self.diff.changed) or len(gpus) > 1 or len(serves) > 1

    @property
    def gpus(self) -> tuple[int, int]:
        return (self.before.gpus if self.before else 0, self.after.gpus if self.after else 0)

    @property
    def requests_per_second(self) -> tuple[float | None, float | None]:
        return _rate(self.before), _rate(self.after)

    @property
    def budget_changes(self) -> bool:
        return bool(self.before and self.after and self.before.budget != self.after.budget)


@dataclass(frozen=True, kw_only=True)
class FleetDiff:
    """`changes` are of all folders; `verdict` is on the whole."""

    changes: tuple[Change, ...]
    total: CostDiff
    verdict: Verdict
    api_monthly_usd: tuple[Decimal | None, Decimal | None]
    budget_changes: bool

    @property
    def priced(self) -> tuple[Change, ...]:
        """Those that change, the most expensive first."""
        return tuple(sorted((one for one in self.changes if one.is_priced), key=_weight))

    @property
    def passes(self) -> bool:
        return self.verdict.passes and all(one.verdict.passes for one in self.changes)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not pass, the whole first."""
        own = (f"{one.folder}: {reason}" for one in self.changes for reason in one.verdict.reasons)
        return (*(f"the whole: {reason}" for reason in self.verdict.reasons), *own)


def fleet_diff(before: Tree, after: Tree) -> FleetDiff:
    """Folders are matched by their paths. Every deployment after is judged, also one that does not change."""
    folders = sorted({**after.deployments, **before.deployments})
    changes = tuple(_change(name, before.deployments.get(name), after.deployments.get(name)) for name in folders)
    total = CostDiff(
        lines=tuple(replace(line, name=f"{one.folder}: {line.name}") for one in changes for line in one.diff.lines)
    )
    apis = _sum_of_apis(list(after.deployments.values()))
    return FleetDiff(
        changes=changes,
        total=total,
        # Whether a price may be unknown is for its deployment to say.
        verdict=judge(replace(after.budget, allow_unknown_prices=True), total, apis),
        api_monthly_usd=(_usd(_sum_of_apis(list(before.deployments.values()))), _usd(apis)),
        budget_changes=bool(before.deployments) and before.budget != after.budget,
    )


def _change(folder: str, before: Locked | None, after: Locked | None) -> Change:
    diff = cost_diff(before.cost if before else NOTHING, after.cost if after else NOTHING)
    verdict = judge(after.budget, diff, after.apis) if after else Verdict(rulings=())
    return Change(folder=folder, before=before, after=after, diff=diff, verdict=verdict)


def _sum_of_apis(found: Sequence[Locked]) -> tuple[ApiEquivalent, ...]:
    """One that adds up the cheapest of each; none where one has no API to compare with."""
    apis = [one.api for one in found]
    known = [api for api in apis if api is not None]
    if not known or len(known) < len(apis):
        return ()
    usd = sum((api.monthly_usd for api in known), Decimal("0.00"))
    return (replace(known[0], comparator="the cheapest API of each deployment", monthly_usd=usd),)


def _usd(apis: tuple[ApiEquivalent, ...]) -> Decimal | None:
    return apis[0].monthly_usd if apis else None


def _rate(side: Locked | None) -> float | None:
    serves = side.serves if side else NOTHING_SERVED
    return serves.requests_per_second if serves else None


def _weight(change: Change) -> tuple[bool, Decimal, str]:
    """What has no price first, then by the size of what changes."""
    delta = change.diff.delta_usd
    return delta is not None, -abs(delta or Decimal(0)), change.folder
