from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.cost import CostProjection, project
from breakeven.core.cost_diff import NOTHING, CostDiff, cost_diff
from breakeven.core.cost_line import CostInput, CostLine
from breakeven.core.deployment import Weights
from breakeven.core.plan import Plan
from breakeven.core.served import served, served_diff
from breakeven.output import diff, money
from breakeven.output import served as served_output

Planned = Callable[..., Plan]

LINES = st.builds(
    CostLine,
    name=st.sampled_from("abcdef"),
    monthly_usd=st.none() | st.decimals(min_value=0, max_value=10**6, places=2),
    detail=st.just("how"),
    source=st.just(""),
)
BILLS = st.lists(LINES, unique_by=lambda line: line.name).map(lambda lines: CostProjection(lines=tuple(lines)))


def test_a_second_node_as_text(planned: Planned) -> None:
    found = cost_diff(project(planned("4xa100")), project(planned("4xa100", nodes=2)))
    assert diff.text(found) == (
        "                   Before       After  Δ per month       Δ %  How\n"
        "~  GPU rent     $8,000.00  $16,000.00   +$8,000.00  +100.0 %  "
        "2 nodes × $8,000.00, reference row of 4xa100 (nodes 1 → 2)\n"
        "   2 unchanged  $1,500.00   $1,500.00        $0.00            Operations; Setup, amortised\n"
        "   Total        $9,500.00  $17,500.00   +$8,000.00   +84.2 %\n"
        "\n"
        "The bill rises by $8,000.00 to $17,500.00 a month."
    )


def test_an_unknown_price_as_text(planned: Planned) -> None:
    found = cost_diff(NOTHING, project(planned("4xa100", weights=Weights(storage="pvc"))))
    assert diff.text(found) == (
        "                     Before               After  Δ per month  Δ %  How\n"
        "+  GPU rent           $0.00           $8,000.00   +$8,000.00       "
        "1 node × $8,000.00, reference row of 4xa100\n"
        "+  Weights storage    $0.00             unknown      unknown       163 GiB × unknown/GiB-month\n"
        "+  Operations         $0.00           $1,000.00   +$1,000.00       the profile's default\n"
        "+  Setup, amortised   $0.00             $500.00     +$500.00       the profile's default\n"
        "   Total              $0.00  at least $9,500.00      unknown\n"
        "\n"
        "The bill becomes at least $9,500.00 a month; 1 price is unknown: Weights storage."
    )


def test_a_removal_falls(planned: Planned) -> None:
    found = cost_diff(project(planned("1xa100")), NOTHING)
    assert diff.sentence(found) == "The bill falls by $3,500.00 to $0.00 a month."


def test_no_change_is_one_sentence(planned: Planned) -> None:
    found = cost_diff(project(planned("1xa100")), project(planned("1xa100")))
    assert diff.text(found) == "The bill stays at $3,500.00 a month."
    assert diff.markdown(found) == "**The bill stays at $3,500.00 a month.**"


def test_an_unknown_price_that_stays_is_counted_and_changes_nothing(planned: Planned) -> None:
    bill = project(planned("1xa100", weights=Weights(storage="pvc")))
    assert diff.text(cost_diff(bill, bill)) == (
        "The bill stays at least $3,500.00 a month; 1 price is unknown: Weights storage."
    )


def test_markdown_leads_with_the_sentence_and_ends_with_a_bold_total(planned: Planned) -> None:
    lines = diff.markdown(cost_diff(project(planned("1xa100")), NOTHING)).splitlines()
    assert lines[0] == "**The bill falls by $3,500.00 to $0.00 a month.**"
    assert lines[3] == "| --: | --- | --: | --: | --: | --: | --- |"
    assert lines[4].startswith("| - | GPU rent | $2,000.00 | $0.00 | -$2,000.00 | -100.0 % | 1 node × $2,000.00")
    assert lines[-1] == "|  | **Total** | **$3,500.00** | **$0.00** | **-$3,500.00** | **-100.0 %** |  |"


