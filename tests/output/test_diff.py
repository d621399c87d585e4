from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

from breakeven.core.cost import project
from breakeven.core.cost_diff import NOTHING, cost_diff
from breakeven.core.deployment import Weights
from breakeven.core.plan import Plan
from breakeven.output import diff

Planned = Callable[..., Plan]


def test_a_second_node_as_text(planned: Planned) -> None:
    found = cost_diff(project(planned("4xa100")), project(planned("4xa100", nodes=2)))
    assert diff.text(found) == (
        "                     Before       After  Δ per month       Δ %  How\n"
        "GPU rent          $8,000.00  $16,000.00   +$8,000.00  +100.0 %  2 nodes × $8,000.00, reference row of 4xa100\n"
        "Operations        $1,000.00   $1,000.00        $0.00     0.0 %  the profile's default\n"
        "Setup, amortised    $500.00     $500.00        $0.00     0.0 %  the profile's default\n"
        "Total             $9,500.00  $17,500.00   +$8,000.00   +84.2 %\n"
        "\n"
        "The bill rises by $8,000.00 to $17,500.00 a month."
    )


def test_an_unknown_price_as_text(planned: Planned) -> None:
    found = cost_diff(NOTHING, project(planned("4xa100", weights=Weights(storage="pvc"))))
    assert diff.text(found) == (
        "                  Before               After  Δ per month  Δ %  How\n"
        "GPU rent           $0.00           $8,000.00   +$8,000.00       1 node × $8,000.00, reference row of 4xa100\n"
        "Weights storage    $0.00             unknown      unknown       163 GiB × unknown/GiB-month\n"
        "Operations         $0.00           $1,000.00   +$1,000.00       the profile's default\n"
        "Setup, amortised   $0.00             $500.00     +$500.00       the profile's default\n"
        "Total              $0.00  at least $9,500.00      unknown\n"
        "\n"
        "The bill becomes at least $9,500.00 a month; the price of Weights storage is unknown."
    )


def test_a_removal_falls(planned: Planned) -> None:
    found = cost_diff(project(planned("1xa100")), NOTHING)
    assert diff.sentence(found) == "The bill falls by $3,500.00 to $0.00 a month."


def test_no_change_stays(planned: Planned) -> None:
    found = cost_diff(project(planned("1xa100")), project(planned("1xa100")))
    assert diff.sentence(found) == "The bill stays at $3,500.00 a month."


def test_markdown_leads_with_the_sentence_and_ends_with_a_bold_total(planned: Planned) -> None:
    lines = diff.markdown(cost_diff(project(planned("1xa100")), NOTHING)).splitlines()
    assert lines[0] == "**The bill falls by $3,500.00 to $0.00 a month.**"
    assert lines[3] == "| --- | --: | --: | --: | --: | --- |"
    assert lines[-1] == "| **Total** | **$3,500.00** | **$0.00** | **-$3,500.00** | **-100.0 %** |  |"


def test_json_keeps_unknown_apart_from_nothing(planned: Planned) -> None:
    found = diff.data(cost_diff(NOTHING, project(planned("4xa100", weights=Weights(storage="pvc")))))
    assert found["before"] == {"monthly_usd": "0.00", "at_least": False}
    assert found["after"] == {"monthly_usd": "9500.00", "at_least": True}
    assert found["delta_monthly_usd"] is None
    assert found["lines"][0]["delta_monthly_usd"] == "8000.00"
    assert found["lines"][1]["after_monthly_usd"] is None
    json.dumps(found)


def test_json_totals_are_sums(planned: Planned) -> None:
    found = diff.data(cost_diff(project(planned("1xa100")), project(planned("4xa100", nodes=3))))
    assert Decimal(found["delta_monthly_usd"]) == sum(Decimal(line["delta_monthly_usd"]) for line in found["lines"])
