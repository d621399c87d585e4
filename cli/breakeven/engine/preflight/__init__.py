"""What is known to break, found before the preview: the engine's own preview hides what the cluster refuses.

The provider (4.25.0) swallows a 403 in its dry run, so a missing permission, an exceeded quota and Pod Security all
look like a plain `create`. Here each question is put to the API server itself, with dry runs only: nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from breakeven.core import rollout_rules
from breakeven.core.live import Check
from breakeven.core.manifests import Manifest
from breakeven.core.plan import Plan
from breakeven.engine.cluster import Cluster, Forbidden
from breakeven.engine.preflight import dry_run, gpus, kinds, namespace, permissions, quota, secrets, storage
from breakeven.engine.preflight.subject import Subject, subject_of
from breakeven.errors import ClusterError

# In the order in which one mends it. Each is asked also when one before it failed.
_FAMILIES: tuple[tuple[str, Callable[[Subject], Iterable[Check]]], ...] = (
    ("Kubernetes", kinds.check),
    ("Permissions", permissions.check),
    ("GPUs", gpus.check),
    ("Storage", storage.check),
    ("Secrets", secrets.check),
    ("Namespace", namespace.check),
    ("Quota", quota.check),
    ("Dry run", dry_run.check),
)


def check(
    plan: Plan, manifests: Sequence[Manifest], cluster: Cluster, adopted: Collection[Manifest] = ()
) -> list[Check]:
    """`manifests` are all objects that the stack would own, some of them `adopted`.

    Raises ClusterError where the cluster does not answer.
    """
    subject = subject_of(plan, manifests, cluster, adopted)
    found = [entry for name, family in _FAMILIES for entry in _looked_at(name, family, subject)]
    return [*found, *rollout_rules.checks(manifests)]


def offline(manifests: Sequence[Manifest]) -> list[Check]:
    """What can be said without a cluster, and what was not looked at."""
    skipped = ", ".join(name for name, _ in _FAMILIES)
    detail = f"not looked at: {skipped}"
    fix = "`deploy preview` without --offline asks the cluster"
    return [Check(name="Cluster", status="warn", detail=detail, fix=fix), *rollout_rules.checks(manifests)]


def _looked_at(name: str, family: Callable[[Subject], Iterable[Check]], subject: Subject) -> Iterator[Check]:
    """One who may not look at, say, nodes may still be allowed to apply."""
    try:
        yield from family(subject)
    except Forbidden as error:
        yield Check(name=name, status="warn", detail=f"could not be looked at: {error}", fix=error.hint)


def refuse_failures(checks: Iterable[Check]) -> None:
    """Raises ClusterError with every check that failed."""
    failed = [entry for entry in checks if entry.status == "fail"]
    if len(failed) == 1:
        raise ClusterError(f"{failed[0].name}: {failed[0].detail}", hint=failed[0].fix)
    if failed:
        lines = (f"\n✗ {entry.name}: {entry.detail}\n  → {entry.fix}" for entry in failed)
        raise ClusterError(f"{len(failed)} checks failed; nothing was changed{''.join(lines)}")
