"""The memory of LoRA adapters: vLLM sets it aside at the start. Against the real one: tests/vllm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from breakeven import load
from breakeven.core.adapters import adapters_bytes
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.serving import Adapter, LoraChoices, Rank
from breakeven.core.engine_args import EngineArgs
from breakeven.core.plan import Plan
from breakeven.errors import InfeasibleError

Planned = Callable[..., Plan]
# 3 × 4,096 in, 32 + 2 × 8 heads of 128 out, and back; three matrices of 4,096 × 12,288.
QWEN3_8B_LAYER = 12_288 + 6_144 + 4_096 + 4_096 + 3 * (4_096 + 12_288)


def with_adapters(number: int, rank: Rank) -> ChartChoices:
    adapters = tuple(Adapter(name=f"a{at}", source=f"acme/a{at}", rank=rank) for at in range(number))
    return ChartChoices(lora=LoraChoices(adapters=adapters))


def test_a_slot_has_two_matrices_for_each_of_the_model() -> None:
    model = load.models()["Qwen/Qwen3-8B"]
    found = adapters_bytes(model, EngineArgs(max_loras=1, max_lora_rank=16), 0)
    assert QWEN3_8B_LAYER == 75_776
    assert found == 16 * 2 * (36 * 75_776 + 2 * (151_936 + 4_096))


def test_tensor_parallelism_does_not_halve_it() -> None:
    """What goes into a column, and comes out of a row, is on every GPU."""
    model = load.models()["Qwen/Qwen3-8B"]
    one, two = (adapters_bytes(model, EngineArgs(max_loras=1, tensor_parallel_size=tp), 0) for tp in (1, 2))
    assert one / 2 < two < one


def test_stages_share_the_layers() -> None:
    model = load.models()["Qwen/Qwen3-8B"]
    args = EngineArgs(max_loras=1, pipeline_parallel_size=2)
    stages = [adapters_bytes(model, args, rank) for rank in (0, 1)]
    assert sum(stages) == adapters_bytes(model, EngineArgs(max_loras=1), 0)


def test_experts_make_adapters_large() -> None:
    """Each of 128 experts in 48 layers has its own: 128 × 48 × 3 × (2,048 + 768) × 16 × 2 bytes are 1.66 GB."""
    model = load.models()["Qwen/Qwen3-30B-A3B"]
    found = adapters_bytes(model, EngineArgs(max_loras=1), 0)
    assert found == pytest.approx(1.66e9, rel=0.05)


@pytest.mark.parametrize("name", sorted(load.models()))
def test_every_models_adapters_are_reckoned(name: str) -> None:
    model = load.models()[name]
    found = [adapters_bytes(model, EngineArgs(max_loras=loras), 0) for loras in (0, 1, 2)]
    assert 0 == found[0] < found[1] == found[2] / 2
    # An adapter of rank 16 is a fraction of the model; where experts are narrow, a large one.
    assert found[1] < 0.35 * model.parameters_billion * 2e9


def test_a_plan_counts_them(planned: Planned) -> None:
    without, with_two = planned("1xa100"), planned("1xa100", chart=with_adapters(2, 64))
    args = EngineArgs(max_loras=2, max_lora_rank=64)
    assert with_two.memory.adapters_gib * 2**30 == adapters_bytes(without.facts.model, args, 0)
    # The graphs are captured with adapters and without.
    graphs = without.memory.cuda_graph_gib
    assert with_two.memory.kv_gib == pytest.approx(without.memory.kv_gib - with_two.memory.adapters_gib - graphs)


def test_adapters_that_do_not_fit_are_refused_with_what_would(planned: Planned) -> None:
    with pytest.raises(InfeasibleError, match=r"GiB for LoRA adapters and .* or \d+ LoRA adapters$"):
        planned("1xa100", chart=with_adapters(40, 512))
