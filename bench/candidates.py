"""How many candidate plans a second one core judges: python -m bench.candidates

A candidate plan is one way to cut and store a replica, with one max_model_len. What fits is sized, estimated saturated
and within the latency objective, and ranked; what does not gets its reason. Lengths of one way share its speed, which
does not depend on them. Seconds are those of the core, so that a busy machine does not count.
"""

from __future__ import annotations

import time
from typing import Final

from bench.harness import machine

from breakeven import load
from breakeven.core.candidates import candidates, lengths
from breakeven.core.deployment import Deployment
from breakeven.core.memory import kv_cache
from breakeven.core.split import splits

_PROFILES: Final = ("4xa100", "8xh100")
_MODELS: Final = (
    "Qwen/Qwen3-8B",
    "Qwen/Qwen3-32B",
    "Qwen/Qwen2.5-72B-Instruct",
    "Qwen/Qwen3-235B-A22B",
    "openai/gpt-oss-120b",
)
_PASSES: Final = 5


def measure() -> tuple[int, int, float]:
    """Ways to cut and store a replica over all profiles and models, candidate plans, and seconds in the best pass."""
    made = [Deployment(profile=profile, model=model) for profile in _PROFILES for model in _MODELS]
    cases = [(deployment, load.facts(deployment)) for deployment in made]
    ways, plans = 0, 0
    for deployment, facts in cases:
        memory = kv_cache(facts.model, facts.accelerator)
        found = len(list(splits(facts)))
        ways, plans = ways + found, plans + found * len(lengths(deployment, facts, memory))
    best = float("inf")
    for _ in range(_PASSES):
        started = time.process_time()
        for deployment, facts in cases:
            candidates(deployment, facts, splits(facts))
        best = min(best, time.process_time() - started)
    return ways, plans, best


def main() -> None:
    ways, plans, seconds = measure()
    print(machine())
    print(f"{plans} candidate plans of {len(_PROFILES) * len(_MODELS)} deployments: {plans / seconds:,.0f} a second")
    print(f"{ways} ways to cut and store a replica: {ways / seconds:,.0f} a second")


if __name__ == "__main__":
    main()
