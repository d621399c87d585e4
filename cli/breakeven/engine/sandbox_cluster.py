"""The sandbox's control plane: a real API server, scheduler and controllers, run as processes by kwokctl.

Everything lies under one directory and listens on 127.0.0.1 only.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from breakeven.engine import processes, sandbox_stages, tools
from breakeven.errors import ToolError

_NAME: Final = "breakeven"
_COMPONENTS: Final = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller"}
_START_TIMEOUT_S: Final = 180
_READY_S: Final = 60
_SHOWN_LINES: Final = 15
_PORTS: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_PORT_TAKEN: Final = "address already in use"


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The cluster in `directory`, whether it runs or not."""

    directory: Path

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def context(self) -> str:
        return f"kwok-{_NAME}"

    @property
    def exists(self) -> bool:
        # kwokctl's own mark of a cluster that has been created.
        return (self._home / "kwok.yaml").is_file() and self.kubeconfig.is_file()

    @property
    def server(self) -> str:
        """The API server's URL, from the kubeconfig."""
        config = yaml.safe_load(self.kubeconfig.read_text(encoding="utf-8"))
        return str(config["clusters"][0]["cluster"]["server"])

    @property
    def is_running(self) -> bool:
        """All components live and the API server says that it is ready."""
        return self.exists and self._has_all_components and self._answers()

    @property
    def _home(self) -> Path:
        return self.directory / "kwok" / "clusters" / _NAME

    @property
    def programs(self) -> Path:
        """What runs from here belongs to the sandbox, and ends with it."""
        return self._home / "bin"

    @property
    def certificates(self) -> Path:
        """ca.crt, and admin.crt with admin.key, by which servers on 127.0.0.1 are known, too."""
        return self._home / "pki"

    @property
    def _has_all_components(self) -> bool:
        return processes.running(self.programs).keys() >= _COMPONENTS

    def create(self) -> None:
        """Raises ToolError; then nothing of it runs, nor is there a half of it that the next try would meet.

        Another program may take a port between the choice and the start; ours are tried once more then.
        """
        for is_last in (False, True):
            try:
                return self._create()
            except ToolError as error:
                self._remove()
                if is_last or _PORT_TAKEN not in error.message:
                    raise
        return None

    def _remove(self) -> None:
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def _create(self) -> None:
        # kwokctl takes the first that are free, from 32767 down: two that start at once take the same.
        client, peer, *others = free_ports(2 + len(_PORTS))
        ports = zip(_PORTS, others, strict=True)
        config = self.directory / "kwokctl.yaml"
        config.write_text(yaml.safe_dump(_configuration(client, peer)), encoding="utf-8")
        self._kwokctl(
            *("create", "cluster", "--name", _NAME, "--config", str(config), "--kubeconfig", str(self.kubeconfig)),
            *("--wait", f"{_READY_S}s", "--enable-crds", "Stage", "--etcd-port", str(client)),
            *(part for name, port in ports for part in (f"--{name}-port", str(port))),
            # With leases a restarted kwok-controller leaves the nodes alone until its former leases end, 200 s later.
            *("--node-lease-duration-seconds", "0"),
        )

    def restart(self) -> None:
        """Start what has died, with all objects as they were. Raises ToolError."""
        alive = set(processes.running(self.programs).values())
        for file in (self._home / "pids").glob("*.pid"):
            # kwokctl believes its pid files, whoever has that number by now.
            if not file.read_text().strip().isdigit() or int(file.read_text()) not in alive:
                file.unlink()
        try:
            self._kwokctl("start", "cluster", "--name", _NAME, "--wait", f"{_READY_S}s")
        except ToolError:
            self.kill()
            raise

    def kill(self) -> bool:
        """Whether no process of it is left."""
        return processes.kill(self.programs)

    def furnish(self) -> None:
        """CRDs, the default StorageClass and the Stages. Raises ToolError."""
        crds = str(tools.folder("knative-crds") / "crds")
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", crds)
        self.kubectl("wait", "--for=condition=Established", f"--timeout={_READY_S}s", "-f", crds)
        self.apply(sandbox_stages.objects())

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        """Server-side apply. Raises ToolError."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(listed))

    def nodes(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"]
        return items

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """The pinned kubectl on this cluster; returns its stdout. Raises ToolError."""
        command = [str(tools.path("kubectl")), "--kubeconfig", str(self.kubeconfig), *arguments]
        return _run(command, self._environment(), stdin)

    def _answers(self) -> bool:
        try:
            self.kubectl("get", "--raw", "/readyz", "--request-timeout=5s")
        except ToolError:
            return False
        return True

    def _kwokctl(self, *arguments: str) -> None:
        try:
            printed = _run([str(tools.path("kwokctl")), *arguments], self._environment())
        except ToolError as error:
            printed = error.message
        # kwokctl only warns when the API server does not come up.
        if not self.is_running:
            logs = (*printed.splitlines()[-3:], self._log("etcd"), self._log("kube-apiserver"))
            raise _failure("the sandbox did not start", "\n".join(logs))

    def _log(self, component: str) -> str:
        path = self._home / "logs" / f"{component}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        return "\n".join(f"{component}: {line[:300]}" for line in lines[-3:])

    def _environment(self) -> dict[str, str]:
        """Nothing of the user's own Kubernetes set-up, and nothing written to it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KWOK_", "KUBE"))}
        programs = {
            "ETCD": "etcd",
            "KUBE_APISERVER": "kube-apiserver",
            "KUBE_CONTROLLER_MANAGER": "kube-controller-manager",
            "KUBE_SCHEDULER": "kube-scheduler",
            "CONTROLLER": "kwok",
            "KUBECTL": "kubectl",
        }
        return kept | {
            # kubectl keeps a discovery cache under HOME.
            "HOME": str(self.directory),
            # kwokctl prefers the first kubectl on PATH to the one that it is told.
            "PATH": f"{tools.path('kubectl').parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "KWOK_RUNTIME": "binary",
            "KWOK_WORKDIR": str(self.directory / "kwok"),
            **{f"KWOK_{name}_BINARY": str(tools.path(program)) for name, program in programs.items()},
        }


