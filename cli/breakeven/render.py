"""Plan → Helm values → Kubernetes manifests → directory. Only this module knows Jinja and Helm's commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import jinja2
import yaml
from jsonschema import Draft7Validator

from breakeven import __version__, directory, resources
from breakeven.core.chart.fields import hints, parts
from breakeven.core.chart.fill import chart_values
from breakeven.core.chart.plain import plain_values
from breakeven.core.chart.values import Values
from breakeven.core.cost import project
from breakeven.core.engine_args import VLLM_VERSION
from breakeven.core.plan import Plan
from breakeven.core.record import record_cost, record_plan
from breakeven.errors import DeployError, ToolError

# Helm checks the chart's kubeVersion against it; nothing else of the output depends on it.
_KUBE_VERSION: Final = "1.36.3"
_HELM_TIMEOUT_S: Final = 60
_LAST_LINES: Final = 5

Manifest = dict[str, Any]


def values_yaml(plan: Plan) -> str:
    """The chart's values as text, with comments; not validated."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # YAML, not HTML: strings are quoted by tojson
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = partial(to_yaml, sort_keys=False)
    template = environment.from_string(resources.values_template().read_text(encoding="utf-8"))
    return template.render(plan=plan, groups=_groups(chart_values(plan)))


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
    found: dict[str, Any] = yaml.safe_load(text)
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
    return [namespace_manifest(plan), *(document for document in yaml.safe_load_all(rendered) if document)]


def _helm_template(helm: Path, release: str, namespace: str, text: str) -> str:
    command = [str(helm), "template", release, str(resources.chart()), "-n", namespace, "-f", "-"]
    # HELM_* settings of the user must not change what is rendered.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
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


def write(plan: Plan, helm: Path, out: Path) -> list[Path]:
    """Write values, manifests and a lock file with their digests and the cost into `out`; gives all paths.

    Raises InputError rather than touch a file that an earlier call did not write.
    """
    return directory.write(out, files(plan, helm), _about(plan))


def differences(plan: Plan, helm: Path, out: Path) -> list[str]:
    """What `write` would change in `out`, one line a file; empty if nothing."""
    return directory.differences(out, files(plan, helm), _about(plan))


def files(plan: Plan, helm: Path) -> dict[str, str]:
    """The content of a rendered directory by relative path: the same plan gives the same bytes."""
    found = {"values.yaml": values_yaml(plan)}
    for manifest in manifests(plan, helm):
        path = f"manifests/{_file_name(manifest)}"
        if path in found:
            raise DeployError(f"two objects of the chart would be written to {path}")
        found[path] = to_yaml(manifest)
    return found


def to_yaml(manifest: Manifest, *, sort_keys: bool = True) -> str:
    # ASCII: YAML takes some other characters, such as U+0085, for line breaks.
    return yaml.safe_dump(manifest, sort_keys=sort_keys, width=110)


def _file_name(manifest: Manifest) -> str:
    """`<kind>-<name>.yaml`; both are checked, since they become part of a path."""
    stem = f"{manifest['kind'].lower()}-{manifest['metadata']['name']}"
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", stem):
        raise DeployError(f"{stem!r} cannot be a file name")
    return f"{stem}.yaml"


def _about(plan: Plan) -> dict[str, Any]:
    return {
        "tool": f"breakeven {__version__}",
        "vllm": VLLM_VERSION,
        "plan": record_plan(plan),
        "cost": record_cost(project(plan)),
    }
