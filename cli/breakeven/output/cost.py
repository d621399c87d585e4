"""A plan's bill beside the API-equivalent: projection, dated offers, break-even and decision on one screen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from breakeven.convert import plain
from breakeven.core.comparison import Comparison
from breakeven.core.cost import CostLine, CostProjection, OfferedRent
from breakeven.core.plan import Plan
from breakeven.output import api, money, offers, plan_line, table

SCHEMA: Final = "breakeven.cost/1"

_LINE_HEADERS: Final = ["Self-hosted", "Per month", "How"]
_OFFER_HEADERS: Final = ["Offer", "Per month", "Price of one GPU", "Sold as", "Terms", "Checked"]


def render(output: str, comparison: Comparison, offered: Sequence[OfferedRent]) -> str:
    """By the value of `-o`."""
    if output == "json":
        return json.dumps(data(comparison, offered), indent=2)
    return markdown(comparison, offered) if output == "markdown" else text(comparison, offered)


def text(comparison: Comparison, offered: Sequence[OfferedRent]) -> str:
    parts = [
        "\n".join(f"{name:<8} {value}" for name, value in _facts(comparison.plan)),
        table.text(_LINE_HEADERS, _line_rows(comparison.projection)),
        "\n".join(["Sources", *(f"  {source}" for source in sources(comparison.projection))]),
    ]
    if offered:
        parts.append(f"{offers.span(offered)}\n{table.text(_OFFER_HEADERS, _offer_rows(offered))}")
    return "\n\n".join([*parts, api.text(comparison)])


def markdown(comparison: Comparison, offered: Sequence[OfferedRent]) -> str:
    *lines, total = _line_rows(comparison.projection)
    bold = [f"**{cell}**" if cell else "" for cell in total]
    parts = [
        "\n".join(f"- {name}: {value}" for name, value in _facts(comparison.plan)),
        table.markdown(_LINE_HEADERS, [*lines, bold]),
        "\n".join(f"- {source}" for source in sources(comparison.projection)),
    ]
    if offered:
        parts += [offers.span(offered), table.markdown(_OFFER_HEADERS, _offer_rows(offered))]
    return "\n\n".join([*parts, api.markdown(comparison)])


def data(comparison: Comparison, offered: Sequence[OfferedRent]) -> dict[str, Any]:
    """JSON-ready, as docs/schemas/cost.schema.json describes it: money as decimal strings, unknown as null."""
    plan = comparison.plan
    return {
        "schema": SCHEMA,
        "profile": plan.facts.profile.name,
        "model": plan.facts.model.name,
        "serverless": plan.facts.profile.is_serverless,
        "replicas": plan.replicas,
        "tensor_parallel_size": plan.split.tensor_parallel_size,
        "pipeline_parallel_size": plan.split.pipeline_parallel_size,
        "precision": plan.split.precision,
        "gpus": plan.gpus,
        "gpus_unused": plan.gpus_unused,
        "nodes": plan.nodes,
        "workload": {
            "requests_per_month": plan.workload.requests_per_month,
            "input_tokens": plan.workload.input_tokens,
            "output_tokens": plan.workload.output_tokens,
            "cached_share": plan.workload.cached_share,
            "peak_to_mean": plan.workload.peak_to_mean,
        },
        "requests_per_second": {
            "estimate": round(plan.requests_per_second, 4),
            "low": round(plan.replicas * plan.capacity.low, 4),
            "high": round(plan.replicas * plan.capacity.high, 4),
        },
        "slo": {"ttft_p99_ms": plan.deployment.slo.ttft_p99_ms, "tpot_ms": plan.deployment.slo.tpot_ms},
        "saturated_requests_per_second": round(plan.replicas * plan.capacity.saturated_requests_per_second, 4),
        "requests_per_month": plan.requests_per_month,
        "utilisation": round(plan.utilisation, 4),
        "self_hosted": _projection_data(comparison.projection),
        "offers": [_offered_data(rent) for rent in offered],
        "api": api.data(comparison),
        "decision": api.decision_data(comparison),
    }


def sources(projection: CostProjection) -> list[str]:
    """Where each figure of the bill comes from, and when it was checked."""
    return [
        f"{line.name}: {line.source}{f', checked {line.checked}' if line.checked else ''}"
        for line in projection.lines
        if line.source
    ]


def _facts(plan: Plan) -> list[tuple[str, str]]:
    profile = plan.facts.profile
    mean = f"{plan.workload.mean_requests_per_second:,.2f} requests/s on average"
    return [
        ("Profile", f"{profile.name}: {profile.title}"),
        ("Plan", plan_line.of(plan)),
        ("Traffic", f"{api.traffic(plan)}; {mean}"),
    ]


def _line_rows(projection: CostProjection) -> list[list[str]]:
    rows = [[line.name, money.usd(line.monthly_usd), line.detail] for line in projection.lines]
    at_least = "at least " if projection.unknown else ""
    return [*rows, ["Total", f"{at_least}{money.usd(projection.monthly_usd)}", ""]]


def _offer_rows(offered: Sequence[OfferedRent]) -> list[list[str]]:
    return [
        [
            rent.offer.name,
            money.usd(rent.monthly_usd),
            money.per_gpu_hour(rent.offer.usd_per_gpu_hour),
            offers.sold_as(rent.offer),
            offers.terms(rent.offer),
            rent.offer.checked.isoformat(),
        ]
        for rent in offered
    ]


def _projection_data(projection: CostProjection) -> dict[str, Any]:
    return {
        "monthly_usd": str(projection.monthly_usd),
        "at_least": bool(projection.unknown),
        "lines": [_line_data(line) for line in projection.lines],
    }


def _line_data(line: CostLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "monthly_usd": None if line.monthly_usd is None else str(line.monthly_usd),
        "source": line.source,
        "checked": line.checked.isoformat() if line.checked else None,
        "detail": line.detail,
    }


def _offered_data(rent: OfferedRent) -> dict[str, Any]:
    return {**plain(rent.offer), "monthly_usd": str(rent.monthly_usd)}
