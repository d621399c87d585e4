"""What runs in the sandbox."""

from __future__ import annotations

import json
from typing import Final

from breakeven.core.local import SandboxStatus
from breakeven.output import table

SCHEMA: Final = "breakeven.sandbox/1"


def render(output: str, status: SandboxStatus | None) -> str:
    """By the value of `-o`."""
    if output == "json":
        return json.dumps(_data(status), indent=2)
    if status is None:
        return "There is no sandbox."
    if not status.running:
        return f"The sandbox in {status.directory} is not running."
    rows = [[pool.profile, str(pool.nodes), str(pool.ready), str(pool.gpus)] for pool in status.pools]
    pools = table.render(output, ["Profile", "Nodes", "Ready", "GPUs"], rows)
    return f"The sandbox runs at {status.server}.\n\n{pools}\n\nKubeconfig: {status.kubeconfig}"


def _data(status: SandboxStatus | None) -> dict[str, object]:
    if status is None:
        return {"schema": SCHEMA, "running": False, "pools": []}
    pools = [
        {"profile": pool.profile, "nodes": pool.nodes, "ready": pool.ready, "gpus": pool.gpus} for pool in status.pools
    ]
    return {
        "schema": SCHEMA,
        "running": status.running,
        "server": status.server,
        "kubeconfig": str(status.kubeconfig),
        "pools": pools,
    }
