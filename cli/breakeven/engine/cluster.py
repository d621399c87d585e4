"""The Kubernetes cluster, read through the official client: who it is, and what is there."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes import client, config
from kubernetes.utils import parse_quantity

from breakeven.core.live import Target
from breakeven.core.plan import ServerKind
from breakeven.engine import kubeconfig as kubeconfig_file
from breakeven.errors import ClusterError

# To connect, and to answer; tried twice.
_TIMEOUT_S: Final = (5, 10)
_RETRIES: Final = 1
# Of what runs servers, by its kind.
API_VERSIONS: Final[Mapping[ServerKind, str]] = {
    "Deployment": "apps/v1",
    "LeaderWorkerSet": "leaderworkerset.x-k8s.io/v1",
    "Service": "serving.knative.dev/v1",
}
# Questions that do not wait for one another.
AT_ONCE: Final = 8


class Forbidden(ClusterError):
    """The user may not look at it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the API server said: the object, or the Status that says why not."""

    status: int
    body: dict[str, Any]

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        return str(self.body.get("message", "")) or f"HTTP status {self.status}"


class Cluster:
    """A reachable cluster. Its methods raise ClusterError."""

    def __init__(self, api: client.ApiClient, target: Target, version: str) -> None:
        self._api = api
        self.target = target
        self.version = version
        self._known: dict[str, dict[str, tuple[str, bool]]] = {}

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """One object, or None where it, its kind or its namespace is not there."""
        path = self.path(api_version, kind, namespace)
        return _get(self._api, f"{path}/{name}") if path else None

    def list(self, path: str) -> list[dict[str, Any]]:
        """The objects at a path such as `/api/v1/nodes`; none where the path is not known."""
        return list((_get(self._api, path) or {}).get("items") or ())

    def ask(self, method: str, path: str, body: Mapping[str, Any], content_type: str = "application/json") -> Answer:
        """Send `body`, and give whatever the API server answers."""
        status, _, answered = _call(self._api, method, path, body, content_type)
        return Answer(status=status, body=_parsed(self._api, answered))

    def text(self, path: str) -> tuple[int, str]:
        """Status and body of what is no Kubernetes object: a log, or what a Service answers through the API server."""
        status, _, body = _call(self._api, "GET", path, accept="*/*")
        return status, body.decode(errors="replace")

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether the cluster knows the kind."""
        return bool(self.path(api_version, kind, ""))

    def path(self, api_version: str, kind: str, namespace: str) -> str:
        """Where the objects of a kind are; empty where the cluster does not know it."""
        plural, namespaced = self.resource(api_version, kind)
        scope = f"/namespaces/{namespace}" if namespaced else ""
        return f"{_root(api_version)}{scope}/{plural}" if plural else ""

    def resource(self, api_version: str, kind: str) -> tuple[str, bool]:
        """The kind's name in URLs and roles, and whether it lives in namespaces."""
        if kind not in self._known.get(api_version, {}):
            resources = (_get(self._api, _root(api_version)) or {}).get("resources", ())
            self._known[api_version] = {
                entry["kind"]: (entry["name"], entry["namespaced"]) for entry in resources if "/" not in entry["name"]
            }
        return self._known[api_version].get(kind, ("", False))


def connect(kubeconfig: Path | None, context: str | None) -> Cluster:
    """Find the kubeconfig and context, and reach the cluster.

    Raises InputError for an unknown context, ClusterError where there is no kubeconfig or no answer.
    """
    path, name = kubeconfig_file.locate(kubeconfig, context)
    api = _client(path, name)
    server = api.configuration.host
    version = _get(api, "/version") or {}
    target = Target(kubeconfig=str(path), context=name, server=server, identifier=_identifier(api))
    return Cluster(api, target, version.get("gitVersion", "unknown"))


def _identifier(api: client.ApiClient) -> str:
    """Raises ClusterError, Forbidden with the right that is wanted."""
    server = api.configuration.host
    try:
        system = _get(api, "/api/v1/namespaces/kube-system") or {}
    except Forbidden as error:
        raise Forbidden(
            f"you may not `get` namespace kube-system of {server}, whose UID tells clusters apart",
            hint="ask the cluster's administrator for a ClusterRole with `get` on that namespace (resourceNames)",
        ) from error
    identifier = str(system.get("metadata", {}).get("uid", ""))
    if not identifier:
        raise ClusterError(f"{server} has no namespace kube-system to tell clusters apart by")
    return identifier


def _client(path: Path, context: str) -> client.ApiClient:
    """Raises ClusterError, also for a failed credential plugin: the library logs it and goes on without credentials."""
    settings = client.Configuration()
    settings.retries = _RETRIES
    settings.connection_pool_maxsize = AT_ONCE
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


def quantity(text: object) -> Decimal:
    """`500m`, `200Gi` or 4 as a number. Raises ValueError."""
    return Decimal(parse_quantity(text))


def _get(api: client.ApiClient, path: str) -> dict[str, Any] | None:
    """GET as plain JSON; None for 404. Raises Forbidden where the user may not look."""
    status, reason, body = _call(api, "GET", path)
    if status == 404:
        return None
    if status != 200:
        kind = Forbidden if status == 403 else ClusterError
        hint = "log in again, or ask for the permission" if status in (401, 403) else ""
        raise kind(f"{api.configuration.host} refused GET {path}: {status} {reason}", hint=hint)
    return _parsed(api, body)


def _call(
    api: client.ApiClient,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    content_type: str = "",
    *,
    accept: str = "application/json",
) -> tuple[int, str, bytes]:
    """Status, reason and body of the answer. Raises ClusterError where there is none."""
    headers = {"Accept": accept} | ({"Content-Type": content_type} if body is not None else {})
    # The client makes JSON of a POST by itself, and knows no server-side apply.
    content = json.dumps(body) if method == "PATCH" else body
    request = api.param_serialize(method, path, auth_settings=["BearerToken"], header_params=headers, body=content)
    try:
        response = api.call_api(*request, _request_timeout=_TIMEOUT_S)
        return response.status, str(response.reason), response.read()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        hint = "is the cluster up, and the context the right one?"
        raise ClusterError(f"{api.configuration.host} is unreachable: {_root_cause(error)}", hint=hint) from error


def _parsed(api: client.ApiClient, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ClusterError(f"{api.configuration.host} does not answer like a Kubernetes API server")
    return found


def _root_cause(error: BaseException) -> str:
    """Without urllib3's own wrapping: `HTTPSConnection(host='…', port=443): …`."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, BaseException) else error
    text = next((part for part in reversed(cause.args) if isinstance(part, str)), str(cause))
    return re.sub(r"^HTTPS?Connection(Pool)?\(.*?\): ", "", text)


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
