"""The arithmetic of each figure with its source and date, how far it hangs on its inputs, and the cost of owning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from breakeven.core.api_spend import ApiEquivalent
from breakeven.core.comparison import Comparison
from breakeven.core.latency import RATE_BAND
from breakeven.core.plan import Plan
from breakeven.core.sensitivity import Case
from breakeven.core.tco import TcoFactor, tco
from breakeven.core.throughput import untested
from breakeven.core.units import count, plain_usd
from breakeven.output import age, bill, money, table
from breakeven.output.api import reachable, reckoned
from breakeven.output.size import BOUNDS

_CASE_HEADERS: Final = ["Changed", "Self-hosted a month", "API a month", "Break-even requests a month", "Reachable"]
_TCO_HEADERS: Final = ["Side", "Kind", "What", "Per month"]


def render(output: str, comparison: Comparison, cases: Sequence[Case], at: date) -> str:
    """By the value of `-o`: "table" or "markdown"."""
    bullet, below = ("- ", "\n\n") if output == "markdown" else ("  ", "\n")
    arithmetic = "\n".join(f"{bullet}{line}" for line in _arithmetic(comparison, at))
    owning = tco(comparison.plan, comparison.projection, comparison.cheapest)
    parts = [f"Arithmetic{below}{arithmetic}"]
    if cases and comparison.cheapest:
        rows = table.render(output, _CASE_HEADERS, [_case_row(comparison.plan, case) for case in cases])
        parts.append(f"Sensitivity, against {comparison.cheapest.comparator}{below}{rows}")
    parts.append(f"Cost of owning{below}{table.render(output, _TCO_HEADERS, [_tco_row(one) for one in owning])}")
    return "\n\n".join(parts)


def _arithmetic(comparison: Comparison, at: date) -> Iterator[str]:
    plan, projection = comparison.plan, comparison.projection
    for line in projection.lines:
        source = bill.source(line, at) or "no price"
        yield f"{line.name}: {line.detail} = {money.usd(line.monthly_usd)} a month; {source}"
    yield f"Total: {' + '.join(money.usd(line.monthly_usd) for line in projection.lines)}"
    yield from _capacity(plan)
    for api in comparison.equivalents:
        yield from _api(comparison, api, at)
    needs = plan.deployment.needs
    yield (
        f"Decision: needs.api_below_requests_per_month {needs.api_below_requests_per_month:,}, "
        f"needs.break_even_above_requests_per_month {needs.break_even_above_requests_per_month:,}; "
        "the product brief's unless deploy.yaml says otherwise"
    )


def _capacity(plan: Plan) -> Iterator[str]:
    one, workload, headroom = plan.capacity, plan.workload, plan.deployment.headroom
    estimate = f"estimate, × or ÷ {RATE_BAND:g} (docs/accuracy-throughput.md)"
    if note := untested(plan.split.precision):
        estimate = f"{estimate}. {note.removesuffix('.')}"
    how = estimate if one.basis == "estimate" else f"measured {one.date}: {one.source}"
    yield (
        f"Capacity of a replica: {one.requests_per_second:,.2f} requests/s within {plan.deployment.slo}, limited by "
        f"{BOUNDS[one.bound]}; {how}"
    )
    if plan.deployment.replicas or plan.deployment.nodes:
        yield f"Replicas: {plan.replicas:,}, as asked"
        return
    spare = f" + {headroom.spare_replicas} spare" if headroom.spare_replicas else ""
    made = f"{count(plan.replicas, 'replica')} on {count(plan.nodes, 'node')}"
    yield (
        f"Replicas: {workload.mean_requests_per_second:,.2f} requests/s × {workload.peak_to_mean:g} at the peak ÷ "
        f"({one.requests_per_second:,.2f} × {headroom.target_utilisation:g}), rounded up{spare}; {made}"
    )


def _api(comparison: Comparison, api: ApiEquivalent, at: date) -> Iterator[str]:
    requests = comparison.plan.workload.requests_per_month
    each = plain_usd(api.usd_per_request)
    mark = age.stale(api.checked, reckoned(api, at))
    yield (
        f"{api.comparator}: {requests:,} requests × {each} = {money.usd(api.monthly_usd)} a month; {api.source}"
        f"{f' ({mark})' if mark else ''}"
    )
    if api.break_even is None:
        return
    found = api.break_even
    how = "where both bills meet" if comparison.plan.facts.profile.is_serverless else _division(comparison, each)
    yield (
        f"Break-even with {api.comparator}: {how}: {found.requests_per_month:,} requests a month, at the peak "
        f"{found.peak_requests_per_second:,.2f} requests/s; the plan's capacity is "
        f"{comparison.plan.requests_per_second:,.2f}"
    )


def _division(comparison: Comparison, each: str) -> str:
    return f"{money.usd(comparison.projection.monthly_usd)} ÷ {each}"


def _case_row(plan: Plan, case: Case) -> list[str]:
    changed = f"{case.changed} × {case.factor:g}"
    if case.projection is None or case.equivalent is None:
        return [changed, "cannot be served", "", "", ""]
    requests = case.equivalent.break_even_requests_per_month
    return [
        changed,
        money.usd(case.projection.monthly_usd),
        money.usd(case.equivalent.monthly_usd),
        "-" if requests is None else f"{requests:,}",
        reachable(plan, case.equivalent),
    ]


def _tco_row(factor: TcoFactor) -> list[str]:
    usd = "not priced" if factor.monthly_usd is None else money.usd(factor.monthly_usd)
    part = f" (part of {factor.part_of})" if factor.part_of else ""
    return [factor.side, factor.kind, f"{factor.name}{part}", usd]
