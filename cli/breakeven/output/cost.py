"""A plan's bill beside the API-equivalent: projection, dated offers, break-even and decision on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from breakeven.core.comparison import Comparison
from breakeven.core.cost import OfferedRent, cost_range
from breakeven.core.plan import Plan
from breakeven.output import api, bill, offers, plan_line, traffic


def render(output: str, comparison: Comparison, offered: Sequence[OfferedRent], at: date) -> str:
    """By the value of `-o`: "table" or "markdown"."""
    is_markdown = output == "markdown"
    plan, projection = comparison.plan, comparison.projection
    notes = bill.notes(plan, projection, cost_range(plan))
    parts = [
        "\n".join(f"- {name}: {value}" if is_markdown else f"{name:<8} {value}" for name, value in _facts(plan, at)),
        bill.rows(output, projection),
        ("\n\n" if is_markdown else "\n").join(notes),
        _sources(is_markdown, bill.sources(projection, at)),
    ]
    if offered:
        below = "\n\n" if is_markdown else "\n"
        parts.append(f"{offers.span(offered, at)}{below}{bill.offer_rows(output, offered, at)}")
    return "\n\n".join([*parts, api.markdown(comparison, at) if is_markdown else api.text(comparison, at)])


def _sources(is_markdown: bool, sources: list[str]) -> str:
    if is_markdown:
        return "\n".join(f"- {source}" for source in sources)
    return "\n".join(["Sources", *(f"  {source}" for source in sources)])


def _facts(plan: Plan, at: date) -> list[tuple[str, str]]:
    profile = plan.facts.profile
    return [
        ("Profile", f"{profile.name}: {profile.title}"),
        ("Plan", plan_line.of(plan)),
        ("Traffic", traffic.with_mean(plan.workload)),
        ("Prices", f"of {at}"),
    ]
