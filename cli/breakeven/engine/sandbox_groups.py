"""The controller of LeaderWorkerSets in the sandbox: the real one, a process of the user beside the control plane."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from breakeven.engine import processes, tools
from breakeven.engine.sandbox_cluster import ControlPlane, free_ports
from breakeven.errors import ToolError

MODULE: Final = "lws"

PROGRAM: Final = "lws-controller"
_READY_S: Final = 60
# The webhooks see every pod of the cluster. As upstream's own overlay, so that others do without the controller.
_OF_GROUPS: Final = {"matchExpressions": [{"key": "leaderworkerset.sigs.k8s.io/name", "operator": "Exists"}]}

_PROBE: Final = {
    "apiVersion": "leaderworkerset.x-k8s.io/v1",
    "kind": "LeaderWorkerSet",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {"leaderWorkerTemplate": {"workerTemplate": {"spec": {"containers": [{"name": "a", "image": "a"}]}}}},
}


def start(cluster: ControlPlane) -> None:
    """CRDs, webhooks and the controller, unless it runs. Raises ToolError."""
    if PROGRAM in processes.running(cluster.programs):
        return
    crds = str(tools.folder(MODULE) / "crds")
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", crds)
    cluster.kubectl("wait", "--for=condition=Established", f"--timeout={_READY_S}s", "-f", crds)
    directory = cluster.directory / MODULE
    directory.mkdir(mode=0o700, exist_ok=True)
    for name, file in (("tls.crt", "admin.crt"), ("tls.key", "admin.key")):
        shutil.copyfile(cluster.certificates / file, directory / name)
        (directory / name).chmod(0o600)
    (port,) = free_ports(1)
    (directory / "config.yaml").write_text(yaml.safe_dump(_configuration(directory, port)), encoding="utf-8")
    _run(cluster, directory)
    cluster.apply(_webhooks(cluster, port))
    _wait_for_webhooks(cluster)


def _configuration(directory: Path, port: int) -> dict[str, Any]:
    return {
        "apiVersion": "config.lws.x-k8s.io/v1alpha1",
        "kind": "Configuration",
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
        "health": {"healthProbeBindAddress": "0"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"host": "127.0.0.1", "port": port, "certDir": str(directory)},
    }


def _run(cluster: ControlPlane, directory: Path) -> None:
    """Under a path of the sandbox's own, by which it is found again and ended."""
    program = cluster.programs / PROGRAM
    program.unlink(missing_ok=True)
    program.symlink_to(tools.path(PROGRAM))
    with (directory / "log").open("wb") as log:
        subprocess.Popen(
            [program, "--config", directory / "config.yaml", "--leader-elect=false"],
            env=os.environ | {"KUBECONFIG": str(cluster.kubeconfig), "HOME": str(cluster.directory)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _webhooks(cluster: ControlPlane, port: int) -> Iterator[dict[str, Any]]:
    """Upstream's, at the controller's address here."""
    authority = (cluster.certificates / "ca.crt").read_bytes()
    text = (tools.folder(MODULE) / "webhooks.yaml").read_text(encoding="utf-8")
    for document in yaml.safe_load_all(text):
        for webhook in document["webhooks"]:
            webhook["clientConfig"] = _at(webhook["clientConfig"]["service"]["path"], port, authority)
            if "pods" in webhook["rules"][0]["resources"]:
                webhook["objectSelector"] = _OF_GROUPS
        document["metadata"]["name"] = f"lws-{document['metadata']['name']}"
        yield document


def _at(path: str, port: int, authority: bytes) -> dict[str, str]:
    return {"url": f"https://127.0.0.1:{port}{path}", "caBundle": base64.b64encode(authority).decode()}


def _wait_for_webhooks(cluster: ControlPlane) -> None:
    """Until they have their say: then the API server knows them, and the controller answers. Raises ToolError."""
    if not processes.wait_for(lambda: _defaults(cluster), _READY_S):
        log = (cluster.directory / MODULE / "log").read_text(encoding="utf-8", errors="replace")
        last = "\n".join(log.splitlines()[-5:])
        raise ToolError(
            f"the controller of LeaderWorkerSets did not start in {_READY_S} s:\n{last}",
            hint="deploy sandbox down, then try again",
        )


def _defaults(cluster: ControlPlane) -> bool:
    """What upstream's webhook fills in, of a set that is not stored."""
    try:
        said = cluster.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(_PROBE))
    except ToolError:
        return False
    return "networkConfig" in json.loads(said)["spec"]
