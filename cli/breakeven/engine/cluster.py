"""The Kubernetes cluster, read through the official client: who it is, what is there, is it ready."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes import client, config

from breakeven.core.hardware import PlatformPlacement
from breakeven.core.live import Readiness, Target
from breakeven.core.manifests import GPU_RESOURCE
from breakeven.engine import kubeconfig as kubeconfig_file
from breakeven.errors import ClusterError

# To connect, and to answer; tried twice.
_TIMEOUT_S: Final = (5, 10)
_RETRIES: Final = 1


class Cluster:
    """A reachable cluster. Its methods raise ClusterError."""

    def __init__(self, api: client.ApiClient, target: Target, version: str) -> None:
        self._api = api
        self.target = target
        self.version = version

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """One object, or None where it, its kind or its namespace is not there."""
        plural, namespaced = self._plural(api_version, kind)
        if not plural:
            return None
        scope = f"/namespaces/{namespace}" if namespaced else ""
        return _get(self._api, f"{_root(api_version)}{scope}/{plural}/{name}")

    def list(self, path: str) -> list[dict[str, Any]]:
        """The objects at a path such as `/api/v1/nodes`; none where the path is not known."""
        return list((_get(self._api, path) or {}).get("items") or ())

    def text(self, path: str) -> tuple[int, str]:
        """Status and body of what is no Kubernetes object: a log, or what a Service answers through the API server."""
        status, _, body = _call(self._api, "GET", path, accept="*/*")
        return status, body.decode(errors="replace")

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether the cluster knows the kind."""
        return bool(self._plural(api_version, kind)[0])

    def _plural(self, api_version: str, kind: str) -> tuple[str, bool]:
        listing = _get(self._api, _root(api_version)) or {}
        for resource in listing.get("resources", ()):
            if resource["kind"] == kind and "/" not in resource["name"]:
                return resource["name"], resource["namespaced"]
        return "", False

    def gpu_nodes(self, placement: Iterable[PlatformPlacement]) -> dict[str, int]:
        """Allocatable GPUs by name of each node that any of the platforms' labels accept."""
        platforms = tuple(placement)
        nodes = (_get(self._api, "/api/v1/nodes") or {}).get("items", ())
        return {
            node["metadata"]["name"]: int(node["status"].get("allocatable", {}).get(GPU_RESOURCE, 0))
            for node in nodes
            if any(_accepts(platform, node["metadata"].get("labels", {})) for platform in platforms)
        }

    def readiness(self, *, namespace: str, name: str, serverless: bool) -> Readiness:
        """The Deployment of a stack, or its Knative Service."""
        if serverless:
            return _knative_readiness(self.get("serving.knative.dev/v1", "Service", namespace, name))
        found = self.get("apps/v1", "Deployment", namespace, name)
        return _deployment_readiness(found, self._pending_reason(namespace, name) if found else "")

    def _pending_reason(self, namespace: str, name: str) -> str:
        """The scheduler's or the container's own words for the first pod that is not ready."""
        selector = f"labelSelector=app.kubernetes.io%2Finstance%3D{name}"
        pods = (_get(self._api, f"/api/v1/namespaces/{namespace}/pods?{selector}") or {}).get("items", ())
        return next((reason for pod in pods if (reason := _pod_reason(pod))), "")


def connect(kubeconfig: Path | None, context: str | None) -> Cluster:
    """Find the kubeconfig and context, and reach the cluster.

    Raises InputError for an unknown context, ClusterError where there is no kubeconfig or no answer.
    """
    path, name = kubeconfig_file.locate(kubeconfig, context)
    api = _client(path, name)
    server = api.configuration.host
    version = _get(api, "/version") or {}
    system = _get(api, "/api/v1/namespaces/kube-system") or {}
    identifier = system.get("metadata", {}).get("uid", "")
    if not identifier:
        raise ClusterError(f"{server} has no namespace kube-system to tell clusters apart by")
    target = Target(kubeconfig=str(path), context=name, server=server, identifier=identifier)
    return Cluster(api, target, version.get("gitVersion", "unknown"))


