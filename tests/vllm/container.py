"""A rendered vLLM container as a process of this machine: its arguments and environment, with these changes only.

- `vllm` is the module that the command calls: the environment was moved into the cache after its scripts were written.
- It listens on 127.0.0.1 and a free port.
- Folders that the pod mounts are folders of the test: their paths in arguments and values are put there, and so is
  /tmp for what does not name it (TMPDIR).
- Variables that refer to a Secret get what the test gives for it; the pod's address is 127.0.0.1.
- The image's PATH, and what a machine without a GPU and without a network needs: `_HERE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from breakeven.core.manifests import pod_specs

# VLLM_CPU_KVCACHE_SPACE: GiB of KV cache; else the CPU backend takes --gpu-memory-utilization of the machine's memory.
# HF_HUB_OFFLINE: the tiny model lies in the hub's cache under the name of the plan's; the hub would replace it.
# VLLM_HOST_IP: the engine's processes talk to each other; on the loopback.
KV_CACHE_GIB: Final = 1
_HERE: Final = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "VLLM_CPU_KVCACHE_SPACE": str(KV_CACHE_GIB),
    "HF_HUB_OFFLINE": "1",
    "VLLM_HOST_IP": "127.0.0.1",
}

Secrets = Mapping[tuple[str, str], str]


@dataclass(frozen=True, kw_only=True)
class Container:
    """As rendered, of the one pod in `manifests`."""

    pod: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def arguments(self) -> list[str]:
        return list(self.spec["args"])

    @property
    def variables(self) -> dict[str, Any]:
        """By name: the text, or the reference."""
        return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in self.spec["env"]}

    @property
    def probes(self) -> dict[str, Any]:
        return {name: self.spec[name] for name in ("startupProbe", "readinessProbe", "livenessProbe")}

    @property
    def seconds_to_stop(self) -> int:
        """From SIGTERM until the kubelet kills: the grace period less the sleep before it."""
        slept = self.spec["lifecycle"]["preStop"]["sleep"]["seconds"]
        return int(self.pod["terminationGracePeriodSeconds"]) - int(slept)


def container(manifests: list[dict[str, Any]]) -> Container:
    """The server's, of a Deployment or a Knative Service."""
    (found,) = group(manifests)
    return found


def group(manifests: list[dict[str, Any]]) -> list[Container]:
    """The server's, one for each node: of a LeaderWorkerSet the leader's and a worker's."""
    pods = [pod for manifest in manifests for pod in pod_specs(manifest)]
    return [Container(pod=pod, spec=spec) for pod in pods for spec in pod["containers"] if spec["name"] == "vllm"]


def in_group(argument: str, rank: int) -> str:
    """What the controller of LeaderWorkerSets puts in, where all nodes are this machine."""
    return argument.replace("$(LWS_WORKER_INDEX)", str(rank)).replace("$(LWS_LEADER_ADDRESS)", "127.0.0.1")


def command(found: Container, python: Path, port: int, mounts: Mapping[str, Path]) -> list[str]:
    """What to execute. Raises ValueError for a container that is not `vllm serve` on one port."""
    (given,) = [argument for argument in found.arguments if argument.startswith("--port=")]
    # A worker listens on none.
    ports = [entry["containerPort"] for entry in found.spec.get("ports", ())]
    if found.spec["command"] != ["vllm", "serve"] or int(given[7:]) not in (ports or [int(given[7:])]):
        raise ValueError(f"expected vllm serve on the container's port, got {found.spec}")
    arguments = [f"--port={port}" if argument == given else moved(argument, mounts) for argument in found.arguments]
    return [str(python), "-m", "vllm.entrypoints.cli.main", "serve", *arguments, "--host=127.0.0.1"]


def environment(found: Container, secrets: Secrets, mounts: Mapping[str, Path]) -> dict[str, str]:
    """All of it: nothing of the test's own environment is inherited. Raises KeyError for a Secret that is not given."""
    return dict(_variables(found, secrets, mounts)) | _HERE | {"TMPDIR": str(mounts["/tmp"])}


def _variables(found: Container, secrets: Secrets, mounts: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    for name, value in found.variables.items():
        if isinstance(value, str):
            yield name, moved(value, mounts)
        else:
            reference = value.get("secretKeyRef")
            # The other reference is the pod's address.
            yield name, secrets[reference["name"], reference["key"]] if reference else "127.0.0.1"


def mounts(found: Container, root: Path) -> dict[str, Path]:
    """A folder below `root` for each that the pod mounts; /dev/shm is the machine's own."""
    paths = [mount["mountPath"] for mount in found.spec["volumeMounts"] if mount["mountPath"] != "/dev/shm"]
    folders = {path: root / path.strip("/").replace("/", "-") for path in paths}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def moved(text: str, mounts: Mapping[str, Path]) -> str:
    """A path at the start, or after `=`, that lies in a mounted folder."""
    name, equals, value = text.rpartition("=")
    for path, folder in mounts.items():
        if value == path or value.startswith(f"{path}/"):
            return f"{name}{equals}{folder}{value[len(path) :]}"
    return text
