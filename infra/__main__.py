"""The Pulumi program: stack configuration → plan → cluster → outputs.

`deploy up` runs it through the Automation API; plain `pulumi up` runs it as it stands.
The outputs are what the next preview prices "before" from.
"""

import pulumi

from breakeven import load
from breakeven.core.cost import project
from breakeven.core.plan import plan
from breakeven.core.record import record_cost, record_plan
from breakeven.errors import DeployError
from vllm_cluster import VllmCluster

config = pulumi.Config("breakeven")
cluster = config.require_object("cluster")
try:
    deployment = load.stack_deployment(config.get_object("deployment"), config.get("file"))
    target = load.stack_cluster(cluster)
    planned = plan(deployment, load.facts(deployment))
except DeployError as error:
    # Which the engine shows without a traceback.
    raise pulumi.RunError(f"{error.message}\nNext: {error.hint}" if error.hint else error.message) from error

vllm = VllmCluster(planned.release, plan=planned, cluster=target)

pulumi.export("endpoint", vllm.endpoint)
pulumi.export("deployment", load.plain(deployment))
pulumi.export("plan", record_plan(planned))
pulumi.export("cost", record_cost(project(planned)))
pulumi.export("cluster", cluster)
if override := config.get_object("budget_override"):
    pulumi.export("budget_override", override)
if adopted := config.get_object("adopted"):
    pulumi.export("adopted", adopted)
