"""Recommended plans and APIs, the cheapest first, each with what to type next."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from breakeven.core.nearest import Miss
from breakeven.core.plan import Plan
from breakeven.core.priced import CONCESSIONS, Priced
from breakeven.core.recommend import Hosted, Recommendations
from breakeven.core.units import count
from breakeven.output import age, api, money, plan_line, recommend_data, table, traffic
from breakeven.output.next_step import NextStep, next_step

# The flags that make a plan anew.
Flags = Callable[[Plan], list[str]]

# Plans in the text; JSON has all that are worth a look.
_SHOWN: Final = 10

_HEADERS: Final = ["No.", "Per month", "What", "Price", "Carries", "Request", "TTFT p99", "TPOT", "Mind"]


def render(output: str, found: Recommendations, unpriced: Sequence[str], flags: Flags) -> str:
    """By the value of `-o`. `unpriced` are GPUs that were asked for and that no dated offer prices."""

    def step(one: Priced) -> NextStep:
        return next_step(one, flags(one.plan))

    if output == "json":
        return json.dumps(recommend_data.data(found, unpriced, step), indent=2)
    shown = _shown(found)
    plans = [(number, one) for number, one in shown if isinstance(one, Priced)]
    sources = dict.fromkeys(source for _, one in plans for source in _sources(one, found.at))
    hosted = [one for _, one in shown if isinstance(one, Hosted)]
    is_markdown = output == "markdown"
    facts = [f"{name}: {value}" if is_markdown else f"{name:<10} {value}" for name, value in _facts(found)]
    parts = [
        _listed(output, "", facts),
        table.render(output, _HEADERS, [_row(number, one, found.at) for number, one in shown]),
        _listed(output, "No plan", [_miss(miss) for miss in found.misses]),
        _listed(output, "Next", _next([(number, step(one)) for number, one in plans])),
        _listed(output, "Notes", [*_notes(found, [one for _, one in plans]), *_unpriced(unpriced)]),
        _listed(output, "Sources", [*sources, *api.sources(hosted, found.at)]),
    ]
    return "\n\n".join(part for part in parts if part)


def _shown(found: Recommendations) -> list[tuple[int, Priced | Hosted]]:
    """With their numbers: all APIs, and the cheapest plans."""
    dearer = found.best[_SHOWN:]
    return list(enumerate((one for one in found.ranked if one not in dearer), 1))


def _listed(output: str, heading: str, lines: list[str]) -> str:
    """Indented below its heading, or as a Markdown list; nothing without lines."""
    if not lines:
        return ""
    if output == "markdown":
        return "\n".join([*([f"{heading}:", ""] if heading else []), *(f"- {line}" for line in lines)])
    return "\n".join([heading, *(f"  {line}" for line in lines)] if heading else lines)


def _facts(found: Recommendations) -> list[tuple[str, str]]:
    deployment = found.deployment
    budget = "" if found.max_usd is None else f", for at most {money.usd(found.max_usd)} a month"
    return [
        ("Traffic", traffic.with_mean(deployment.workload)),
        ("Objective", f"{deployment.slo}{budget}"),
        ("Models", _models(found)),
        ("Prices", f"of {found.at}"),
        ("Cheapest", _cheapest(found)),
    ]


def _miss(miss: Miss) -> str:
    """Most reasons begin with the model."""
    of = "" if miss.reason.startswith(miss.model) else f"{miss.model}: "
    return f"{of}{miss.reason}. Next: {miss.hint}"


def _next(steps: list[tuple[int, NextStep]]) -> list[str]:
    """What has to be written comes first, once for all commands that need it."""
    needing: dict[str, list[str]] = {}
    for number, step in steps:
        if step.first:
            needing.setdefault(step.first, []).append(str(number))
    first = [f"first, for {', '.join(numbers)}: {what}" for what, numbers in needing.items()]
    return [*first, *(f"{number}: {step.command}" for number, step in steps)]


def _cheapest(found: Recommendations) -> str:
    """On either side."""
    hosted, own = found.hosted[:1], found.best[:1]
    rows = [f"API {one.comparator} at {money.usd(one.monthly_usd)} a month" for one in hosted] or ["no API"]
    rows += [
        f"plan {one.plan.facts.model.name} on {one.plan.facts.profile.name} at {money.usd(one.monthly_usd)} a month"
        for one in own
    ] or ["no plan of your own will do"]
    return "; ".join(rows)


def _models(found: Recommendations) -> str:
    names = [search.wanted.model.name for search in found.searches]
    if len(names) == 1:
        return names[0]
    if found.interchangeable:
        return f"{' or '.join(names)}: each would do"
    return f"{', '.join(names)}: those of the profiles, not held against one another; --model says which would do"


def _row(number: int, one: Priced | Hosted, at: date) -> list[str]:
    if isinstance(one, Hosted):
        weights = f", the weights of {one.same_weights_as}" if one.same_weights_as else ""
        price = f"{api.rates(one)} per 1M in/out"
        return [str(number), money.usd(one.monthly_usd), f"API {one.comparator}{weights}", price, *[""] * 5]
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


def _notes(found: Recommendations, shown: list[Priced]) -> list[str]:
    fit = sum(search.fit for search in found.searches)
    notes = [f"{found.looked_at:,} candidates (model × node × split × price); the model fits in {fit:,}."]
    if shown:
        notes += [
            "A dearer plan is listed where it is faster or carries more than each cheaper one, by the 1.3 of the "
            "estimates' band.",
            "Carries: the traffic that a plan is large enough for ÷ this traffic. Request: an average one at the mean "
            "load.",
        ]
    if dearer := len(found.best) - len(shown):
        notes.append(f"{count(dearer, 'dearer plan')} of that kind: -o json.")
    notes += [f"{name}: {why}." for name, why in CONCESSIONS.items() if any(name in one.concessions for one in shown)]
    if any(_is_assembled(one) for one in shown):
        notes.append("The price of one GPU is taken for nodes of several: whether they are sold so is not known.")
    if missing := dict.fromkeys(name for one in shown for name in one.projection.not_included):
        notes.append(f"Not included in the bills: {', '.join(missing)}; deploy.yaml takes them under `prices`.")
    if found.hosted:
        notes.append("How fast an API answers, and how much it lets through, is not known here.")
    return notes


def _unpriced(titles: Sequence[str]) -> list[str]:
    return [f"Not looked at, since no dated offer prices them: {', '.join(titles)}."] if titles else []


def _is_assembled(one: Priced) -> bool:
    offer = one.plan.facts.offer
    return offer is not None and offer.gpu_count < one.plan.facts.profile.gpus_per_node


def _sources(one: Priced, at: date) -> list[str]:
    """Of each line of the bill; operations and setup of a node without a profile are another's."""
    base, price = one.shape.base, _price(one.plan).partition(",")[0]
    found = []
    for line in one.projection.lines:
        if line.checked:
            found.append(f"{price}: {line.source}, checked {age.checked(line.checked, at)}")
        elif line.source:
            found.append(f"{line.name}: {line.source}{f', that of {base.name}' if base else ''}")
    return found
