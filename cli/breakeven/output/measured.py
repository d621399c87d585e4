"""Measured runs beside an estimate: how each is like the plan, how it is not, and who measured it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from breakeven.core.measured import Near
from breakeven.output import table

_HEADERS: Final = ["Measured", "Estimate", "Source", "Compared with the plan"]
_HEADING: Final = (
    "Published runs nearest to the plan, requests/s of one server; beside each, "
    "what the model of throughput says of vLLM."
)
NONE: Final = "No published run that is packaged here is near this plan: nothing but the estimate speaks for it."


def parts(output: str, near: Sequence[Near]) -> list[str]:
    """Paragraphs: the runs with a number for each source, and the sources."""
    if not near:
        return [NONE]
    sources = list(dict.fromkeys(_source(one) for one in near))
    rows = [row for one in near for row in _rows(one, sources.index(_source(one)) + 1)]
    cited = [f"[{number}] {source}" for number, source in enumerate(sources, start=1)]
    runs = table.render(output, _HEADERS, rows)
    between = "\n\n" if output == "markdown" else "\n"
    return [between.join([_HEADING, runs, *cited])]


def _rows(near: Near, source: int) -> list[list[str]]:
    """Two, since one would be wider than a screen."""
    estimated = near.estimated_requests_per_second
    figures = [figure(near.run.requests_per_second), "-" if estimated is None else figure(estimated), f"[{source}]"]
    words = [f"{kind} {', '.join(found)}" for kind, found in (("same", near.same), ("other", near.other)) if found]
    return [[*figures, words[0]], *(["", "", "", more] for more in words[1:])]


def _source(near: Near) -> str:
    return f"{near.series.measured}: {near.series.source}"


def figure(value: float) -> str:
    """Three digits or so: an estimate has no more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def data(near: Near) -> dict[str, Any]:
    """As `deploy size -o json` has it."""
    series, run = near.series, near.run
    estimated = near.estimated_requests_per_second
    return {
        "requests_per_second": run.requests_per_second,
        "estimate": None if estimated is None else round(estimated, 4),
        "same": list(near.same),
        "other": list(near.other),
        "model": series.ran,
        "accelerator": series.accelerator,
        "tensor_parallel_size": series.tensor_parallel_size,
        "precision": series.precision,
        "kv_cache_dtype": series.kv_cache_dtype,
        "engine": series.engine,
        "engine_version": series.engine_version,
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "concurrency": run.concurrency,
        "ttft_ms": run.ttft_ms,
        "tpot_ms": run.tpot_ms,
        "source": series.source,
        "measured": series.measured,
    }
