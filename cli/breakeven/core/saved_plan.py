"""A preview that was saved, to be approved and applied later: what it is bound to, and what has moved since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from breakeven.core.api_rates import ApiPrice
from breakeven.core.budget import Verdict
from breakeven.core.changes import Change
from breakeven.core.cost_line import CostLine
from breakeven.core.deployment import Deployment
from breakeven.core.live import Target
from breakeven.core.manifests import Manifest
from breakeven.core.preview import Preview
from breakeven.errors import GateError


@dataclass(frozen=True, kw_only=True)
class Versions:
    """Of the programs that made the preview, and would apply it."""

    breakeven: str
    pulumi: str
    provider: str


@dataclass(frozen=True, kw_only=True)
class SavedStep:
    """One step on one resource. Of its manifests the digests only: enough to tell whether they are the same."""

    op: str
    urn: str
    object: str
    paths: tuple[str, ...]
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What was shown, for those who read the file. `over_budget` are the reasons why it may not be applied."""

    before_usd_per_month: Decimal
    after_usd_per_month: Decimal
    delta_usd_per_month: Decimal | None
    unknown_prices: tuple[str, ...]
    over_budget: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SavedPlan:
    """`state` is the digest of the stack's resources as they were recorded; of an empty stack where there was none.

    `adopt` are existing objects, as KIND/NAME, that it may take over.
    """

    made_at: str
    stack: str
    summary: Summary
    deployment: Deployment
    cluster: Target
    state: str
    versions: Versions
    bill: tuple[CostLine, ...]
    api_prices: tuple[ApiPrice, ...]
    steps: tuple[SavedStep, ...]
    adopt: tuple[str, ...] = ()

    @property
    def comparators(self) -> tuple[str, ...]:
        return tuple(price.comparator for price in self.api_prices)


def saved_plan(
    preview: Preview, verdict: Verdict, prices: Iterable[ApiPrice], versions: Versions, made_at: str
) -> SavedPlan:
    """All that an apply of this preview depends on."""
    diff = preview.diff
    return SavedPlan(
        made_at=made_at,
        stack=preview.plan.stack,
        summary=Summary(
            before_usd_per_month=diff.before_usd,
            after_usd_per_month=diff.after_usd,
            delta_usd_per_month=diff.delta_usd,
            unknown_prices=diff.unknown,
            over_budget=verdict.reasons,
        ),
        deployment=preview.plan.deployment,
        cluster=preview.target,
        state=preview.state,
        versions=versions,
        bill=preview.projection.lines,
        api_prices=tuple(prices),
        steps=tuple(sorted((_step(step) for step in preview.changes.steps), key=lambda step: step.urn)),
        adopt=preview.adopt,
    )


def _step(step: Change) -> SavedStep:
    metadata = step.manifest.get("metadata") if step.is_kubernetes_object else None
    name = f"{step.manifest['kind']} {metadata.get('name', '')}" if isinstance(metadata, dict) else step.type
    before, after = (_digest(_anywhere(found)) for found in (step.old, step.new))
    is_elsewhere = step.type.startswith("pulumi:providers:") and before == after
    return SavedStep(
        op="same" if is_elsewhere else step.op,
        urn=step.urn,
        object=name,
        paths=() if is_elsewhere else step.paths,
        before=before,
        after=after,
    )


def _anywhere(found: Manifest | None) -> Manifest | None:
    """Without the provider's path of the kubeconfig: another machine has it elsewhere, and which cluster it leads to is
    held against the plan by itself.
    """
    return None if found is None else {key: value for key, value in found.items() if key != "kubeconfig"}


def _digest(manifest: Manifest | None) -> str | None:
    if manifest is None:
        return None
    return hashlib.sha256(json.dumps(manifest, sort_keys=True, default=str).encode()).hexdigest()


def refuse_another_cluster(saved: SavedPlan, target: Target) -> None:
    """Raises GateError. Asked before a preview, which would be of another cluster."""
    _refuse(saved, _cluster(saved.cluster, target))


def refuse_moved(saved: SavedPlan, found: SavedPlan) -> None:
    """Raises GateError, with all that moved, unless a preview of now is the saved one."""
    _refuse(saved, moved(saved, found))


def _refuse(saved: SavedPlan, what: Iterable[str]) -> None:
    if reasons := list(what):
        raise GateError(
            f"the plan that was saved at {saved.made_at} does not hold any more; nothing was applied:\n"
            + "\n".join(f"  - {reason}" for reason in reasons),
            hint="look at it anew with `deploy preview --save FILE`",
        )


def moved(saved: SavedPlan, found: SavedPlan) -> Iterator[str]:
    """A line for each thing that is not as it was."""
    yield from _inputs(saved, found)
    if set(saved.adopt) != set(found.adopt):
        yield f"objects to adopt: {_listed(saved.adopt)} → {_listed(found.adopt)}"
    yield from _cluster(saved.cluster, found.cluster)
    if saved.state != found.state:
        yield f"state: stack {found.stack} was changed by another run since"
    yield from _prices(saved, found)
    yield from _differing("version of", asdict(saved.versions), asdict(found.versions))
    yield from _steps(saved, found)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _inputs(saved: SavedPlan, found: SavedPlan) -> Iterator[str]:
    return _differing("input", _flat(asdict(saved.deployment)), _flat(asdict(found.deployment)))


def _flat(data: dict[Any, Any], prefix: str = "") -> dict[str, Any]:
    """`{"workload.requests_per_month": 1000000}`."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        nested = dict(enumerate(value)) if isinstance(value, tuple) else value
        flat |= _flat(nested, f"{prefix}{key}.") if isinstance(nested, dict) else {f"{prefix}{key}": value}
    return flat


def _cluster(saved: Target, found: Target) -> Iterator[str]:
    if saved.identifier != found.identifier:
        yield (
            f"cluster: {saved.server} (context {saved.context}) → {found.server} (context {found.context}), "
            "another cluster"
        )


def _prices(saved: SavedPlan, found: SavedPlan) -> Iterator[str]:
    yield from _differing("price of", _priced(saved.bill), _priced(found.bill))
    before = {price.comparator: price.usd_per_request for price in saved.api_prices}
    after = {price.comparator: price.usd_per_request for price in found.api_prices}
    yield from _differing("price of a request at", before, after)


def _priced(bill: Iterable[CostLine]) -> dict[str, str]:
    """With the arithmetic, the source and its date: a price that was looked up anew is another one."""
    return {line.name: _price(line) for line in bill}


def _price(line: CostLine) -> str:
    usd = "unknown" if line.monthly_usd is None else f"${line.monthly_usd:,.2f} a month"
    checked = f"checked {line.checked}" if line.checked else ""
    return f"{usd} ({'; '.join(part for part in (line.detail, line.source, checked) if part)})"


def _steps(saved: SavedPlan, found: SavedPlan) -> Iterator[str]:
    """Empty where the state moved: then steps differ for that reason, and say nothing more."""
    before, after = ({step.urn: step for step in plan.steps} for plan in (saved, found))
    if saved.state != found.state:
        return
    for urn in sorted({*before, *after}):
        old, new = before.get(urn), after.get(urn)
        if old != new:
            shown = new or old
            ops = [step.op if step else "nothing" for step in (old, new)]
            how = f"{ops[0]} → {ops[1]}" if ops[0] != ops[1] else f"{ops[0]} of other properties"
            yield f"change of {shown.object if shown else urn}: {how}"


def _differing(what: str, saved: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for name in {**saved, **found}:
        if saved.get(name) != found.get(name):
            yield f"{what} {name}: {_shown(saved.get(name))} → {_shown(found.get(name))}"


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)