def _configuration(etcd_client: int, etcd_peer: int) -> dict[str, Any]:
    """What kwokctl has no flags for. (Its --extra-args panics when components take turns.)

    The last of equal flags wins: kwokctl's own bind to 0.0.0.0. Alone, the controllers need no leader election, which
    makes them wait 15 s after a restart for their own former leases to end.
    """
    arguments = {
        "etcd": {
            "listen-client-urls": f"http://127.0.0.1:{etcd_client}",
            "listen-peer-urls": f"http://127.0.0.1:{etcd_peer}",
        },
        "kube-apiserver": {"bind-address": "127.0.0.1"},
        "kube-controller-manager": {"bind-address": "127.0.0.1", "leader-elect": "false"},
        "kube-scheduler": {"bind-address": "127.0.0.1", "leader-elect": "false"},
        "kwok-controller": {"server-address": "127.0.0.1:0"},
    }
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "componentsPatches": [
            {"name": name, "extraArgs": [{"key": key, "value": value} for key, value in extra.items()]}
            for name, extra in arguments.items()
        ],
    }


def _run(command: Sequence[str], environment: dict[str, str], stdin: str = "") -> str:
    """Returns stdout. Raises ToolError with the last lines that it printed."""
    name = Path(command[0]).name
    try:
        result = subprocess.run(
            command,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_START_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{name} {command[1]} took longer than {_START_TIMEOUT_S} s") from error
    if result.returncode:
        raise _failure(f"{name} failed", result.stderr or result.stdout)
    return result.stdout


def _failure(what: str, printed: str) -> ToolError:
    lines = [line for line in printed.splitlines() if line.strip()][-_SHOWN_LINES:]
    return ToolError(f"{what}:\n" + "\n".join(lines), hint="deploy sandbox down, then try again")


def free_ports(count: int) -> list[int]:
    """Below the range that the kernel gives to outgoing connections: after a restart they shall be free again."""
    free = []
    for port in random.sample(range(20000, 30000), 1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        free.append(port)
        if len(free) == count:
            return free
    raise ToolError("no free TCP port between 20000 and 30000")
