"""The API server's own verdict on every object, and on a pod such as they will make: nothing of it is stored.

Admission has its say: Pod Security, quotas, limit ranges, policies and webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from breakeven.core.live import Check
from breakeven.core.manifests import Manifest, pod_gpus, pod_spec, pod_templates
from breakeven.core.pod_counts import as_asked, gpus_requested
from breakeven.core.units import count
from breakeven.engine.adoption import MANAGER as _MANAGER
from breakeven.engine.cluster import Answer
from breakeven.engine.preflight.permissions import Right, may
from breakeven.engine.preflight.subject import Object, Subject
from breakeven.engine.preflight.together import together

_PROVIDER: Final = "pulumi-kubernetes"
_APPLY: Final = "application/apply-patch+yaml"
_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
# Fields of a Knative revision that a pod does not have.
_REVISION_ONLY: Final = ("containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds")


def check(subject: Subject) -> Iterator[Check]:
    known = [item for item in subject.objects if item.path]
    answers = together(subject.cluster, [partial(_ask, subject, item) for item in known])
    tried = list(zip(known, answers, strict=True))
    accepted = [(item, answer.body) for item, answer in tried if answer.is_ok]
    found = [check for item, answer in tried for check in _verdict(subject, item, answer)]
    # What others set in an adopted object is told apart from what admission does: `engine.adoption`.
    own = [(item, body) for item, body in accepted if not item.is_adopted]
    found += _gpus([item for item, _ in own], [body for _, body in own])
    found += _pods(subject) if subject.namespace else []
    yield from found
    if accepted and not found:
        yield Check(name="Dry run", status="pass", detail=_accepted(subject, len(accepted), len(known)))


def _accepted(subject: Subject, accepted: int, known: int) -> str:
    if subject.namespace is None:
        return f"the cluster accepts {accepted} of {count(known, 'object')}; the others want their namespace first"
    return f"the cluster accepts {accepted} of {count(known, 'object')}, and their pods"


def _ask(subject: Subject, item: Object) -> Answer:
    """As the provider will. What is there and not its own is asked about as if it were new: it is refused elsewhere."""
    manager = _manager(item.live) if item.live and not item.is_adopted else _MANAGER
    if manager:
        return _send(subject, item, item.manifest, manager)
    metadata = {**item.manifest["metadata"], "name": _probe_name(item.manifest["metadata"]["name"])}
    return _send(subject, item, {**item.manifest, "metadata": metadata}, _MANAGER)


def _send(subject: Subject, item: Object, manifest: Manifest, manager: str) -> Answer:
    name = quote(str(manifest["metadata"]["name"]), safe="")
    query = f"dryRun=All&force=true&fieldManager={quote(manager, safe='')}"
    return subject.cluster.ask("PATCH", f"{item.path}/{name}?{query}", manifest, _APPLY)


def _manager(live: Mapping[str, Any]) -> str:
    """The provider's own, so that fields that the stack no longer names go, as in its apply; empty if there is none."""
    managers = [str(entry.get("manager", "")) for entry in live["metadata"].get("managedFields", ())]
    return next((name for name in managers if name.startswith(_PROVIDER)), "")


def _verdict(subject: Subject, item: Object, answer: Answer) -> Iterator[Check]:
    if answer.is_ok or _is_for_want_of_rights(answer):  # rights are told apart from refusals, by their own check
        return
    if answer.status == 404 and subject.namespace is None:
        return  # so is a namespace that is not there
    yield _refused("Dry run", item.title, answer)


def _refused(name: str, what: str, answer: Answer) -> Check:
    return Check(name=name, status="fail", detail=f"{what}: {answer.message}", fix=_fix(answer.message))


def _fix(message: str) -> str:
    # The provider (4.25.0) would replace it, but its preview is refused in the same words.
    if "immutable" in message:
        return "`deploy destroy` first, or begin another stack with --name"
    if "violates PodSecurity" in message:
        return "choose another --namespace, or ask for another Pod Security level of this one"
    if "quota" in message:
        return "ask for a larger quota of this namespace, or choose another"
    if "ValidatingAdmissionPolicy" in message or "webhook" in message:
        return "meet that policy of the cluster, or ask its owner for an exception"
    return "change what the message names"


