"""A preview as text, Markdown or JSON: cluster, plan, changes, cost diff, API-equivalent, budget."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from breakeven.core.budget import Verdict
from breakeven.core.changes import Change, Changes
from breakeven.core.comparison import Comparison
from breakeven.core.outage import outages
from breakeven.core.pod_counts import gpus_range
from breakeven.core.preview import Preview
from breakeven.output import adoption, api, bill, checks, diff, offers, plan_line, served, table, traffic, verdict
from breakeven.output.diff import Paint

SCHEMA: Final = "breakeven.preview/1"

_SIGNS: Final = {"create": "+", "adopt": "~", "update": "~", "replace": "±", "delete": "-", "same": " "}


def render(
    output: str, preview: Preview, comparison: Comparison, ruled: Verdict, at: date, paint: Paint = diff.plain
) -> str:
    """By the value of `-o`. `at` gives prices their age; `paint` colours text for a terminal."""
    if output == "json":
        return json.dumps(data(preview, comparison, ruled, at), indent=2)
    if output == "markdown":
        return markdown(preview, comparison, ruled, at)
    return text(preview, comparison, ruled, at, paint)


def text(preview: Preview, comparison: Comparison, ruled: Verdict, at: date, paint: Paint = diff.plain) -> str:
    """In the order in which one decides: where, what, what changes, what it costs, what an API would cost, may it."""
    parts = [
        heading(preview),
        checks.text(preview.checks),
        _changes(preview, paint),
        _section(f"Cost per month, at prices of {at}", _bill(preview, at, paint)),
        _section(f"API-equivalent of {traffic.of(preview.plan.workload)}", api.text(comparison, at)),
        _section("Budget", verdict.text(ruled, paint)),
    ]
    return "\n\n".join(part for part in parts if part)


def _bill(preview: Preview, at: date, paint: Paint) -> str:
    """The diff, what is served for it, the range of real prices beside the one that counts; sources."""
    listing = f"`deploy profiles {preview.plan.facts.profile.name}` lists them for --offer"
    offered = f"{offers.span(preview.offered, at)}; {listing}"
    lines = [diff.text(preview.diff, paint), served.text(preview.serves), *_drift(preview), offered]
    sources = "\n".join(["Sources", *(f"  {source}" for source in bill.sources(preview.projection, at))])
    return "\n".join([*(line for line in lines if line), "", sources])


def _drift(preview: Preview) -> list[str]:
    """What prices did since the last apply, or why that is not known."""
    return [line for line in (diff.drift(preview.drift), preview.doubt) if line]


def _section(title: str, block: str) -> str:
    """A block below its title, indented; nothing where the block is empty."""
    lines = [f"  {line}".rstrip() for line in block.splitlines()]
    return "\n".join([title, *lines]) if lines else ""


def heading(preview: Preview) -> str:
    """Which cluster, which stack, which plan: printed before anything is asked."""
    target, plan = preview.target, preview.plan
    kept = ", which exists already and will be kept" if preview.keeps_namespace else ""
    where = f"{target.server} (context {target.context})" if target.server else ""
    rows = [
        ("Cluster", f"not asked{f'; recorded is {where}' if where else ''}" if preview.is_offline else where),
        ("Stack", f"{plan.stack} in namespace {plan.namespace}{kept}"),
        ("Plan", plan_line.of(plan)),
    ]
    return "\n".join(f"{name:<8} {value}" for name, value in rows)


def _changes(preview: Preview, paint: Paint) -> str:
    changes = preview.changes
    title = "Changes since the last apply, by the rendered manifests alone" if preview.is_offline else "Changes"
    if changes.is_empty:
        return f"{title}\n  no changes"
    lines = [title, *(f"  {line}" for line in _change_lines(changes, paint)), f"  {_summary(changes)}"]
    return "\n".join([*lines, *(f"  ! {line}" for line in _warnings(preview))])


def _warnings(preview: Preview) -> list[str]:
    return [*outages(preview.changes), *adoption.lines(preview.adopted)]


def _change_lines(changes: Changes, paint: Paint) -> Iterator[str]:
    """A line an object, and below it a line for each property that changes."""
    changing = [change for change in changes.objects if change.op != "same"]
    rows = [_row(change, changes)[:-1] for change in changing]
    aligned = table.text(["", "", "Object", "GPUs"], rows).splitlines()[1:] if rows else []
    for line, change in zip(aligned, changing, strict=True):
        yield diff.signed(line, line[0], paint)
        yield from (f"     {what}" for what in _what(change))


def _row(change: Change, changes: Changes) -> list[str]:
    return [_SIGNS.get(change.op, "?"), change.op, _object(change), _gpus(change, changes), ", ".join(_what(change))]


def _object(change: Change) -> str:
    metadata = change.manifest.get("metadata", {})
    return f"{change.manifest['kind']} {metadata.get('name', '')}"


def _gpus(change: Change, changes: Changes) -> str:
    """Before and after; with an autoscaler, between which it moves them."""
    is_kept = change.new and change.op != "delete"
    before = gpus_range([change.old], changes.manifests_before) if change.old else (0, 0)
    after = gpus_range([change.new], changes.manifests_after) if change.new and is_kept else (0, 0)
    if before == after:
        return f"{_span(after)} {_unit(after)}" if any(after) else ""
    return f"{_span(before)} → {_span(after)} {_unit(after)}"


def _span(gpus: tuple[int, int]) -> str:
    least, most = gpus
    return f"{least:,} to {most:,}" if least != most else f"{most:,}"


def _unit(gpus: tuple[int, int]) -> str:
    return "GPU" if gpus[1] == 1 else "GPUs"


def _what(change: Change) -> list[str]:
    is_shown = change.op in ("update", "replace", "adopt")
    return [_path(change, path) for path in change.paths] if is_shown else []


def _path(change: Change, path: str) -> str:
    """What is in an object of somebody else may be a secret, numbers excepted."""
    old, new = _at(change.old, path), _at(change.new, path)
    plain = int | float if change.op == "adopt" else str | int | float
    is_short = all(isinstance(value, plain) for value in (old, new))
    return f"{path}: {old} → {new}" if is_short else path


def _at(manifest: Any, path: str) -> Any:
    """The value at a path as the engine writes it: `spec.ports[0].port`, `metadata.annotations["a.b/c"]`."""
    for quoted, index, name in re.findall(r'\["([^"]+)"\]|\[(\d+)\]|([^.\["\]]+)', path):
        try:
            manifest = manifest[int(index)] if index else manifest[quoted or name]
        except (KeyError, IndexError, TypeError):
            return None
    return manifest


def _summary(changes: Changes) -> str:
    words = ", ".join(f"{count} to {op}" for op, count in changes.counts.items() if op != "same")
    hidden = sum(step.op != "same" for step in changes.steps) - sum(step.op != "same" for step in changes.objects)
    same = changes.counts.get("same", 0)
    own = f" ({hidden} of them Pulumi's own bookkeeping)" if hidden else ""
    return f"{words}{own}{f', {same} unchanged' if same else ''}"


def markdown(preview: Preview, comparison: Comparison, ruled: Verdict, at: date) -> str:
    """For a pull request: the headline first; of the checks, those that did not pass."""
    rows = [_row(change, preview.changes) for change in preview.changes.objects if change.op != "same"]
    changes = table.markdown(["", "Operation", "Object", "GPUs", "What"], rows) if rows else "No changes."
    doubts = [check for check in preview.checks if check.status != "pass"]
    parts = [
        f"### `{preview.plan.stack}`: {plan_line.of(preview.plan)}",
        diff.markdown(preview.diff),
        *_drift(preview),
        served.markdown(preview.serves),
        verdict.markdown(ruled),
        "\n".join(f"- {source}" for source in bill.sources(preview.projection, at)),
        checks.markdown(doubts) if doubts else "",
        changes,
        "\n".join(f"- **{line}**" for line in _warnings(preview)),
        api.markdown(comparison, at),
    ]
    return "\n\n".join(part for part in parts if part)


def data(preview: Preview, comparison: Comparison, ruled: Verdict, at: date) -> dict[str, Any]:
    """JSON-ready, as docs/schemas/preview.schema.json describes it; money as decimal strings."""
    plan = preview.plan
    return {
        "schema": SCHEMA,
        "prices_at": at.isoformat(),
        "cluster": {"server": preview.target.server, "context": preview.target.context},
        "offline": preview.is_offline,
        "stack": plan.stack,
        "namespace": plan.namespace,
        "gpus": {
            "before": preview.gpus_before,
            "after": preview.gpus_after,
            "after_range": list(preview.gpus_range_after),
        },
        "counts": preview.changes.counts,
        "changes": [_change_data(change) for change in preview.changes.objects if change.op != "same"],
        "outages": list(outages(preview.changes)),
        "adopted": adoption.data(preview.adopted),
        "checks": checks.data(preview.checks),
        "cost": {**diff.data(preview.diff), "drift": diff.data(preview.drift), "doubt": preview.doubt},
        "serves": served.data(preview.serves),
        "budget": verdict.data(ruled),
        "prices": bill.price_data(preview.projection, at),
        "offers": [bill.offered_data(rent, at) for rent in preview.offered],
        "api": api.data(comparison, at),
        "decision": api.decision_data(comparison),
    }


def _change_data(change: Change) -> dict[str, Any]:
    metadata = change.manifest.get("metadata", {})
    return {
        "op": change.op,
        "kind": change.manifest["kind"],
        "name": metadata.get("name"),
        "namespace": metadata.get("namespace"),
        "paths": list(change.paths),
    }
