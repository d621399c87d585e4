"""Plan → Helm values → Kubernetes manifests → directory. Only this module knows Jinja and Helm's commands."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import jinja2
import yaml
from jsonschema import Draft7Validator

from breakeven import load, resources
from breakeven.convert import plain
from breakeven.core.chart.fields import hints, parts
from breakeven.core.chart.fill import chart_values
from breakeven.core.chart.plain import plain_values
from breakeven.core.chart.values import Values
from breakeven.core.comparison import Comparison
from breakeven.core.engine_args import VLLM_VERSION
from breakeven.core.helm_release import helm_release
from breakeven.core.plaintext import plaintext_secrets
from breakeven.core.plan import Plan
from breakeven.core.record import record_cost, record_plan
from breakeven.directory import Part
from breakeven.errors import DeployError, GateError, InputError, ToolError
from breakeven.yaml_text import to_yaml

# Helm checks the chart's kubeVersion against it; nothing else of the output depends on it.
_KUBE_VERSION: Final = "1.36.3"
_HELM_TIMEOUT_S: Final = 60
_LAST_LINES: Final = 5

# Of the top of a fleet's tree; gitops/flux-helm/ names it.
CHART_FOLDER: Final = "charts/vllm"

Manifest = dict[str, Any]

# The C parser is ten times as fast, comes with PyYAML's wheels and reads the same.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def values_yaml(plan: Plan) -> str:
    """The chart's values as text, with comments; not validated."""
    return _template().render(plan=plan, groups=_groups(chart_values(plan)))


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # YAML, not HTML: strings are quoted by tojson
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = partial(to_yaml, sort_keys=False)
    return environment.from_string(resources.values_template().read_text(encoding="utf-8"))


def _groups(found: Values) -> list[tuple[str, dict[str, Any]]]:
    """Each top-level key with what it is."""
    said = (parts(hint)[1] for hint in hints(Values).values())
    return [
        (description, {key: value}) for description, (key, value) in zip(said, plain_values(found).items(), strict=True)
    ]


def values(plan: Plan) -> dict[str, Any]:
    """The chart's values. Raises DeployError if the chart's schema refuses them."""
    return _validated(values_yaml(plan))


def _validated(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(text, _Loader)
    error = next(iter(_validator().iter_errors(found)), None)
    if error is not None:
        raise DeployError(f"the chart refuses its values: {error.json_path.removeprefix('$.')}: {error.message}")
    return found


@cache
def _validator() -> Draft7Validator:
    schema = (resources.chart() / "values.schema.json").read_text(encoding="utf-8")
    # Helm, like draft-07, means the very end by a pattern's `$`; Python also stops before a last newline.
    return Draft7Validator(json.loads(schema.replace('$"', r'\\Z"')))


def namespace_manifest(plan: Plan) -> Manifest:
    """The namespace, which the chart leaves to whoever installs it. It admits no pod with more rights than ours."""
    labels = {"app.kubernetes.io/managed-by": "breakeven", "pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": plan.namespace, "labels": labels}}


def manifests(plan: Plan, helm: Path) -> list[Manifest]:
    """The namespace and every object of the chart, as `helm template` renders them. Raises ToolError."""
    text = values_yaml(plan)
    _validated(text)
    rendered = _helm_template(helm, plan.release, plan.namespace, text)
    return [namespace_manifest(plan), *(document for document in yaml.load_all(rendered, _Loader) if document)]


def _helm_template(helm: Path, release: str, namespace: str, text: str) -> str:
    command = [str(helm), "template", release, str(resources.chart()), "-n", namespace, "-f", "-"]
    # HELM_* settings of the user must not change what is rendered.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
    # It lives for 50 ms: collecting garbage takes a fifth of that, and saves no memory.
    environment["GOGC"] = "off"
    try:
        result = subprocess.run(
            [*command, "--kube-version", _KUBE_VERSION],
            input=text,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=_HELM_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"helm template: {error}", hint="`deploy tools` finds or builds helm") from error
    if result.returncode:
        lines = result.stderr.strip().splitlines()[-_LAST_LINES:]
        raise ToolError("\n".join([f"helm template failed with exit code {result.returncode}:", *lines]))
    return result.stdout


def part(
    comparison: Comparison, helm: Path, *, folder: str = "", holds_namespace: bool = True, as_release: bool = False
) -> Part:
    """The folder of a plan: the same plan at the same prices gives the same bytes on any machine.

    `as_release` writes a HelmRelease in place of what the chart makes.

    Raises GateError where a line of the bill has no price and the budget does not allow that: who commits this has it
    applied without another look.
    """
    unknown = comparison.projection.unknown
    if unknown and not comparison.plan.deployment.budget.allow_unknown_prices:
        raise GateError(
            f"the price of {', '.join(unknown)} is unknown; nothing was rendered",
            hint="give it in deploy.yaml, such as prices.storage_usd_per_gib_month, or set budget.allow_unknown_prices",
        )
    _refuse_secrets("deploy.yaml", load.plain(comparison.plan.deployment))
    found = files(comparison.plan, helm, holds_namespace=holds_namespace, as_release=as_release)
    return Part(folder=folder, files=found, about=_about(comparison))


