from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from breakeven import load
from breakeven.core.local import NodePool
from breakeven.engine import processes, sandbox_nodes, sandbox_stages
from breakeven.engine import sandbox as engine_sandbox
from breakeven.engine.progress import Progress
from breakeven.engine.sandbox import Sandbox
from breakeven.engine.sandbox_cluster import ControlPlane
from breakeven.errors import ToolError
from breakeven.main import cli

PROFILE = load.profile("4xa100")
ACCELERATOR = load.accelerators()["a100-80gb"]
COMPONENTS = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller"}

TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
# /proc/net/tcp: state 0A is LISTEN, 0100007F is 127.0.0.1.
LISTEN, LOOPBACK = "0A", "0100007F"


def components(directory: Path) -> dict[str, int]:
    return processes.running(directory / "kwok" / "clusters" / "breakeven" / "bin")


def gpu_pod(name: str, gpus: int, **metadata: Any) -> dict[str, Any]:
    container = {"name": "vllm", "image": "vllm", "resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {
            "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"},
            "tolerations": [TOLERATION],
            "terminationGracePeriodSeconds": 90,
            "containers": [container],
        },
    }


def knative_service(name: str, containers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": {"spec": {"containers": containers}}},
    }


def get(cluster: ControlPlane, *arguments: str) -> Any:
    return json.loads(cluster.kubectl("get", *arguments, "-o", "json"))


def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true result."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.1)
    return result


# --- what it leaves alone -------------------------------------------------------------------------------------------


def listening(pid: int) -> set[str]:
    """Addresses of the listening sockets of a process, IPv4 and IPv6, as the kernel prints them."""
    links = [str(path.readlink()) for path in (Path("/proc") / str(pid) / "fd").iterdir()]
    own = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}
    found = set()
    for family in ("tcp", "tcp6"):
        for line in (Path("/proc") / str(pid) / "net" / family).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in own:
                found.add(fields[1].split(":")[0])
    return found


def test_every_socket_listens_on_loopback_only(sandbox: Sandbox) -> None:
    found = components(sandbox.directory)
    # Other tests bring the controller of LeaderWorkerSets, too.
    assert found.keys() - {"lws-controller"} == COMPONENTS
    assert {name: listening(pid) for name, pid in found.items()} == {name: {LOOPBACK} for name in found}


def test_the_users_own_kubernetes_set_up_is_untouched(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    home = Path(sandbox_environment["HOME"])
    # Tests that run kubectl as users do leave its cache.
    assert {path.name for path in (home / ".kube").iterdir()} - {"cache"} == {"config"}
    assert (home / ".kube" / "config").read_text(encoding="utf-8") == "the user's own\n"


def test_only_the_user_can_enter_its_directory(sandbox: Sandbox) -> None:
    assert sandbox.directory.stat().st_mode & 0o777 == 0o700
    assert sandbox.kubeconfig.stat().st_mode & 0o777 == 0o600


# --- nodes ----------------------------------------------------------------------------------------------------------


def test_nodes_are_ready_and_shaped_like_the_profile(cluster: ControlPlane) -> None:
    nodes = {node["metadata"]["name"]: node for node in cluster.nodes()}
    node = nodes["4xa100-1"]
    assert sandbox_nodes.is_ready(node)
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "4"
    # 12 vCPU and 144 GiB for each of 4 GPUs.
    assert (node["status"]["allocatable"]["cpu"], node["status"]["allocatable"]["memory"]) == ("48", "576Gi")
    expected = {
        "breakeven.dev/profile": "4xa100",
        "kubernetes.io/hostname": "4xa100-1",
        "node.kubernetes.io/instance-type": "sandbox.4xa100",
        "topology.kubernetes.io/zone": "sandbox-a",
        "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB",
        "nvidia.com/gpu.count": "4",
        # 79.15 GiB in MiB
        "nvidia.com/gpu.memory": "81049",
    }
    assert expected.items() <= node["metadata"]["labels"].items()
    assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]


def test_a_node_satisfies_its_profile_whatever_the_platform() -> None:
    for profile in load.profiles().values():
        accelerator = load.accelerators()[profile.accelerator]
        labels = sandbox_nodes.node("n", profile, accelerator)["metadata"]["labels"]
        assert any(
            all(labels.get(match.key) in match.values for match in placement.labels) for placement in profile.placement
        )


def test_up_again_changes_nothing_and_takes_a_moment(sandbox: Sandbox) -> None:
    events: list[Progress] = []
    before = components(sandbox.directory)
    assert engine_sandbox.up(PROFILE, ACCELERATOR, 1, progress=events.append) == sandbox
    assert components(sandbox.directory) == before
    assert events == []


