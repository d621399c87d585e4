"""Logs of a real API server through a kubelet that the test plays, and what a Service answers through one."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.engine import api_server

from breakeven.core.outcome import Look, describe
from breakeven.core.plan import Plan
from breakeven.core.pod_state import PodState
from breakeven.engine import pods
from breakeven.engine.cluster import connect
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.engine.standing import health


class Kubelet(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = b"INFO loading weights\nERROR CUDA out of memory\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def kubelet(cluster: ControlPlane) -> Iterator[int]:
    """Its port. The sandbox's own certificates do: the API server does not check a kubelet's."""
    (pki,) = {path.parent for path in cluster.directory.rglob("admin.crt")}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kubelet)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_the_last_lines_of_a_crashed_containers_log_are_told(
    sandbox: Sandbox, cluster: ControlPlane, kubelet: int, planned: Callable[..., Plan]
) -> None:
    plan = planned("1xa100", name="logs")
    cluster.kubectl("create", "namespace", plan.namespace)
    try:
        # Without KWOK's annotation nobody plays this node but the test.
        cluster.apply([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "played"}}])
        status = {
            "addresses": [{"type": "Hostname", "address": "localhost"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet}},
        }
        patch(cluster, "node", "played", status)
        cluster.apply([a_pod(plan)])
        crashed = {"terminated": {"exitCode": 1, "reason": "Error"}}
        container = {"name": "vllm", "image": "x", "imageID": "", "ready": False, "restartCount": 2}
        state = {"waiting": {"reason": "CrashLoopBackOff"}}
        patch(
            cluster,
            "pod",
            "crashing",
            {"containerStatuses": [{**container, "state": state, "lastState": crashed}]},
            plan,
        )
        found = connect(sandbox.kubeconfig, None)
        look = Look(pods=pods.pods(plan, found))
        failure = pods.explained(describe(look), plan, found)
        assert failure.what == "1 of 1 pod crashes again and again"
        assert failure.log == ("INFO loading weights", "ERROR CUDA out of memory")
        assert f"/containerLogs/{plan.namespace}/crashing/vllm?previous=true&tailLines=10" in Kubelet.asked
    finally:
        cluster.kubectl("delete", "namespace", plan.namespace, "--wait=false")
        cluster.kubectl("delete", "node", "played")
        cluster.kubectl("-n", plan.namespace, "delete", "pods", "--all", "--force", "--grace-period=0")


def a_pod(plan: Plan) -> dict[str, Any]:
    container = {"name": "vllm", "image": "x"}
    labels = {"app.kubernetes.io/instance": plan.release}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "crashing", "namespace": plan.namespace, "labels": labels},
        "spec": {"nodeName": "played", "containers": [container], "tolerations": [{"operator": "Exists"}]},
    }


def patch(cluster: ControlPlane, kind: str, name: str, status: dict[str, Any], plan: Plan | None = None) -> None:
    where = ("-n", plan.namespace) if plan else ()
    arguments = ("patch", kind, name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    cluster.kubectl(*where, *arguments)


SERVING = PodState(name="p", node="n", ready=True, leaving=False, revision="r", trouble=None)
HEALTH = "/api/v1/namespaces/llm-web/services/llm-web:8000/proxy/health"


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        ((200, ""), "ok", "GET /health: 200"),
        ((503, "engine is dead\n"), "failing", "GET /health: 503 engine is dead"),
        ((403, "{}"), "unknown", "not asked: you may not `get services/proxy`"),
    ],
)
def test_the_endpoint_is_asked_through_the_api_server(
    planned: Callable[..., Plan], tmp_path: Path, answer: tuple[int, str], status: str, detail: str
) -> None:
    with api_server.serving({HEALTH: answer, "/api/v1/nodes/n": {"metadata": {"name": "n"}}}, tmp_path) as kubeconfig:
        found = health(planned("1xa100", name="web"), connect(kubeconfig, None), [SERVING])
    assert (found.status, found.detail) == (status, detail)


def test_an_endpoint_that_is_not_asked(planned: Callable[..., Plan], tmp_path: Path) -> None:
    node = {"metadata": {"name": "n", "annotations": {"kwok.x-k8s.io/node": "fake"}}}
    with api_server.serving({"/api/v1/nodes/n": node}, tmp_path) as kubeconfig:
        cluster = connect(kubeconfig, None)
        plan = planned("1xa100", name="web")
        assert health(plan, cluster, [SERVING]).status == "simulated"
        assert health(plan, cluster, []).detail == "no server is ready"
        assert health(planned("serverless", name="web"), cluster, []).status == "unknown"


def test_an_autoscaler_that_adds_a_node_is_heard(planned: Callable[..., Plan], tmp_path: Path) -> None:
    """A Deployment whose pod has no place, as seen while the Cluster Autoscaler works for it."""
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
    labels = {"pod-template-hash": "new"}
    namespace = "/namespaces/llm-web"
    event = {"type": "Normal", "reason": "TriggeredScaleUp", "message": "pod triggered scale-up"}
    answers: dict[str, Any] = {
        "/apis/apps/v1": {"resources": [{"kind": "Deployment", "name": "deployments", "namespaced": True}]},
        f"/apis/apps/v1{namespace}/deployments/llm-web": {
            "metadata": {"generation": 2},
            "status": {"observedGeneration": 2},
        },
        f"/apis/apps/v1{namespace}/replicasets": {
            "items": [
                {"metadata": {"labels": {"pod-template-hash": hash_}, "annotations": {pods._REVISION: revision}}}
                for hash_, revision in (("old", "9"), ("new", "10"))
            ]
        },
        f"/api/v1{namespace}/pods": {
            "items": [
                {"metadata": {"name": "a", "labels": labels}, "status": {"conditions": [unplaced]}},
                {"metadata": {"name": "b", "labels": {"pod-template-hash": "old"}}, "status": {}},
            ]
        },
        f"/api/v1{namespace}/events": {"items": [event]},
    }
    plan = planned("1xa100", name="web")
    with api_server.serving(answers, tmp_path) as kubeconfig:
        found = pods.look(plan, connect(kubeconfig, None))
    assert [pod.name for pod in found.pods] == ["a"]
    assert found.scaling
    answers[f"/apis/apps/v1{namespace}/deployments/llm-web"]["metadata"]["generation"] = 3
    with api_server.serving(answers, tmp_path) as kubeconfig:
        # The controllers have not seen the newest change: its pods are not there yet.
        assert pods.look(plan, connect(kubeconfig, None)).pods == ()
