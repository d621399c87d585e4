from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

from breakeven.core.cost import project
from breakeven.core.deployment import Prices
from breakeven.core.live import Readiness, Target
from breakeven.core.plan import Plan
from breakeven.core.record import record_cost, recorded_cost
from breakeven.output import status

Planned = Callable[..., Plan]


def rendered(planned: Planned, output: str, at: date) -> str:
    plan = planned("4xa100", prices=Prices(offer="azure-nc24ads-a100"))
    target = Target(kubeconfig="", context="test", server="https://127.0.0.1:1", identifier="test")
    recorded = recorded_cost(record_cost(project(plan)))
    return status.render(output, plan, target, Readiness(found=True, ready=1, wanted=1, gpus=4), recorded, at)


def test_a_recorded_price_grows_stale(planned: Planned) -> None:
    """2026-11-09 to 2027-03-01 are 112 days; 4 × 3.673 × 730 + 1,500 = 12,225.16."""
    fresh = rendered(planned, "table", date(2026, 12, 1))
    assert fresh.endswith("Recorded   $12,225.16 a month, as last applied")
    mark = "GPU rent: checked 2026-11-09 (stale: 112 days old)"
    assert rendered(planned, "table", date(2027, 3, 1)).endswith(f"{fresh.splitlines()[-1]}\n           {mark}")
    assert mark in rendered(planned, "markdown", date(2027, 3, 1))


def test_json(planned: Planned) -> None:
    data = json.loads(rendered(planned, "json", date(2027, 3, 1)))
    assert (data["prices_at"], data["recorded_monthly_usd"]) == ("2027-03-01", "12225.16")
    assert (data["recorded_prices"][0]["age_days"], data["recorded_prices"][0]["stale"]) == (112, True)
