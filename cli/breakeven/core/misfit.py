"""The ways to do what is asked for, and why none of them fits."""

from __future__ import annotations

from dataclasses import replace

from breakeven.core.candidates import engine_args
from breakeven.core.deployment import MOST_NODES_PER_REPLICA, Deployment
from breakeven.core.engine_args import EngineArgs
from breakeven.core.facts import Facts, tokens_needed
from breakeven.core.fit_advice import advise
from breakeven.core.memory import kv_cache
from breakeven.core.split import Split, kv_cache_dtypes, precisions, splits
from breakeven.core.units import count
from breakeven.errors import InfeasibleError, InputError


def asked_for(deployment: Deployment, facts: Facts, nodes: int) -> list[Split]:
    """What the user wants, on so many nodes a replica."""
    engine = replace(deployment.engine, nodes_per_replica=nodes)
    return [split for split in splits(facts, nodes) if split.is_asked(engine, facts.model.precision)]


def does_not_fit(deployment: Deployment, facts: Facts, asked: list[Split]) -> InfeasibleError:
    """What is needed against what the most GPUs of the node have, and the nearest changes that would do."""
    if not asked:
        return _no_such_split(deployment, facts)
    most = max(
        (split for split in asked if not facts.model.why_not_split(split.tensor_parallel_size)),
        key=lambda split: (split.gpus, split.tensor_parallel_size),
        default=asked[0],
    )
    args = engine_args(deployment, most, tokens_needed(deployment, facts.model))
    advice = advise(facts.model, facts.accelerator, args, kv_cache(facts.model, facts.accelerator, args))
    where = facts.profile.name if most.nodes == 1 else f"{most.nodes} nodes of {facts.profile.name}"
    return InfeasibleError(
        f"{facts.model.name} does not fit {where}, {most.gpus} × {facts.accelerator.title}: {advice}",
        hint="choose a larger profile (`deploy profiles`) or a smaller model (`deploy models`)"
        f"{_over_nodes(deployment, facts)}",
    )


def _over_nodes(deployment: Deployment, facts: Facts) -> str:
    """The fewest nodes over which it fits; they are several times the rent, so nobody gets them unasked."""
    if facts.profile.is_serverless:
        return ""
    more = range(deployment.engine.nodes + 1, MOST_NODES_PER_REPLICA + 1)
    nodes = next((nodes for nodes in more if _fits(deployment, facts, nodes)), None)
    return f"; over {nodes} nodes it fits: --nodes-per-replica {nodes}" if nodes else ""


def _fits(deployment: Deployment, facts: Facts, nodes: int) -> bool:
    tokens = tokens_needed(deployment, facts.model)
    return any(_holds(facts, engine_args(deployment, split, tokens)) for split in asked_for(deployment, facts, nodes))


def _holds(facts: Facts, args: EngineArgs) -> bool:
    try:
        return kv_cache(facts.model, facts.accelerator, args).fits
    except InputError:
        return False


def _no_such_split(deployment: Deployment, facts: Facts) -> InfeasibleError:
    choice = deployment.engine
    if choice.kv_cache_dtype not in (None, *kv_cache_dtypes(facts)):
        return InfeasibleError(
            f"{facts.accelerator.title} has no fp8 arithmetic: its KV cache is kept as the activations are",
            hint="leave kv_cache_dtype out",
        )
    if choice.precision and choice.precision not in precisions(facts):
        return InfeasibleError(
            f"{facts.model.name}, published in {facts.model.precision}, cannot run in {choice.precision} "
            f"on {facts.accelerator.title}",
            hint="choose a checkpoint that is published so (`deploy models`), or leave the precision out",
        )
    return _no_such_parallelism(deployment, facts)


def _no_such_parallelism(deployment: Deployment, facts: Facts) -> InfeasibleError:
    choice, node = deployment.engine, facts.profile.gpus_per_node
    of_a_node = f"{facts.profile.name} has {count(node, 'GPU')} a node"
    if choice.nodes > 1:
        return InfeasibleError(
            f"{of_a_node}: over {choice.nodes} of them tensor_parallel_size must divide {node}, and "
            f"tensor_parallel_size × pipeline_parallel_size be {choice.nodes * node}",
            hint="leave both out: `deploy size` lists the ways to fill the nodes",
        )
    nodes, rest = divmod((choice.tensor_parallel_size or 1) * (choice.pipeline_parallel_size or 1), node)
    spanning = nodes > 1 and not rest and not facts.profile.is_serverless
    over = f"over {nodes} nodes: --nodes-per-replica {nodes}; " if spanning else ""
    return InfeasibleError(
        f"{of_a_node}: tensor_parallel_size × pipeline_parallel_size must divide it",
        hint=f"{over}`deploy size` lists the ways to fill the node",
    )
