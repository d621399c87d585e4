"""Self-host or API: the brief's flowchart. Needs first, then volume, then break-even."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from breakeven.core.api_spend import ApiEquivalent, cheapest
from breakeven.core.cost import CostProjection
from breakeven.core.plan import Plan
from breakeven.core.units import count

Choice = Literal["self-host", "api", "hybrid", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`reasons` are sentences in the order of the flowchart.

    `self_hosted_share` of the traffic goes to the plan, the rest to the API; None where nothing is decided.
    """

    choice: Choice
    reasons: tuple[str, ...]
    self_hosted_share: float | None = None


def decide(plan: Plan, projection: CostProjection, equivalents: tuple[ApiEquivalent, ...]) -> Decision:
    """What the needs leave open the price decides. The cheapest comparator speaks for the API."""
    api = cheapest(equivalents)
    return _by_need(plan, api) or _by_volume(plan) or _by_price(plan, projection, api)


def _by_need(plan: Plan, api: ApiEquivalent | None) -> Decision | None:
    """Privacy and work without the internet rule the API out; only an API has the newest proprietary model."""
    needs = plan.deployment.needs
    if needs.privacy:
        return _self_host("privacy: prompts must not leave your own machines")
    if needs.offline:
        return _self_host("offline: it must answer without the internet")
    if needs.latest_model:
        return _api("latest model: only an API has the newest proprietary ones", *_worth_moving(plan, api))
    if needs.fine_tuning:
        return _self_host("fine-tuning: weights of your own are served where you run them")
    return None


def _by_volume(plan: Plan) -> Decision | None:
    needs, requests = plan.deployment.needs, plan.workload.requests_per_month
    if requests < needs.api_below_requests_per_month:
        return _api(f"{requests:,} requests a month are below {needs.api_below_requests_per_month:,}")
    if not needs.ml_team:
        return _api("no ML team: nobody runs and mends a model server")
    return None


def _by_price(plan: Plan, projection: CostProjection, api: ApiEquivalent | None) -> Decision:
    if api is None:
        return Decision(choice="undecided", reasons=("no API to compare with",))
    if projection.unknown:
        return Decision(choice="undecided", reasons=(f"the price of {', '.join(projection.unknown)} is unknown",))
    volume = _volume_reason(plan)
    if plan.workload.peak_requests_per_second > plan.requests_per_second:
        return _too_small(plan, projection, api, volume)
    difference = projection.monthly_usd - api.monthly_usd
    if difference >= 0:
        reason = f"{api.comparator} costs ${difference:,.2f} a month less than this plan"
        return _api(volume, reason, _break_even_reason(plan, api))
    return _self_host(
        volume,
        f"this plan costs ${-difference:,.2f} a month less than {api.comparator}, the cheapest API compared",
    )


def _too_small(plan: Plan, projection: CostProjection, api: ApiEquivalent, volume: str) -> Decision:
    """The plan serves what it can, and the API the rest, where that share alone would cost more there."""
    share = plan.requests_per_second / plan.workload.peak_requests_per_second
    about = "about " if plan.capacity.basis == "estimate" else "a measured "
    reason = (
        f"the traffic peaks at {plan.workload.peak_requests_per_second:,.2f} requests/s, "
        f"this plan serves {about}{plan.requests_per_second:,.2f} within {plan.deployment.slo}"
    )
    saved = float(api.monthly_usd) * share - float(projection.monthly_usd)
    if saved <= 0:
        return _api(volume, reason)
    hybrid = f"hybrid: it takes {_percent(share)} of the traffic and saves ${saved:,.2f} of {api.comparator}"
    return Decision(choice="hybrid", reasons=(volume, reason, hybrid), self_hosted_share=share)


def _worth_moving(plan: Plan, api: ApiEquivalent | None) -> tuple[str, ...]:
    """From which share of the traffic on the plan pays for itself, if some of it could do with open weights."""
    if api is None or not api.break_even_requests_per_month:
        return ()
    share = api.break_even_requests_per_month / plan.workload.requests_per_month
    if share >= 1 or not api.reachable:
        return ()
    return (f"hybrid: this plan pays once {_percent(share)} of the traffic can do with {plan.facts.model.name}",)


def _self_host(*reasons: str) -> Decision:
    return Decision(choice="self-host", reasons=reasons, self_hosted_share=1.0)


def _api(*reasons: str) -> Decision:
    return Decision(choice="api", reasons=reasons, self_hosted_share=0.0)


def _volume_reason(plan: Plan) -> str:
    requests, above = plan.workload.requests_per_month, plan.deployment.needs.break_even_above_requests_per_month
    if requests > above:
        return f"{requests:,} requests a month are above {above:,}: break-even decides"
    return f"{requests:,} requests a month are a middling volume: break-even decides"


def _break_even_reason(plan: Plan, api: ApiEquivalent) -> str:
    found = api.break_even
    if found is None:
        return "it never breaks even: each request costs more here than there"
    head = f"break-even is at {found.requests_per_month:,} requests a month"
    if found.reachable:
        return f"{head}; this plan could serve that, {_percent(found.utilisation)} busy"
    needs = f"{found.peak_requests_per_second:,.2f} requests/s, and this plan serves {plan.requests_per_second:,.2f}"
    return f"{head}: that is {needs}; {_at_nodes(plan, found.nodes)}"


def _at_nodes(plan: Plan, nodes: int | None) -> str:
    noun = "replica" if plan.facts.profile.is_serverless else "node"
    return f"{count(nodes, noun)} would break even" if nodes else f"no number of {noun}s breaks even"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