def _is_for_want_of_rights(answer: Answer) -> bool:
    return answer.status == 403 and bool(re.search(r'User ".*" cannot \w+ resource ', answer.message))


def _pods(subject: Subject) -> list[Check]:
    """Pod Security and quotas refuse no Deployment, only its pods, and then in silence."""
    if not may(subject.cluster, Right("create", "", "pods", subject.plan.namespace)):
        detail = "a pod could not be tried, since you may not create pods: what is refused to pods is seen too late"
        return [Check(name="Pod", status="warn", detail=detail, fix="ask for `create pods`; only a dry run uses it")]
    return [
        check
        for runner in subject.runners
        for template in pod_templates(runner)
        for check in _pod(subject, runner, template)
    ]


def _pod(subject: Subject, runner: Manifest, template: Manifest) -> list[Check]:
    path = f"/api/v1/namespaces/{subject.plan.namespace}/pods?dryRun=All&fieldManager={_MANAGER}"
    tried = probe(runner, template, without_account=_brings_account(subject, runner))
    answer = subject.cluster.ask("POST", path, tried)
    if answer.is_ok:
        return _changed(tried, answer.body)
    if subject.own_pods and "exceeded quota" in answer.message:
        return []  # the stack's own pods make room: the check of quotas has counted it
    return [_refused("Pod", f"a pod of {runner['kind']} {runner['metadata']['name']}{_level(subject)}", answer)]


def _brings_account(subject: Subject, runner: Manifest) -> bool:
    """The stack makes its account with the pods: it may not be there yet."""
    name = pod_spec(runner).get("serviceAccountName")
    return any(item.kind == "ServiceAccount" and item.manifest["metadata"]["name"] == name for item in subject.objects)


def _level(subject: Subject) -> str:
    labels = (subject.namespace or {}).get("metadata", {}).get("labels") or {}
    level = f", which enforces Pod Security {labels[_ENFORCE]}" if _ENFORCE in labels else ""
    return f" in namespace {subject.plan.namespace}{level}"


def probe(runner: Manifest, template: Manifest, *, without_account: bool) -> dict[str, Any]:
    """A pod as the template makes it; without its account it takes the namespace's default one."""
    left_out = {*_REVISION_ONLY, *(["serviceAccountName"] if without_account else [])}
    spec = {key: value for key, value in template["spec"].items() if key not in left_out}
    metadata = {
        "name": _probe_name(runner["metadata"]["name"]),
        "labels": dict(template.get("metadata", {}).get("labels") or {}),
        "annotations": dict(template.get("metadata", {}).get("annotations") or {}),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _probe_name(name: str) -> str:
    return f"{name[:40].rstrip('-.')}-preflight"


def _changed(tried: Manifest, pod: Manifest) -> list[Check]:
    """Admission may rewrite a pod; GPUs that it adds are not on the bill."""
    asked, given = pod_gpus(tried), pod_gpus(pod)
    if asked == given:
        return []
    detail = f"admission gives a pod {count(given, 'GPU')} instead of {asked}; the bill is for {asked}"
    return [Check(name="Pod", status="fail", detail=detail, fix="find the webhook or policy that changes pods")]


def _gpus(objects: Sequence[Object], stored: Sequence[Manifest]) -> Iterator[Check]:
    """The same for the objects, each by itself. What an autoscaler counts, the server fills in as 1."""
    asked = sum(gpus_requested([item.manifest]) for item in objects)
    given = sum(gpus_requested([as_asked(item.manifest, body)]) for item, body in zip(objects, stored, strict=True))
    if asked != given:
        detail = f"admission makes {count(given, 'GPU')} of the {asked} that were asked for"
        yield Check(name="Dry run", status="fail", detail=detail, fix="find the webhook or policy that changes objects")
