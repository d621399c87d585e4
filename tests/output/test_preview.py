"""What a preview says of its prices: where they are from, of which day, how old."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from tests.previews import preview_of

from breakeven import load, price_book
from breakeven.core.budget import Verdict
from breakeven.core.changes import Changes
from breakeven.core.comparison import compare
from breakeven.core.cost import offered_rents
from breakeven.core.deployment import Prices
from breakeven.core.plan import Plan
from breakeven.output import preview

Planned = Callable[..., Plan]

CHECKED = date(2026, 11, 9)
STALE = date(2027, 3, 1)


def rendered(planned: Planned, output: str, at: date) -> str:
    plan = planned("4xa100", prices=Prices(offer="azure-nc24ads-a100"))
    offered = offered_rents(plan, load.offers_of(plan.facts.profile))
    found = replace(preview_of(plan), changes=Changes(steps=()), offered=offered)
    comparison = compare(plan, price_book.prices(plan, ["openai/gpt-4o"], at))
    return preview.render(output, found, comparison, Verdict(rulings=()), at)


def test_every_price_has_its_source_and_day(planned: Planned) -> None:
    for output in ("table", "markdown"):
        text = rendered(planned, output, CHECKED)
        assert (
            "GPU rent: https://github.com/datareceipts/data-receipts/tree/main/109-gpu-pricing, checked 2026-11-09\n"
            in text
        )
        assert "genai-prices 0.2.3 of 2026-11-10" in text
        assert "stale" not in text
    assert "Cost per month, at prices of 2026-11-09" in rendered(planned, "table", CHECKED)


def test_stale_ones_are_marked(planned: Planned) -> None:
    """2026-11-09 to 2027-03-01 are 112 days."""
    for output in ("table", "markdown"):
        text = rendered(planned, output, STALE)
        assert "checked 2026-11-09 (stale: 112 days old)" in text
        assert "(stale: 111 days old)" in text, "the price book"
    assert "a month, checked 2026-11-09, 4 of 4 stale; `deploy profiles 4xa100`" in rendered(planned, "table", STALE)


def test_age_in_json(planned: Planned) -> None:
    data = json.loads(rendered(planned, "json", STALE))
    assert data["prices_at"] == "2027-03-01"
    rent, *own = data["prices"]
    assert (rent["name"], rent["checked"], rent["age_days"], rent["stale"]) == ("GPU rent", "2026-11-09", 112, True)
    assert {(line["checked"], line["age_days"]) for line in own} == {(None, None)}
    assert [offer["age_days"] for offer in data["offers"]] == [112] * 4
    assert [(api["age_days"], api["stale"]) for api in data["api"]] == [(111, True)]
