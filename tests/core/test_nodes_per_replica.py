"""A replica over several nodes: only when asked for, whole nodes, each layer within one of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from breakeven import load
from breakeven.core.break_even import break_even
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.fill import chart_values
from breakeven.core.chart.group import GroupChoices
from breakeven.core.chart.placement import Placement, Spread
from breakeven.core.cost import project, weights_volume_gib
from breakeven.core.deployment import Deployment, EngineChoice, Prices, Weights
from breakeven.core.drift import drift
from breakeven.core.plan import Plan
from breakeven.core.pod import pod
from breakeven.core.sizing import size
from breakeven.errors import InfeasibleError, InputError

Planned = Callable[..., Plan]

V3 = "deepseek-ai/DeepSeek-V3"
TWO = EngineChoice(nodes_per_replica=2)


def test_nobody_gets_two_nodes_unasked(planned: Planned) -> None:
    with pytest.raises(InfeasibleError, match="does not fit 8xh100, 8 × H100") as refused:
        planned("8xh100", model=V3)
    assert (refused.value.hint or "").endswith("; over 2 nodes it fits: --nodes-per-replica 2")


def test_as_many_nodes_are_named_as_it_takes(planned: Planned) -> None:
    """Kimi-K2: 958 GiB ÷ 16 GPUs = 59.9 GiB beside KV cache; of 4 × 80 GB it takes 4 nodes, not 3."""
    with pytest.raises(InfeasibleError) as refused:
        planned("4xa100", model="moonshotai/Kimi-K2-Instruct")
    assert "--nodes-per-replica 4" in (refused.value.hint or "")
    with pytest.raises(InfeasibleError, match="does not fit 3 nodes of 4xa100, 12 × A100"):
        planned("4xa100", model="moonshotai/Kimi-K2-Instruct", engine=EngineChoice(nodes_per_replica=3))


def test_it_is_cut_within_a_node_and_dealt_out_to_nodes(planned: Planned) -> None:
    found = planned("8xh100", model=V3, engine=TWO)
    assert (found.split.tensor_parallel_size, found.split.pipeline_parallel_size, found.split.nodes) == (8, 2, 2)
    assert (found.replicas, found.gpus, found.nodes, found.gpus_unused) == (1, 16, 2, 0)
    assert found.runs_as == "LeaderWorkerSet"


def test_every_way_fills_the_nodes(planned: Planned) -> None:
    deployment = Deployment(profile="8xh100", model=V3, engine=TWO)
    ways = size(deployment, load.facts(deployment)).candidates
    splits = [*(one.split for one in ways.ranked), *(one.split for one in ways.dropped)]
    assert {(split.tensor_parallel_size, split.pipeline_parallel_size) for split in splits} == {
        (1, 16), (2, 8), (4, 4), (8, 2),
    }  # fmt: skip
    assert {one.replicas for one in ways.ranked} == {1}


def test_its_weights_are_counted_over_all_gpus(planned: Planned) -> None:
    """680 GB of weights; the stage with the output head is the larger: 30 of 61 layers and the head, on 8 GPUs."""
    found = planned("8xh100", model=V3, engine=TWO)
    assert 16 * found.memory.weights_gib == pytest.approx(found.facts.model.weights_gib, rel=0.06)


def test_whole_nodes_are_rented(planned: Planned) -> None:
    rent = project(planned("8xh100", model=V3, engine=TWO, replicas=3)).lines[0]
    assert rent.monthly_usd == Decimal("180000.00")
    assert rent.detail.startswith("6 nodes × $30,000.00")


def test_a_claim_of_each_pod_is_paid(planned: Planned) -> None:
    prices = Prices(storage_usd_per_gib_month=Decimal("0.1"))
    found = planned("8xh100", model=V3, engine=TWO, weights=Weights(storage="ephemeral"), prices=prices)
    storage = project(found).lines[1]
    assert storage.quantity == 2 * weights_volume_gib(found)


def test_nodes_must_come_in_whole_replicas(planned: Planned) -> None:
    assert planned("8xh100", model=V3, engine=TWO, nodes=4).replicas == 2
    with pytest.raises(InputError, match="nodes 3 is no multiple of nodes_per_replica 2"):
        planned("8xh100", model=V3, engine=TWO, nodes=3)


def test_more_stages_than_a_node_has_point_to_more_nodes(planned: Planned) -> None:
    engine = EngineChoice(tensor_parallel_size=8, pipeline_parallel_size=2)
    with pytest.raises(InfeasibleError) as refused:
        planned("8xh100", model=V3, engine=engine)
    assert (refused.value.hint or "").startswith("over 2 nodes: --nodes-per-replica 2")
    asked = EngineChoice(tensor_parallel_size=8, pipeline_parallel_size=2, nodes_per_replica=2)
    assert planned("8xh100", model=V3, engine=asked).gpus == 16


@pytest.mark.parametrize(
    "engine",
    [
        EngineChoice(nodes_per_replica=2, tensor_parallel_size=16),
        EngineChoice(nodes_per_replica=2, pipeline_parallel_size=3),
    ],
)
def test_a_layer_does_not_cross_nodes(planned: Planned, engine: EngineChoice) -> None:
    with pytest.raises(InfeasibleError, match="tensor_parallel_size must divide 8"):
        planned("8xh100", model=V3, engine=engine)


def test_knative_runs_single_pods(planned: Planned) -> None:
    with pytest.raises(InputError, match="not for a serverless profile"):
        planned("serverless", engine=TWO)


@pytest.mark.parametrize("nodes", [0, 17])
def test_the_number_of_nodes_has_bounds(nodes: int) -> None:
    with pytest.raises(ValueError, match="nodes_per_replica must be from 1 to 16"):
        EngineChoice(nodes_per_replica=nodes)


def test_a_pod_is_the_part_on_one_node(planned: Planned) -> None:
    two, one = planned("8xh100", engine=TWO), planned("8xh100")
    assert pod(two).shm_gib == pod(one).shm_gib == 16
    assert pod(two).memory_gib == pod(one).memory_gib
    assert chart_values(two).resources.gpus == 8
    # The node that pulls the image last keeps the other waiting: 10 more minutes.
    assert two.startup_budget_s == one.startup_budget_s + 600
    assert chart_values(two).group.timeout_seconds == two.startup_budget_s


def test_a_claim_is_shared_by_the_pods_of_one_server(planned: Planned) -> None:
    weights = Weights(storage="pvc", access_mode="ReadWriteOnce")
    with pytest.raises(InputError, match="2 pods share it"):
        planned("8xh100", engine=TWO, weights=weights)
    assert chart_values(planned("8xh100", engine=TWO, weights=Weights(storage="pvc"))).weights.access_mode == (
        "ReadWriteMany"
    )


def test_the_group_is_configured_where_there_is_one(planned: Planned) -> None:
    with pytest.raises(InputError, match="group is for a server on several nodes"):
        planned("8xh100", chart=ChartChoices(group=GroupChoices(environment={"NCCL_SOCKET_IFNAME": "eth0"})))
    with pytest.raises(ValueError, match="a variable of NCCL or Gloo"):
        GroupChoices(environment={"LD_PRELOAD": "/tmp/a.so"})


def test_the_pods_of_a_group_are_not_spread(planned: Planned) -> None:
    spread = ChartChoices(placement=Placement(spread=(Spread(topology_key="topology.kubernetes.io/zone"),)))
    with pytest.raises(InputError, match="whose pods belong together"):
        planned("8xh100", engine=TWO, chart=spread)


def test_nodes_of_a_replica_break_even_together(planned: Planned) -> None:
    """Two nodes cost $60,000 and serve 44,561,656 requests: at $0.001 each $44,562, so never; at $0.00137 $61,049.

    $1,500 ÷ $1,049 over the rent: two pairs of nodes.
    """
    found = planned("8xh100", model=V3, engine=TWO)
    never, once = (break_even(found, project(found), Decimal(usd)) for usd in ("0.001", "0.00137"))
    assert never and never.nodes is None
    assert once and (once.reachable, once.nodes) == (False, 4)


def test_drift_counts_whole_groups(planned: Planned) -> None:
    found = planned("8xh100", model=V3, engine=TWO)
    limits = {"resources": {"limits": {"nvidia.com/gpu": 8}}}
    spec = {"spec": {"containers": [limits]}}
    group = {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "llm-8xh100"},
        "spec": {
            "replicas": 1,
            "leaderWorkerTemplate": {"size": 2, "leaderTemplate": spec, "workerTemplate": spec},
        },
    }
    scaled = {**group, "spec": {**group["spec"], "replicas": 2}}  # type: ignore[dict-item]
    seen = drift(found, [(group, scaled)])
    assert (seen.gpus_applied, seen.gpus_live) == (16, 32)
    assert seen.diff.delta_usd == Decimal("60000.00")
