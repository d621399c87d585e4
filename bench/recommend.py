"""How long `deploy recommend` takes to search at least 10,000 candidates: `python -m bench.recommend`."""

from __future__ import annotations

from datetime import date
from functools import partial
from statistics import median
from time import process_time
from typing import Final

from bench.harness import machine, race, table
from bench.startup import DEPLOY, program

from breakeven import load
from breakeven.core.deployment import Deployment
from breakeven.core.recommend import Recommendations, recommend
from breakeven.core.search import Wanted
from breakeven.core.shape import of_accelerator
from breakeven.core.workload import Workload

_ROUNDS: Final = 11
_CANDIDATES: Final = 10_000
_REQUESTS: Final = 5_000_000
_DAY: Final = date(2026, 11, 24)


def main() -> None:
    """Print one table."""
    wanted = _wanted()
    found = _search(wanted)
    print(machine())
    print(f"{found.looked_at:,} candidates of {len(wanted)} models, {len(found.best)} worth a look")
    seconds = median(_cpu_seconds(wanted) for _ in range(_ROUNDS))
    print(f"The search: {seconds:.3f} s of one CPU, whatever else the machine does")
    models = [part for one in wanted for part in ("--model", one.name)]
    command = program(DEPLOY, "recommend", *models, "--accelerator", "any", "--requests-per-month", str(_REQUESTS))
    search = partial(_discarded, wanted)
    print(table("Recommend", race({"the search": search, "deploy recommend": command}, rounds=_ROUNDS)))


def _cpu_seconds(wanted: list[Wanted]) -> float:
    started = process_time()
    _search(wanted)
    return process_time() - started


def _discarded(wanted: list[Wanted]) -> None:
    _search(wanted)


def _search(wanted: list[Wanted]) -> Recommendations:
    """Nothing is kept between two searches but what is read from files."""
    deployment = Deployment(profile="1xa100", workload=Workload(requests_per_month=_REQUESTS))
    return recommend(deployment, wanted, [], _DAY, interchangeable=True)


def _wanted() -> list[Wanted]:
    """As many models of the catalogue as make so many candidates, each on every GPU at every dated offer."""
    offers, profiles = load.offers().values(), load.profiles().values()
    accelerators = load.accelerators().values()
    shapes = tuple(shape for one in accelerators for shape in of_accelerator(one, None, offers, profiles))
    wanted: list[Wanted] = []
    for name, model in load.models().items():
        wanted.append(Wanted(name=name, model=model, shapes=shapes))
        if _search(wanted).looked_at >= _CANDIDATES:
            break
    return wanted


if __name__ == "__main__":
    main()
