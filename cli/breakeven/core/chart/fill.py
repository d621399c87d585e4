"""Plan → values of the chart. Every number comes computed from `core.pod`; what the user may choose is passed on."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any, Final

from breakeven.core.chart.autoscaler import Autoscaler
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.group import Group
from breakeven.core.chart.monitoring import Monitoring
from breakeven.core.chart.placement import Disruption, NodeLabel, NodeTerm
from breakeven.core.chart.security import HubToken
from breakeven.core.chart.server import Engine, Image, Probe, Probes, Resources, Rollout, Serverless
from breakeven.core.chart.serving import lora
from breakeven.core.chart.storage import WeightsVolume
from breakeven.core.chart.values import Values
from breakeven.core.cost import project
from breakeven.core.engine_args import GPU_MEMORY_UTILIZATION, VLLM_VERSION
from breakeven.core.plan import Plan
from breakeven.core.pod import Pod, pod
from breakeven.core.units import HOURS_PER_MONTH
from breakeven.errors import DeployError

# OpenCost sums the cost of models by it: https://github.com/opencost/opencost/issues/3845
_OPENCOST: Final = "llm-d.ai/model"


def chart_values(plan: Plan) -> Values:
    """All of them: nothing is left to the chart's defaults. Raises DeployError where a value cannot be one."""
    try:
        return _filled(plan, pod(plan), plan.deployment.chart)
    except ValueError as error:
        raise DeployError(f"the chart refuses its values: {error}") from error


def _filled(plan: Plan, sized: Pod, choices: ChartChoices) -> Values:
    return Values(
        model=plan.facts.model.name,
        replicas=plan.replicas,
        autoscaler=_autoscaler(plan, sized),
        image=Image(**_fields(choices.image), tag=f"v{VLLM_VERSION}"),
        engine=_engine(plan, sized),
        hub_token=HubToken(secret_name=plan.deployment.hub_token_secret or ""),
        api_key=choices.api_key,
        weights=_weights(plan, sized),
        group=Group(**_fields(choices.group), nodes=plan.split.nodes, timeout_seconds=sized.startup_s),
        resources=_resources(plan, sized),
        node_selector_terms=_terms(plan),
        placement=choices.placement,
        pod_labels={
            "breakeven/profile": sized.profile_label,
            "breakeven/model": sized.model_label,
            _OPENCOST: sized.model_label,
        },
        pod=choices.pod,
        probes=_probes(plan, sized),
        rollout=_rollout(sized),
        disruption=_disruption(plan),
        network_policy=choices.network_policy,
        service=choices.service,
        service_account=choices.service_account,
        ingress=choices.ingress,
        route=choices.route,
        serverless=_serverless(plan, sized),
        monitoring=_monitoring(plan, sized),
        lora=lora(choices.lora),
        chat_template=choices.chat_template,
    )


def _fields(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def _engine(plan: Plan, sized: Pod) -> Engine:
    return Engine(
        tensor_parallel_size=plan.split.tensor_parallel_size,
        pipeline_parallel_size=plan.split.pipeline_parallel_size,
        quantization=plan.quantization or "",
        tool_call_parser=plan.facts.model.tool_parser or "",
        reasoning_parser=plan.facts.model.reasoning_parser or "",
        kv_cache_dtype=plan.split.kv_cache_dtype,
        max_model_len=plan.max_model_len,
        gpu_memory_utilization=GPU_MEMORY_UTILIZATION,
        shutdown_timeout_seconds=sized.shutdown_timeout_s,
    )


def _weights(plan: Plan, sized: Pod) -> WeightsVolume:
    given = _fields(plan.deployment.weights) | {"access_mode": sized.weights_access_mode}
    return WeightsVolume(**given, size_gib=sized.weights_gib)


def _resources(plan: Plan, sized: Pod) -> Resources:
    return Resources(
        gpus=plan.split.gpus_per_pod,
        cpu=sized.cpu,
        memory_gib=sized.memory_gib,
        shm_gib=sized.shm_gib,
        ephemeral_storage_gib=sized.ephemeral_storage_gib,
    )


def _terms(plan: Plan) -> tuple[NodeTerm, ...]:
    """One a platform: a node is eligible when it has all labels of one."""
    return tuple(
        NodeTerm(match_expressions=tuple(NodeLabel(key=label.key, values=label.values) for label in platform.labels))
        for platform in plan.facts.profile.placement
    )


def _probes(plan: Plan, sized: Pod) -> Probes:
    chosen = plan.deployment.chart.probes
    start = Probe(period_seconds=sized.startup_period_s, failure_threshold=sized.startup_failure_threshold)
    return Probes(startup=start, readiness=chosen.readiness, liveness=chosen.liveness)


def _rollout(sized: Pod) -> Rollout:
    return Rollout(
        max_surge=sized.max_surge,
        max_unavailable=sized.max_unavailable,
        progress_deadline_seconds=sized.progress_deadline_s,
        pulumi_timeout_seconds=sized.pulumi_timeout_s,
        termination_grace_period_seconds=sized.termination_grace_s,
        pre_stop_seconds=sized.pre_stop_s,
    )


def _autoscaler(plan: Plan, sized: Pod) -> Autoscaler:
    """None where the number of servers is fixed, or Knative's affair; the size of one is filled in all the same."""
    none = Autoscaler(
        requests_per_server=sized.requests_per_server,
        scale_up_seconds=sized.scale_up_s,
        scale_down_seconds=sized.scale_down_s,
    )
    if not plan.is_autoscaled:
        return none
    least, most = plan.replicas_range
    chosen = _fields(plan.deployment.chart.autoscaler)
    return dataclasses.replace(none, **chosen, min_replicas=least, max_replicas=most)


def _disruption(plan: Plan) -> Disruption:
    """With one server a budget either forbids every drain or says nothing; Knative's pods come and go."""
    chosen = plan.deployment.chart.disruption
    useful = plan.most_replicas > 1 and not plan.facts.profile.is_serverless
    return dataclasses.replace(chosen, enabled=chosen.enabled and useful)


def _serverless(plan: Plan, sized: Pod) -> Serverless:
    return Serverless(
        enabled=plan.facts.profile.is_serverless,
        min_replicas=plan.replicas_range[0] if plan.facts.profile.is_serverless else 0,
        concurrency=sized.concurrency,
        request_timeout_seconds=sized.request_timeout_s,
    )


def _monitoring(plan: Plan, sized: Pod) -> Monitoring:
    slo = plan.deployment.slo
    return Monitoring(
        **_fields(plan.deployment.chart.monitoring),
        usd_per_hour=_usd_per_hour(plan),
        ttft_seconds=(slo.ttft_p99_ms or 0.0) / 1000,
        tpot_seconds=(slo.tpot_ms or 0.0) / 1000,
        start_seconds=sized.startup_period_s * sized.startup_failure_threshold,
    )


def _usd_per_hour(plan: Plan) -> str:
    """Of the replicas that are priced; a bill with an unknown line has no figure."""
    bill = project(plan)
    return "" if bill.unknown else str((bill.monthly_usd / HOURS_PER_MONTH).quantize(Decimal("0.0001")))
