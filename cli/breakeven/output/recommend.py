"""Recommended plans and APIs, the cheapest first, each with what to type next."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from breakeven.core.plan import Plan
from breakeven.core.recommend import Hosted, Recommendations
from breakeven.core.search import CONCESSIONS, Priced
from breakeven.output import api, money, plan_line, recommend_data, table
from breakeven.output.next_step import NextStep, next_step

# The flags that make a plan anew.
Flags = Callable[[Plan], list[str]]

_HEADERS: Final = ["No.", "Per month", "What", "Price", "Carries", "Request", "TTFT p99", "TPOT", "Mind"]


def render(output: str, found: Recommendations, flags: Flags) -> str:
    """By the value of `-o`."""

    def step(one: Priced) -> NextStep:
        return next_step(one, flags(one.plan))

    if output == "json":
        return json.dumps(recommend_data.data(found, step), indent=2)
    rows = [_row(number, one) for number, one in enumerate(found.ranked, 1)]
    parts = [
        _listed(output, "", [f"{name:<9} {value}" for name, value in _facts(found)]),
        table.render(output, _HEADERS, rows),
        _listed(output, "Notes", _notes(found)),
        _listed(output, "No plan", [f"{miss.reason}. Next: {miss.hint}" for miss in found.misses]),
        _listed(output, "Next", [f"{number}  {step(one)}" for number, one in _plans(found)]),
        _listed(output, "Sources", list(dict.fromkeys(source for _, one in _plans(found) for source in _sources(one)))),
    ]
    return "\n\n".join(part for part in parts if part)


def _listed(output: str, heading: str, lines: list[str]) -> str:
    """Indented below its heading, or as a Markdown list; nothing without lines."""
    if not lines:
        return ""
    if output == "markdown":
        return "\n".join([*([f"{heading}:", ""] if heading else []), *(f"- {line}" for line in lines)])
    return "\n".join([heading, *(f"  {line}" for line in lines)] if heading else lines)


def _plans(found: Recommendations) -> list[tuple[int, Priced]]:
    """With their numbers in the table."""
    return [(number, one) for number, one in enumerate(found.ranked, 1) if isinstance(one, Priced)]


def _facts(found: Recommendations) -> list[tuple[str, str]]:
    deployment = found.deployment
    mean = f"{deployment.workload.mean_requests_per_second:,.2f} requests/s on average"
    budget = "" if found.max_usd is None else f", for at most {money.usd(found.max_usd)} a month"
    fit = sum(search.fit for search in found.searches)
    return [
        ("Traffic", f"{api.traffic(deployment.workload)}; {mean}"),
        ("Objective", f"{deployment.slo}{budget}"),
        ("Models", _models(found)),
        ("Looked at", f"{found.looked_at:,} candidates; in {fit:,} the model fits, {len(found.best)} are worth a look"),
    ]


def _models(found: Recommendations) -> str:
    names = [search.wanted.model.name for search in found.searches]
    if len(names) == 1:
        return names[0]
    if found.interchangeable:
        return f"{' or '.join(names)}: each would do"
    return f"{', '.join(names)}: those of the profiles, not held against one another; --model says which would do"


def _row(number: int, one: Priced | Hosted) -> list[str]:
    if isinstance(one, Hosted):
        weights = f", the weights of {one.same_weights_as}" if one.same_weights_as else ""
        return [str(number), money.usd(one.monthly_usd), f"API {one.comparator}{weights}", one.source, *[""] * 5]
    load = one.mean_load
    return [
        str(number),
        f"{'at least ' if one.projection.unknown else ''}{money.usd(one.monthly_usd)}",
        _what(one.plan),
        _price(one.plan),
        f"{one.times_traffic:,.1f} ×",
        f"{one.request_s:,.1f} s",
        f"{load.ttft_p99_ms.value:,.0f} ms",
        f"{load.tpot_ms.value:,.0f} ms",
        ", ".join(sorted(one.concessions)),
    ]


def _what(plan: Plan) -> str:
    """The precision, too, where it is not the checkpoint's."""
    return f"{plan_line.of(plan)}{f' · {plan.quantization}' if plan.quantization else ''}"


def _price(plan: Plan) -> str:
    offer = plan.facts.offer
    if offer is None:
        return f"reference row of {plan.facts.profile.name}"
    return f"{offer.name}, {money.per_gpu_hour(offer.usd_per_gpu_hour)}"


def _notes(found: Recommendations) -> list[str]:
    notes = []
    if found.best:
        notes += [
            "Carries: the traffic that the plan is large enough for ÷ this traffic. Request: seconds of an average one at "
            "the mean load.",
            "A dearer plan is listed only where it is faster or carries more, by the 1.3 of the estimates' band, than "
            "every cheaper one that asks for no more to be minded.",
        ]
    notes += [f"{name}: {words}." for name, words in CONCESSIONS.items() if any(name in o.concessions for o in found.best)]
    if any(_is_assembled(one) for one in found.best):
        notes.append("The price of a single GPU is taken for nodes of several: whether they are sold so is not known.")
    if found.hosted:
        notes.append("How fast an API answers, and how much it lets through, is not known here.")
    return notes


def _is_assembled(one: Priced) -> bool:
    offer = one.plan.facts.offer
    return offer is not None and offer.gpu_count < one.plan.facts.profile.gpus_per_node


def _sources(one: Priced) -> list[str]:
    """Of each line of the bill; operations and setup of a node without a profile are another's."""
    base, price = one.shape.base, _price(one.plan).partition(",")[0]
    found = []
    for line in one.projection.lines:
        if line.checked:
            found.append(f"{price}: {line.source}, checked {line.checked}")
        elif line.source:
            found.append(f"{line.name}: {line.source}{f', that of {base.name}' if base else ''}")
    return found
