"""What the last apply costs and serves: as it was recorded, and at today's prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from breakeven import load
from breakeven.core.cost import CostProjection, project
from breakeven.core.cost_diff import NOTHING
from breakeven.core.plan import Plan, plan
from breakeven.core.served import NOTHING_SERVED, Served, recorded_served, served
from breakeven.engine.state import State
from breakeven.errors import DeployError


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """`today` is `recorded` where it cannot be priced any more; `doubt` then says why."""

    recorded: CostProjection
    today: CostProjection
    serves: Served | None
    doubt: str = ""


NO_BASELINE: Final = Baseline(recorded=NOTHING, today=NOTHING, serves=NOTHING_SERVED)


def baseline(state: State) -> Baseline:
    """Raises GateError where the recorded bill cannot be read."""
    recorded = state.cost
    if not recorded.lines:
        return NO_BASELINE
    try:
        former = _as_applied(state)
    except DeployError as error:
        # Such as an offer or a model that is not in the catalogue any more.
        return _as_recorded(recorded, state, error.message)
    except (LookupError, TypeError, ValueError):
        return _as_recorded(recorded, state, "another version of Breakeven recorded it")
    return Baseline(recorded=recorded, today=project(former), serves=served(former))


def _as_recorded(recorded: CostProjection, state: State, why: str) -> Baseline:
    return Baseline(
        recorded=recorded,
        today=recorded,
        serves=recorded_served(state.outputs.get("plan") or {}),
        doubt=f"Before is as it was recorded, not at today's prices: {why}.",
    )


def _as_applied(state: State) -> Plan:
    """The recorded inputs with today's catalogue, in the quantities that were applied."""
    deployment, record = state.outputs["deployment"], state.outputs["plan"]
    given = load.deployment_from(deployment, "the recorded deployment")
    engine = replace(
        given.engine,
        tensor_parallel_size=int(record["tensor_parallel_size"]),
        pipeline_parallel_size=int(record["pipeline_parallel_size"]),
        precision=record["precision"],
    )
    wanted = replace(given, max_model_len=int(record["max_model_len"]), engine=engine)
    found = plan(wanted, load.facts(wanted))
    # As many replicas were applied as the traffic needed by the estimate of then.
    return found if found.replicas == record["replicas"] else found.at(int(record["replicas"]))