def test_profiles_live_side_by_side(sandbox: Sandbox) -> None:
    engine_sandbox.up(load.profile("8xh100"), load.accelerators()["h100-80gb"], 1)
    status = engine_sandbox.status()
    assert status and status.running
    pools = {pool.profile: pool for pool in status.pools}
    # Other tests bring nodes of it as well.
    nodes = pools["8xh100"].nodes
    assert pools["8xh100"] == NodePool(profile="8xh100", nodes=nodes, ready=nodes, gpus=8 * nodes)
    assert pools["4xa100"].ready >= 2
    assert engine_sandbox.current() == sandbox


# --- what is real and what is simulated -----------------------------------------------------------------------------


def test_a_gpu_pod_is_scheduled_and_becomes_ready(cluster: ControlPlane) -> None:
    cluster.apply([gpu_pod("fits", 4)])
    cluster.kubectl("wait", "--for=condition=Ready", "--timeout=20s", "pod/fits")
    assert get(cluster, "pod", "fits")["spec"]["nodeName"].startswith("4xa100-")
    started = time.monotonic()
    cluster.kubectl("delete", "pod", "fits", "--timeout=20s")
    # Not the 90 s of its grace period.
    assert time.monotonic() - started < 10


def test_a_pod_that_is_too_big_stays_pending_and_the_scheduler_says_why(cluster: ControlPlane) -> None:
    cluster.apply([gpu_pod("too-big", 5)])

    def messages() -> list[str]:
        events = get(cluster, "events", "--field-selector=involvedObject.name=too-big,reason=FailedScheduling")
        return [event["message"] for event in events["items"]]

    assert "Insufficient nvidia.com/gpu" in eventually(messages)[0]
    assert get(cluster, "pod", "too-big")["status"]["phase"] == "Pending"
    cluster.kubectl("delete", "pod", "too-big")


def test_a_failing_container_can_be_rehearsed(cluster: ControlPlane) -> None:
    prefix = "pod-container-running-failed.stage.kwok.x-k8s.io"
    pod = gpu_pod("fails", 1, labels={prefix: "true"}, annotations={f"{prefix}/reason": "OutOfMemory"})
    cluster.apply([pod])
    eventually(lambda: get(cluster, "pod", "fails")["status"]["phase"] == "Failed")
    terminated = get(cluster, "pod", "fails")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("OutOfMemory", 1)
    cluster.kubectl("delete", "pod", "fails")


def test_an_ingress_gets_an_address(cluster: ControlPlane) -> None:
    backend = {"service": {"name": "behind", "port": {"number": 80}}}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "entrance", "namespace": "default"},
        "spec": {"defaultBackend": backend},
    }
    cluster.apply([ingress])
    assert eventually(lambda: get(cluster, "ingress", "entrance")["status"]["loadBalancer"].get("ingress"))


def test_no_kind_of_the_core_is_taken_for_another_groups(tools: None) -> None:
    """KWOK looks for `v1` of a kind in any group that it knows by then: stages/ingress.yaml."""
    found = [stage["spec"]["resourceRef"] for stage in sandbox_stages.objects() if stage["kind"] == "Stage"]
    core = {ref["kind"] for ref in found if ref["apiGroup"] == "v1"}
    assert {"Node", "Pod"} <= core
    assert not core & {ref["kind"] for ref in found if ref["apiGroup"].endswith("/v1")}


def test_a_claim_without_a_class_is_bound(cluster: ControlPlane) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "weights", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "200Gi"}}},
    }
    cluster.apply([claim])
    eventually(lambda: get(cluster, "pvc", "weights")["status"]["phase"] == "Bound")
    cluster.kubectl("delete", "pvc", "weights", "--timeout=20s")
    eventually(lambda: get(cluster, "pv")["items"] == [])


def test_a_knative_service_becomes_ready_with_its_url(cluster: ControlPlane) -> None:
    cluster.apply([knative_service("scaled", [{"image": "vllm"}])])
    cluster.kubectl("wait", "--for=condition=Ready", "--timeout=20s", "ksvc/scaled")
    assert get(cluster, "ksvc", "scaled")["status"]["url"] == "http://scaled.default.svc.cluster.local"
    cluster.apply([knative_service("scaled", [{"image": "vllm:other"}])])
    eventually(lambda: get(cluster, "ksvc", "scaled")["status"]["latestReadyRevisionName"] == "scaled-00002")


def test_an_invalid_knative_service_is_refused_by_its_schema(cluster: ControlPlane) -> None:
    service = knative_service("refused", [])
    service["spec"]["template"]["spec"] = {"contaners": [{"image": "vllm"}]}
    # kubectl or the API server itself, whichever has the schema first.
    with pytest.raises(ToolError, match=r'unknown field "contaners"|contaners: field not declared in schema'):
        cluster.apply([service])


# --- its life -------------------------------------------------------------------------------------------------------


