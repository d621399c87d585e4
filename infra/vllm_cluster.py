"""VllmCluster: the namespace and the chart of one plan, on one named cluster."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from breakeven import render, resources
from breakeven.core.live import StackCluster
from breakeven.core.plan import Plan


class VllmCluster(pulumi.ComponentResource):
    """Everything of one plan.

    `cluster` has the path of a kubeconfig, whose contents would lie in the state in plaintext, and an identifier: a
    change of it alone replaces the provider. A namespace that is not owned was there before, and stays.
    The chart gets plain values: no unknowns, no secrets, only names of Secrets.
    """

    endpoint: str

    def __init__(self, name: str, *, plan: Plan, cluster: StackCluster) -> None:
        super().__init__("breakeven:index:VllmCluster", name)
        provider = kubernetes.Provider(
            name,
            kubeconfig=cluster.kubeconfig,
            context=cluster.context,
            cluster_identifier=cluster.identifier,
            namespace=plan.namespace,
            opts=pulumi.ResourceOptions(parent=self),
        )
        options = pulumi.ResourceOptions(parent=self, provider=provider)
        namespace = self._namespace(plan, options) if cluster.owns_namespace else None
        kubernetes.helm.v4.Chart(
            name,
            chart=str(resources.chart()),
            name=plan.release,
            namespace=plan.namespace,
            values=render.values(plan),
            opts=pulumi.ResourceOptions.merge(
                options, pulumi.ResourceOptions(depends_on=[namespace] if namespace else [])
            ),
        )
        self.endpoint = plan.endpoint
        self.register_outputs({"endpoint": self.endpoint})

    def _namespace(self, plan: Plan, options: pulumi.ResourceOptions) -> kubernetes.core.v1.Namespace:
        manifest = render.namespace_manifest(plan)
        return kubernetes.core.v1.Namespace(plan.namespace, metadata=manifest["metadata"], opts=options)
