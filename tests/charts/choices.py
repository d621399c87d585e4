"""What deployments choose of the chart, in every way that it offers; for tests that render each."""

from __future__ import annotations

from typing import Any, Final

from breakeven.core.chart.autoscaler import AutoscalerChoices
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.exposure import Gateway, Ingress, Route, Service
from breakeven.core.chart.group import GroupChoices
from breakeven.core.chart.monitoring import ApiRate, MonitoringChoices
from breakeven.core.chart.placement import Placement, PodMetadata, Spread, Toleration
from breakeven.core.chart.security import ApiKey, Destination, NetworkPolicy, Peer, ServiceAccount
from breakeven.core.chart.server import ImageSource, RolloutChoices
from breakeven.core.chart.serving import Adapter, ChatTemplate, LoraChoices
from breakeven.core.chart.storage import Weights
from breakeven.core.deployment import EngineChoice
from breakeven.core.scaling import Scaling

_POLICY: Final = NetworkPolicy(
    enabled=True,
    callers=(Peer(namespace="gateway", pod_labels={"app": "envoy"}),),
    scrapers=(Peer(namespace="monitoring"),),
    destinations=(Destination(cidr="10.1.2.3/32", port=9000),),
)

CHOICES: Final[dict[str, dict[str, Any]]] = {
    "a claim": {"weights": Weights(storage="pvc", storage_class="shared")},
    "a claim and a download": {
        "weights": Weights(storage="pvc", download=True),
        "hub_token_secret": "hugging-face",
        "chart": ChartChoices(network_policy=_POLICY),
    },
    "a claim that exists": {"weights": Weights(storage="pvc", claim="models", path="qwen/qwen3-8b")},
    "a cache of the hub": {"weights": Weights(storage="pvc", claim="models", offline=True)},
    "claims of each server": {"weights": Weights(storage="ephemeral", storage_class="fast")},
    "an image": {"weights": Weights(storage="image", image="registry.example/models/qwen3-8b:1")},
    "a bucket": {
        "weights": Weights(
            storage="bucket", uri="s3://models/qwen3-8b", secret="s3-reader", compile_cache_claim="compile-cache"
        ),
        "chart": ChartChoices(service_account=ServiceAccount(annotations={"example.com/role": "reader"})),
    },
    "placement": {
        "chart": ChartChoices(
            placement=Placement(
                tolerations=(Toleration(key="team", operator="Equal", value="search", effect="NoExecute"),),
                node_selector={"pool": "gpu"},
                spread=(Spread(topology_key="topology.kubernetes.io/zone"),),
            ),
            pod=PodMetadata(labels={"team": "search"}, annotations={"example.com/note": "a"}),
            rollout=RolloutChoices(strategy="start-first"),
        )
    },
    "several nodes": {
        "engine": EngineChoice(nodes_per_replica=2),
        "scaling": Scaling(min_replicas=1, max_replicas=3),
        "chart": ChartChoices(
            group=GroupChoices(environment={"NCCL_SOCKET_IFNAME": "eth0"}),
            network_policy=_POLICY,
            monitoring=MonitoringChoices(pod_monitor=True, rules=True),
        ),
    },
    "an HPA": {"scaling": Scaling(min_replicas=2, max_replicas=5)},
    "KEDA": {
        "scaling": Scaling(max_replicas=5),
        "chart": ChartChoices(
            autoscaler=AutoscalerChoices(
                kind="keda",
                prometheus_url="http://prometheus.monitoring:9090",
                wake_query='sum(rate(envoy_cluster_upstream_rq_total{envoy_cluster_name="llm"}[1m]))',
            )
        ),
    },
    "monitoring": {
        "chart": ChartChoices(
            monitoring=MonitoringChoices(
                pod_monitor=True,
                rules=True,
                dashboard=True,
                labels={"release": "kube-prometheus-stack"},
                traces_endpoint="http://collector.monitoring:4317",
                api=ApiRate(
                    comparator="openai/gpt-5-mini",
                    usd_per_million_input_tokens=0.25,
                    usd_per_million_output_tokens=2.0,
                ),
            )
        )
    },
    "a ServiceMonitor": {
        "chart": ChartChoices(
            monitoring=MonitoringChoices(service_monitor=True, labels={"release": "kube-prometheus-stack"})
        )
    },
    "adapters": {
        "chart": ChartChoices(
            lora=LoraChoices(
                adapters=(
                    Adapter(name="style", source="acme/qwen3-8b-style", rank=8),
                    Adapter(name="tone", source="acme/qwen3-8b-tone", rank=32),
                )
            ),
            chat_template=ChatTemplate(config_map="prompts"),
        )
    },
    "a chat template": {
        "chart": ChartChoices(
            chat_template=ChatTemplate(
                template="{%- for message in messages %}\n<|{{ message.role }}|> {{ message.content }}\n{%- endfor %}\n"
            )
        )
    },
    "the way in": {
        "chart": ChartChoices(
            image=ImageSource(repository="registry.example/vllm-openai", pull_secrets=("registry",)),
            api_key=ApiKey(secret_name="llm-keys"),
            network_policy=_POLICY,
            service=Service(annotations={"example.com/a": "b"}),
            ingress=Ingress(enabled=True, class_name="nginx", host="llm.example.com", tls_secret="llm-tls"),
            route=Route(
                enabled=True, gateways=(Gateway(name="public", section_name="https"),), hosts=("a.example.com",)
            ),
        )
    },
}
