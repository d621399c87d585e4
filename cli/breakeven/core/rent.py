"""What the GPUs of a plan cost: whole nodes, or seconds."""

from __future__ import annotations

from decimal import Decimal

from breakeven.core.cost_line import CostLine, cost_inputs
from breakeven.core.plan import Plan
from breakeven.core.rent_price import rent_price
from breakeven.core.serverless import serverless_lines
from breakeven.core.units import HOURS_PER_MONTH, cents, count, plain_usd


def rent_lines(plan: Plan) -> tuple[CostLine, ...]:
    """The lines that depend on the price of a GPU."""
    if plan.facts.profile.is_serverless:
        return serverless_lines(plan)
    return (_node_rent(plan), *_interruptions(plan))


def rent_not_included(plan: Plan) -> tuple[str, ...]:
    """What comes on top of the rent, and nobody gave a figure for."""
    missing = _is_spot(plan) and plan.deployment.prices.spot_interruption_allowance is None
    return ("interruptions",) if missing else ()


def _node_rent(plan: Plan) -> CostLine:
    facts, price, nodes = plan.facts, rent_price(plan.facts), count(plan.nodes, "node")
    of_a_node, usd = facts.node_usd_per_month, facts.usd_per_gpu_hour
    if of_a_node is None:
        return CostLine(name="GPU rent", monthly_usd=None, detail="the profile has no reference rent", source="")
    gpus = facts.profile.gpus_per_node
    each = f"${of_a_node:,.2f}" if usd is None else f"{count(gpus, 'GPU')} × {plain_usd(usd)}/GPU-h × 730 h"
    return CostLine(
        name="GPU rent",
        monthly_usd=cents(of_a_node * plan.nodes),
        detail=f"{nodes} × {each}, {price.words}",
        source=price.source,
        checked=price.checked,
        quantity=Decimal(plan.nodes) if usd is None else plan.nodes * gpus * HOURS_PER_MONTH,
        unit="node-month" if usd is None else "GPU-hour",
        usd_per_unit=of_a_node if usd is None else usd,
        inputs=cost_inputs(
            nodes=plan.nodes,
            gpus_per_node=gpus,
            **({"usd_per_node_month": of_a_node} if usd is None else {"usd_per_gpu_hour": usd}),
            price=price.name,
        ),
    )


def _is_spot(plan: Plan) -> bool:
    return plan.facts.offer is not None and plan.facts.offer.commitment == "spot"


def _interruptions(plan: Plan) -> tuple[CostLine, ...]:
    share, of_a_node = plan.deployment.prices.spot_interruption_allowance, plan.facts.node_usd_per_month
    if not _is_spot(plan) or share is None or of_a_node is None:
        return ()
    return (
        CostLine(
            name="Interruptions",
            monthly_usd=cents(of_a_node * plan.nodes * Decimal(repr(share))),
            detail=f"{share:g} of the spot rent",
            source="prices.spot_interruption_allowance",
            inputs=cost_inputs(nodes=plan.nodes, spot_interruption_allowance=share),
        ),
    )