def test_json_keeps_unknown_apart_from_nothing(planned: Planned) -> None:
    found = diff.data(cost_diff(NOTHING, project(planned("4xa100", weights=Weights(storage="pvc")))))
    assert found["before"] == {"monthly_usd": "0.00", "at_least": False}
    assert found["after"] == {"monthly_usd": "9500.00", "at_least": True}
    assert found["delta_monthly_usd"] is None
    assert found["unknown"] == ["Weights storage"]
    assert found["lines"][0]["delta_monthly_usd"] == "8000.00"
    assert found["lines"][1]["after_monthly_usd"] is None
    json.dumps(found)


def test_lines_have_the_colour_of_their_sign(planned: Planned) -> None:
    def tag(text: str, colour: str) -> str:
        return f"<{colour}>{text}</{colour}>"

    found = diff.text(
        cost_diff(project(planned("1xa100")), project(planned("4xa100", weights=Weights(storage="pvc")))), tag
    )
    assert re.findall(r"^<(\w+)>(.)", found, re.MULTILINE) == [
        ("yellow", "~"),
        ("green", "+"),
        ("yellow", "T"),
    ]
    assert diff.text(cost_diff(project(planned("1xa100")), NOTHING), tag).count("<red>-") == 3


def test_prices_that_moved_are_a_line_of_their_own(planned: Planned) -> None:
    def priced(usd: str) -> CostProjection:
        price = CostInput(name="usd_per_gpu_hour", value=usd)
        rent = CostLine(name="GPU rent", monthly_usd=Decimal(usd) * 730, detail="", source="", inputs=(price,))
        return CostProjection(lines=(rent, *project(planned("1xa100")).lines[1:]))

    assert diff.drift(cost_diff(priced("1.79"), priced("1.99"))) == (
        "Prices since the last apply: +$146.00 a month for the same plan: "
        "GPU rent $1,306.70 → $1,452.70 (usd_per_gpu_hour 1.79 → 1.99)"
    )
    assert diff.drift(cost_diff(priced("1.79"), priced("1.79"))) == ""


def test_what_is_served_stands_beside(planned: Planned) -> None:
    one, two = (served(planned("1xa100", replicas=replicas)) for replicas in (1, 2))
    assert served_output.text(served_diff(one, one)) == ""
    text = served_output.text(served_diff(one, two))
    assert text.startswith("It serves ")
    assert "405,376 → 810,752 tokens of KV cache (+100.0 %), 256 → 512 requests at once, at most (+100.0 %)." in text
    assert "unknown" in served_output.text(served_diff(None, two))
    for figure in ("405,376", "810,752", "+405,376"):
        assert figure in served_output.markdown(served_diff(one, two))
    assert served_output.data(served_diff(one, two))["kv_tokens"] == {
        "before": 405376,
        "after": 810752,
        "delta": 405376,
    }


@given(BILLS, BILLS)
def test_text_json_and_markdown_show_the_same_figures(before: CostProjection, after: CostProjection) -> None:
    """Those of the lines that change, and of the total; where none changes only the total is shown."""
    found = cost_diff(before, after)
    data = diff.data(found)
    shown = [line for line in data["lines"] if line["kind"] != "unchanged"]
    expected = [figures(line, ("before_monthly_usd", "after_monthly_usd", "delta_monthly_usd")) for line in shown]
    assert text_rows(diff.text(found), found) == expected
    assert markdown_rows(diff.markdown(found), found) == expected
    total = money.usd(Decimal(data["after"]["monthly_usd"]))
    assert total in diff.text(found)
    assert total in diff.markdown(found)
    assert diff.text(found).splitlines()[-1] == diff.markdown(found).splitlines()[0].strip("*")


def figures(line: dict[str, str | None], keys: tuple[str, ...]) -> list[str]:
    before, after, delta = (None if line[key] is None else Decimal(str(line[key])) for key in keys)
    return [money.usd(before), money.usd(after), money.delta(delta)]


def text_rows(text: str, found: CostDiff) -> list[list[str]]:
    lines = text.splitlines()[1 : len(found.changed) + 1]
    return [re.split(r"  +", line)[2:5] for line in lines]


def markdown_rows(text: str, found: CostDiff) -> list[list[str]]:
    lines = text.splitlines()[4 : len(found.changed) + 4]
    return [line.split(" | ")[2:5] for line in lines]
