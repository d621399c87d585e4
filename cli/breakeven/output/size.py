"""A plan's memory and speed, and every other way to fill the node, on one screen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from breakeven.core.candidates import Candidate
from breakeven.core.engine_args import GPU_MEMORY_UTILIZATION
from breakeven.core.latency import Figure
from breakeven.core.measured import Near
from breakeven.core.memory import MARGIN_GIB
from breakeven.core.plan import Plan
from breakeven.core.rent_price import rent_price
from breakeven.core.sizing import Planned, Sizing
from breakeven.core.split import Split
from breakeven.core.throughput import untested
from breakeven.core.units import count
from breakeven.output import age, measured, money, plan_line, size_data, table, traffic

_MEMORY_HEADERS: Final = ["Memory of one GPU", "GiB"]
_SPEED_HEADERS: Final = ["Speed", "Estimate", "Low", "High"]
_CANDIDATE_HEADERS: Final = [
    *("Parallelism", "Precision", "Replicas", "max_model_len", "KV tokens"),
    *("Saturated /s", "Within /s", "Limited by", "$/1M requests", "Of best"),
]
_MOST_ROWS: Final = 12
_DROPPED_HEADERS: Final = ["Dropped", "Precision", "Why"]

_MEASURED: Final = {"estimate": "", "measured": ", measured"}
BOUNDS: Final = {
    "ttft_p99": "TTFT p99",
    "tpot": "TPOT",
    "kv_cache": "KV cache",
    "max_num_seqs": "max_num_seqs",
    "unreachable": "unreachable",
}


def render(output: str, sizing: Sizing, near: Sequence[Near], at: date) -> str:
    """By the value of `-o`; `near` are the measured runs nearest to the plan."""
    if output == "json":
        return json.dumps(size_data.data(sizing, near, at), indent=2)
    return "\n\n".join(_parts(output, sizing, near, at))


def _parts(output: str, sizing: Sizing, near: Sequence[Near], at: date) -> list[str]:
    parts = [_facts(output, sizing, at)]
    if sizing.planned:
        plan = sizing.planned.plan
        parts += [table.render(output, _MEMORY_HEADERS, _memory_rows(plan)), _kv_cache(plan)]
        parts.append(table.render(output, _SPEED_HEADERS, _speed_rows(sizing.planned)))
        if note := untested(plan.split.precision):
            parts.append(note)
        if plan.capacity.date:
            parts.append(f"Measured {plan.capacity.date}: {plan.capacity.source}. Everything else is estimated.")
        parts += measured.parts(output, near)
    shown = _shown(sizing)
    ranked = table.render(output, _CANDIDATE_HEADERS, [_candidate_row(sizing, one) for one in shown])
    parts.append(_below(output, _ranked_by(sizing), ranked))
    if hidden := len(sizing.candidates.ranked) - len(shown):
        parts.append(f"{hidden} more serve less; -o json has them all.")
    parts.append("\n".join(_notes(sizing)) if output != "markdown" else "\n\n".join(_notes(sizing)))
    if sizing.candidates.dropped:
        parts.append(table.render(output, _DROPPED_HEADERS, _dropped_rows(sizing)))
    return parts


def _shown(sizing: Sizing) -> list[Candidate]:
    """A screen of the best, and the plan's."""
    return [one for place, one in enumerate(sizing.candidates.ranked) if place < _MOST_ROWS or sizing.is_chosen(one)]


def _below(output: str, heading: str, rows: str) -> str:
    """Markdown needs an empty line before a table."""
    return f"{heading}\n\n{rows}" if output == "markdown" else f"{heading}\n{rows}"


def _facts(output: str, sizing: Sizing, at: date) -> str:
    profile = sizing.facts.profile
    plan = plan_line.of(sizing.planned.plan) if sizing.planned else f"`deploy up` refuses: {sizing.refused}"
    facts = [
        ("Profile", f"{profile.name}: {profile.title}"),
        ("Plan", plan),
        ("Traffic", traffic.with_mean(sizing.deployment.workload)),
        ("Rent", _rent(sizing, at)),
    ]
    markdown = output == "markdown"
    return "\n".join(f"- {name}: {value}" if markdown else f"{name:<8} {value}" for name, value in facts)


def _rent(sizing: Sizing, at: date) -> str:
    price = rent_price(sizing.facts)
    checked = f", checked {age.checked(price.checked, at)}" if price.checked else ""
    return f"{price.words}: {price.source}{checked}"


def _memory_rows(plan: Plan) -> list[list[str]]:
    """The last figure is that of the rounded ones, so that the column adds up; JSON has them in full."""
    memory, whole = plan.memory, plan.facts.accelerator.memory_gib
    terms = [
        (f"usable: gpu_memory_utilization {GPU_MEMORY_UTILIZATION:g} × {whole:,.2f}", memory.usable_gib),
        ("weights", -memory.weights_gib),
        *([("LoRA adapters", -memory.adapters_gib)] if memory.adapters_gib else []),
        ("outside PyTorch: CUDA, NCCL", -memory.non_torch_gib),
        ("activations at their peak", -memory.activation_gib),
        ("CUDA graphs", -memory.cuda_graph_gib),
    ]
    rounded = [(name, Decimal(f"{gib:.1f}")) for name, gib in terms]
    left = sum((gib for _, gib in rounded), Decimal(0))
    return [[name, f"{gib:,}"] for name, gib in (*rounded, ("left for KV cache", left))]