@pytest.fixture
def own_home(tools: None, sandbox_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty home of somebody who has no sandbox yet."""
    own = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    for name, value in (sandbox_environment | own).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if not path.is_dir()]


def test_without_a_sandbox_there_is_nothing_to_see_or_to_remove(own_home: Path) -> None:
    assert engine_sandbox.status() is None
    assert engine_sandbox.current() is None
    assert engine_sandbox.down() is False
    assert files(own_home) == []


def test_it_survives_the_death_of_its_processes_and_goes_without_a_trace(own_home: Path) -> None:
    events: list[Progress] = []
    first = engine_sandbox.up(PROFILE, ACCELERATOR, 1, progress=events.append)
    try:
        assert [event.state for event in events] == ["started", "done"]
        assert all(path.is_relative_to(first.directory) or path.suffix == ".lock" for path in files(own_home))
        cluster = ControlPlane(directory=first.directory)
        cluster.apply([gpu_pod("kept", 1)])
        _die(first.directory)
        stopped = engine_sandbox.status()
        assert stopped and not stopped.running and engine_sandbox.current() is None

        # As after a reboot: the number in a pid file belongs to somebody else by now, here to this test.
        pid_file = first.directory / "kwok" / "clusters" / "breakeven" / "pids" / "etcd.pid"
        pid_file.write_text(str(os.getpid()))
        assert engine_sandbox.up(PROFILE, ACCELERATOR, 2) == first
        assert {node["metadata"]["name"] for node in cluster.nodes()} == {"4xa100-0", "4xa100-1"}
        cluster.kubectl("wait", "--for=condition=Ready", "--timeout=20s", "pod/kept")
        cluster.apply([gpu_pod("new", 1), knative_service("new", [{"image": "vllm"}])])
        cluster.kubectl("wait", "--for=condition=Ready", "--timeout=20s", "pod/new", "ksvc/new")

        # One component alone is restarted alone.
        before = components(first.directory)
        os.kill(before["kwok-controller"], signal.SIGKILL)
        eventually(lambda: "kwok-controller" not in components(first.directory))
        engine_sandbox.up(PROFILE, ACCELERATOR, 2)
        after = components(first.directory)
        assert {name for name in COMPONENTS if after[name] != before[name]} == {"kwok-controller"}
    finally:
        (first.directory / "stack-state").touch()
        assert engine_sandbox.down() is True
    assert components(first.directory) == {}
    assert files(own_home) == []


def _die(directory: Path) -> None:
    for pid in components(directory).values():
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not components(directory))


def test_a_failed_start_says_what_was_printed(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.engine.sandbox_cluster._COMPONENTS", {"no-such-component"})
    with pytest.raises(ToolError, match="the sandbox did not start") as caught:
        engine_sandbox.up(PROFILE, ACCELERATOR, 1)
    assert "etcd: " in caught.value.message
    assert caught.value.hint == "deploy sandbox down, then try again"
    # What had been started is stopped.
    assert components(own_home / "state" / "breakeven" / "sandbox") == {}
    assert engine_sandbox.down() is True
    assert files(own_home) == []


@pytest.mark.parametrize(("said", "starts"), [("bind: address already in use", 2), ("no space left on device", 1)])
def test_a_port_that_was_taken_meanwhile_is_another_one_next_time(
    said: str, starts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def fail(plane: ControlPlane) -> None:
        tried.append(said)
        raise ToolError(said)

    monkeypatch.setattr(ControlPlane, "_create", fail)
    with pytest.raises(ToolError, match=said):
        ControlPlane(directory=tmp_path).create()
    assert len(tried) == starts


def test_a_failing_kubectl_is_quoted(cluster: ControlPlane) -> None:
    with pytest.raises(ToolError, match=r"kubectl failed:\n.*services \"nowhere\" not found"):
        cluster.kubectl("get", "service", "nowhere")


# --- the verb -------------------------------------------------------------------------------------------------------


def test_the_verb_shows_the_running_sandbox(sandbox: Sandbox) -> None:
    up = CliRunner().invoke(cli, ["sandbox", "up", "--profile", "4xa100", "--nodes", "2", "-o", "json"])
    status = CliRunner().invoke(cli, ["sandbox", "status", "-o", "json"])
    assert up.exit_code == status.exit_code == 0
    shown = json.loads(up.stdout)
    assert json.loads(status.stdout) == shown
    assert (shown["schema"], shown["running"], shown["kubeconfig"]) == (
        "breakeven.sandbox/1",
        True,
        str(sandbox.kubeconfig),
    )
    assert {"profile": "4xa100", "nodes": 2, "ready": 2, "gpus": 8} in shown["pools"]
    table = CliRunner().invoke(cli, ["sandbox", "status"]).stdout
    assert table.startswith(f"The sandbox runs at {shown['server']}.\n\nProfile")


def test_the_verb_says_where_there_is_none(own_home: Path) -> None:
    assert CliRunner().invoke(cli, ["sandbox", "status"]).stdout == "There is no sandbox.\n"
    down = CliRunner().invoke(cli, ["sandbox", "down"])
    assert (down.exit_code, down.stdout, down.stderr) == (0, "", "There was no sandbox.\n")
