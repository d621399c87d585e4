"""Objects that are there and not the stack's: refused, or taken over where they are named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from breakeven.core.adoption import Adopted, stored, title
from breakeven.core.manifests import Manifest
from breakeven.engine.cluster import Cluster
from breakeven.errors import ClusterError

# Of a dry run; the provider, too, applies what is new to the stack under a name that has no fields yet.
MANAGER = "breakeven-preflight"


def look(manifests: Iterable[Manifest], namespace: str, cluster: Cluster) -> tuple[Adopted, ...]:
    """Each as it is, and as it would be. Raises ClusterError where one is not there, or cannot be taken over."""
    found = tuple(_look(manifest, namespace, cluster) for manifest in manifests)
    for each in found:
        _refuse_secrets(each)
        _refuse_more(each, namespace)
    return found


def _look(manifest: Manifest, namespace: str, cluster: Cluster) -> Adopted:
    live = _live(manifest, namespace, cluster)
    if live is None:
        raise ClusterError(
            f"there is no {_full(manifest, namespace)} to adopt; nothing was changed",
            hint=f"leave out --adopt {title(manifest)}: the stack makes it",
        )
    path = cluster.path(manifest["apiVersion"], manifest["kind"], _where(manifest, namespace))
    query = f"dryRun=All&force=true&fieldManager={MANAGER}"
    name = quote(str(manifest["metadata"]["name"]), safe="")
    answer = cluster.ask("PATCH", f"{path}/{name}?{query}", manifest, "application/apply-patch+yaml")
    if not answer.is_ok:
        raise ClusterError(
            f"{_full(manifest, namespace)} cannot be adopted: {answer.message}",
            hint="choose another --name or --namespace, or remove that object yourself",
        )
    return Adopted(manifest=manifest, live=stored(live), result=stored(answer.body))


def _refuse_secrets(adopted: Adopted) -> None:
    if adopted.secrets:
        raise ClusterError(
            f"{adopted.title} holds a secret in plain text, which the stack's state would keep: "
            f"{', '.join(adopted.secrets)}; nothing was changed",
            hint="move it into a Secret and take it out of the object; adopt it then",
        )


def _refuse_more(adopted: Adopted, namespace: str) -> None:
    """It would run what nobody was shown, and differ from what was applied for ever."""
    if adopted.besides:
        kind, name = adopted.title.lower().split("/")
        edit = f"kubectl -n {_where(adopted.manifest, namespace)} edit {kind} {name}"
        raise ClusterError(
            f"{adopted.title} holds what the stack does not set, and an apply would leave: "
            f"{', '.join(adopted.besides)}; nothing was changed",
            hint=f"take that out (`{edit}`), and adopt it then",
        )


def refuse_foreign(created: Sequence[Manifest], namespace: str, cluster: Cluster) -> None:
    """Raises ClusterError if objects exist that the stack would create. Leave out what it had begun to, or adopts.

    The provider (4.25.0) creates with a server-side apply: it would adopt them, and destroy would delete them.
    """
    found = [manifest for manifest in created if _live(manifest, namespace, cluster)]
    if not found:
        return
    named = ", ".join(_full(manifest, namespace) for manifest in found)
    verbs = "exists and was" if len(found) == 1 else "exist and were"
    raise ClusterError(
        f"{named} {verbs} not made by this stack; nothing was changed",
        hint=" ".join(_ways_out(found)),
    )


def _ways_out(found: Sequence[Manifest]) -> Iterator[str]:
    flags = [f"--adopt {title(manifest)}" for manifest in found if manifest["kind"] != "Namespace"]
    if flags:
        whom = "it" if len(found) == 1 else "them"
        yield f"{' '.join(flags)} takes {whom} into the stack (`deploy preview` shows how); or"
    yield "choose another --name or --namespace"


def _live(manifest: Manifest, namespace: str, cluster: Cluster) -> Manifest | None:
    where = _where(manifest, namespace)
    return cluster.get(manifest["apiVersion"], manifest["kind"], where, manifest["metadata"]["name"])


def _where(manifest: Manifest, namespace: str) -> str:
    return manifest["metadata"].get("namespace") or namespace


def _full(manifest: Manifest, namespace: str) -> str:
    return f"{manifest['kind']} {_where(manifest, namespace)}/{manifest['metadata']['name']}"