def _kv_cache(plan: Plan) -> str:
    memory = plan.memory
    return (
        f"KV cache of a replica: {memory.kv_tokens:,} tokens, {memory.concurrency:,.1f} requests of max_model_len "
        f"{plan.max_model_len:,} at once; {MARGIN_GIB:.1f} GiB of each GPU is kept back"
    )


def _speed_rows(planned: Planned) -> list[list[str]]:
    full, load, replicas = planned.saturated, planned.mean_load, planned.plan.replicas
    of = f", {count(replicas, 'replica')}"
    capacity = planned.plan.capacity
    within = Figure(value=capacity.requests_per_second, band=capacity.band)
    most = f"saturated{_MEASURED[capacity.saturated_basis]}{of}"
    figures = [
        (f"within the objective{_MEASURED[capacity.basis]}{of}: requests/s", within, replicas),
        (f"{most}: requests/s", full.requests_per_second, replicas),
        (f"{most}: output tokens/s", full.output_tokens_per_second, replicas),
        (f"{most}: total tokens/s", full.total_tokens_per_second, replicas),
    ]
    if load is None:
        missing = ["at the mean load: more requests than it serves", "-", "-", "-"]
        return [*(_speed_row(*figure) for figure in figures), missing]
    figures += [
        ("at the mean load: TTFT, mean, ms", load.ttft_ms, 1),
        ("at the mean load: TTFT, p99, ms", load.ttft_p99_ms, 1),
        ("at the mean load: TPOT, ms", load.tpot_ms, 1),
    ]
    return [_speed_row(*figure) for figure in figures]


def _speed_row(name: str, figure: Figure, times: int) -> list[str]:
    return [name, *(measured.figure(times * value) for value in (figure.value, figure.low, figure.high))]


def _ranked_by(sizing: Sizing) -> str:
    slo, profile = sizing.deployment.slo, sizing.facts.profile
    rent = size_data.node_usd_per_month(sizing)
    price = "rent unknown" if rent is None else f"{money.usd(rent)} a month"
    busy = " if busy all month" if profile.is_serverless else ""
    nodes = sizing.deployment.engine.nodes
    filled, each = ("one node", "") if nodes == 1 else (f"{nodes} nodes", " each")
    return (
        f"Candidates to fill {filled} of {count(profile.gpus_per_node, 'GPU')} ({price}{each}{busy}), the best first "
        "by requests/s within the objective per dollar.\n"
        f"Objective: {slo} (median)."
    )


def parallelism(split: Split) -> str:
    """`TP 4`, or `TP 2 × PP 2`."""
    tp, pp = split.tensor_parallel_size, split.pipeline_parallel_size
    return f"TP {tp} × PP {pp}" if pp > 1 else f"TP {tp}"


def stored(split: Split) -> str:
    """Weights, and KV cache where it is not as the activations."""
    return split.precision if split.kv_cache_dtype == "auto" else f"{split.precision}, KV {split.kv_cache_dtype}"


def _candidate_row(sizing: Sizing, candidate: Candidate) -> list[str]:
    best = sizing.candidates.ranked[0].slo_requests_per_second
    mine = candidate.slo_requests_per_second
    usd = candidate.usd_per_million_requests
    return [
        parallelism(candidate.split) + (" (up)" if sizing.is_chosen(candidate) else ""),
        stored(candidate.split),
        f"{candidate.replicas:,}",
        f"{candidate.memory.max_model_len:,}",
        f"{candidate.memory.kv_tokens:,}",
        measured.figure(candidate.requests_per_second),
        measured.figure(mine),
        BOUNDS[candidate.under_slo.bound],
        "-" if usd is None else money.usd(usd),
        "-" if not best else f"{100 * mine / best:.0f} %",
    ]


def _notes(sizing: Sizing) -> list[str]:
    splits = [one.split for one in sizing.candidates.ranked]
    notes = [
        _verdict(sizing),
        "Within rests on a model of TTFT p99 that no measurement has validated; Saturated was tested on measured rows.",
    ]
    if any(split.pipeline_parallel_size > 1 for split in splits):
        notes.append("No measured row has pipeline parallelism: rates with PP are the model's alone.")
    if sizing.deployment.engine.nodes > 1:
        notes.append(plan_line.NETWORK)
    if any(split.precision != sizing.facts.model.precision or split.kv_cache_dtype != "auto" for split in splits):
        notes.append("--precision fp8 and --kv-cache-dtype fp8 quantise; what that does to answers is not looked at.")
    return notes


def _verdict(sizing: Sizing) -> str:
    """Plainly, where the best is not what `up` makes."""
    best, chosen = sizing.candidates.ranked[0], sizing.chosen
    if not best.slo_requests_per_second:
        return "No candidate keeps the latency objective at any load."
    if chosen is best:
        return "The best candidate is what `deploy up` makes."
    stage = " in one pipeline stage" if sizing.deployment.engine.nodes == 1 else ""
    takes = f"`deploy up` takes the best as published{stage}, unless told otherwise"
    made = f"{takes}: {_named(chosen.split)}" if chosen else f"{takes}, and there is none"
    return f"The best candidate is {_named(best.split)}; {made}."


def _named(split: Split) -> str:
    return f"{parallelism(split)} in {stored(split)}"


def _dropped_rows(sizing: Sizing) -> list[list[str]]:
    """What does not fit for the same reason whatever the KV cache holds is said once."""
    seen = {
        (parallelism(one.split), one.split.precision, one.reason): one for one in reversed(sizing.candidates.dropped)
    }
    return [[parallelism(one.split), stored(one.split), one.reason] for one in reversed(seen.values())]