def _client(path: Path, context: str) -> client.ApiClient:
    """Raises ClusterError, also for a failed credential plugin: the library logs it and goes on without credentials."""
    settings = client.Configuration()
    settings.retries = _RETRIES
    with _logged_errors() as problems:
        try:
            config.load_kube_config(str(path), context, settings, persist_config=False)
        # Its loader takes the file's shape for granted.
        except (config.ConfigException, AttributeError, LookupError, TypeError, ValueError) as error:
            problems.append(str(error))
    if not problems and not settings.host.startswith(("https://", "http://")):
        problems.append(f"its server {settings.host!r} is not a URL")
    if problems:
        hint = "check it with `kubectl config view`, and log in again"
        raise ClusterError(f"{path}: context {context}: {problems[0]}", hint=hint)
    return client.ApiClient(settings)


@contextmanager
def _logged_errors() -> Iterator[list[str]]:
    """What is logged as an error meanwhile, instead of printing it."""
    messages: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        yield messages
    finally:
        logging.getLogger().removeHandler(handler)


def _get(api: client.ApiClient, path: str) -> dict[str, Any] | None:
    """GET as plain JSON; None for 404."""
    server = api.configuration.host
    status, reason, body = _call(api, "GET", path)
    if status == 404:
        return None
    if status != 200:
        hint = "log in again, or ask for the permission" if status in (401, 403) else ""
        raise ClusterError(f"{server} refused GET {path}: {status} {reason}", hint=hint)
    try:
        found: dict[str, Any] = json.loads(body)
    except ValueError as error:
        raise ClusterError(f"{server} does not answer like a Kubernetes API server") from error
    return found


def _call(api: client.ApiClient, method: str, path: str, *, accept: str = "application/json") -> tuple[int, str, bytes]:
    """Status, reason and body of the answer. Raises ClusterError where there is none."""
    request = api.param_serialize(method, path, auth_settings=["BearerToken"], header_params={"Accept": accept})
    try:
        response = api.call_api(*request, _request_timeout=_TIMEOUT_S)
        return response.status, str(response.reason), response.read()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        hint = "is the cluster up, and the context the right one?"
        raise ClusterError(f"{api.configuration.host} is unreachable: {_root_cause(error)}", hint=hint) from error


def _root_cause(error: BaseException) -> str:
    """Without urllib3's own wrapping: `HTTPSConnection(host='…', port=443): …`."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, BaseException) else error
    text = next((part for part in reversed(cause.args) if isinstance(part, str)), str(cause))
    return re.sub(r"^HTTPS?Connection(Pool)?\(.*?\): ", "", text)


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _accepts(platform: PlatformPlacement, labels: Mapping[str, str]) -> bool:
    return all(labels.get(match.key) in match.values for match in platform.labels)


def _deployment_readiness(found: dict[str, Any] | None, reason: str) -> Readiness:
    if found is None:
        return Readiness(found=False, ready=0, wanted=0, gpus=0, reason="the Deployment is not in the cluster")
    wanted = found["spec"].get("replicas", 1)
    ready = found.get("status", {}).get("readyReplicas", 0)
    gpus = wanted * _template_gpus(found)
    if not wanted:
        reason = "it is scaled to 0"
    elif ready >= wanted:
        reason = ""
    return Readiness(found=True, ready=ready, wanted=wanted, gpus=gpus, reason=reason)


def _knative_readiness(found: dict[str, Any] | None) -> Readiness:
    """A Knative Service is one thing that is ready or not, however many pods run."""
    if found is None:
        return Readiness(found=False, ready=0, wanted=0, gpus=0, reason="the Knative Service is not in the cluster")
    conditions = found.get("status", {}).get("conditions", ())
    ready: dict[str, str] = next((condition for condition in conditions if condition["type"] == "Ready"), {})
    is_ready = ready.get("status") == "True"
    reason = "" if is_ready else ready.get("message", "no condition Ready yet")
    return Readiness(found=True, ready=int(is_ready), wanted=1, gpus=_template_gpus(found), reason=reason)


def _template_gpus(found: dict[str, Any]) -> int:
    containers = found["spec"]["template"]["spec"]["containers"]
    return sum(int(container.get("resources", {}).get("limits", {}).get(GPU_RESOURCE, 0)) for container in containers)


def _pod_reason(pod: dict[str, Any]) -> str:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            return f"{name}: {condition.get('reason', '')}: {condition.get('message', '')}"
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            return f"{name}: {waiting.get('reason', '')}: {waiting.get('message', '')}"
    return ""