def files(plan: Plan, helm: Path, *, holds_namespace: bool = True, as_release: bool = False) -> dict[str, str]:
    """Values, manifests and kustomizations by relative path. Raises InputError for a secret in plain text."""
    namespace, *made = _unique(manifests(plan, helm))
    if as_release:
        made = [helm_release(plan, values(plan))]
    objects = {_path(manifest): manifest for manifest in ([namespace] if holds_namespace else []) + made}
    texts = {path: to_yaml(manifest) for path, manifest in objects.items()}
    return {"values.yaml": values_yaml(plan), **_kustomizations(texts), **texts}


def _unique(found: list[Manifest]) -> list[Manifest]:
    """Raises where two objects would be one file, and where one tells a secret."""
    paths: set[str] = set()
    for manifest in found:
        path = _path(manifest)
        if path in paths:
            raise DeployError(f"two objects of the chart would be written to {path}")
        paths.add(path)
        _refuse_secrets(f"{manifest['kind']} {manifest['metadata']['name']}", manifest)
    return found


def chart_files() -> dict[str, str]:
    """The chart for those whose reconciler renders it, below `charts/vllm/`; without its tests."""
    chart = resources.chart()
    paths = (path for path in sorted(chart.rglob("*")) if path.is_file())
    names = ((path, path.relative_to(chart)) for path in paths)
    return {
        f"{CHART_FOLDER}/{name.as_posix()}": path.read_text(encoding="utf-8")
        for path, name in names
        if name.parts[0] != "tests"
    }


def _refuse_secrets(where: str, data: Mapping[str, Any]) -> None:
    if found := next(plaintext_secrets(data), None):
        hint = "put it into a Secret of the cluster, and name that: hub_token_secret"
        raise InputError(f"{found} is a secret in plain text; nothing was rendered", where=where, hint=hint)


def _kustomizations(paths: Iterable[str]) -> dict[str, str]:
    """One of the manifests, and one of the CRDs where there are any: those must be known before the rest is applied."""
    crds = sorted(path for path in paths if path.startswith("crds/"))
    found = {"kustomization.yaml": kustomization(set(paths) - set(crds))}
    if crds:
        found["crds/kustomization.yaml"] = kustomization(path.removeprefix("crds/") for path in crds)
    return found


def kustomization(paths: Iterable[str]) -> str:
    kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return to_yaml({**kind, "resources": sorted(paths)})


def _path(manifest: Manifest) -> str:
    """`manifests/<kind>-<name>.yaml`, of a CRD `crds/<name>.yaml`; checked, since both become part of a path."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    is_crd = kind == "CustomResourceDefinition"
    stem = name if is_crd else f"{kind.lower()}-{name}"
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", stem):
        raise DeployError(f"{stem!r} cannot be a file name")
    return f"{'crds' if is_crd else 'manifests'}/{stem}.yaml"


def _about(comparison: Comparison) -> dict[str, Any]:
    """What the lock file tells: the inputs, the plan, its bill with sources, and the same traffic at APIs."""
    plan = comparison.plan
    return {
        "vllm": VLLM_VERSION,
        "inputs": {"deployment": _asked(plan), "sha256": _digest_of_inputs(plan)},
        "plan": record_plan(plan),
        "cost": record_cost(comparison.projection),
        "api": [
            {
                "comparator": api.comparator,
                "monthly_usd": str(api.monthly_usd),
                "usd_per_request": str(api.usd_per_request),
                "source": api.source,
                "checked": api.checked.isoformat(),
            }
            for api in comparison.equivalents
        ],
    }


def _asked(plan: Plan) -> dict[str, Any]:
    """The inputs, with the name of a model in place of its config.json: a path is another one on each machine."""
    asked = load.plain(plan.deployment)
    return {**asked, "model": plan.facts.model.name} if "model" in asked else asked


def _digest_of_inputs(plan: Plan) -> str:
    """Of what was asked for, of the records behind its names, and of the chart.

    Where and when a config.json was read differs from machine to machine.
    """
    facts = plain(plan.facts)
    model = {key: value for key, value in facts["model"].items() if key not in ("source", "checked")}
    inputs = [_asked(plan), {**facts, "model": model}, _chart_digest()]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


@cache
def _chart_digest() -> str:
    chart = resources.chart()
    rendered = (path for path in chart.rglob("*") if path.is_file() and "tests" not in path.relative_to(chart).parts)
    paths = [resources.values_template(), *sorted(rendered)]
    parts = (f"{path.relative_to(chart.parent)}\n".encode() + path.read_bytes() for path in paths)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
