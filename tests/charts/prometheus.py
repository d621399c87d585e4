"""The rendered rules as a Prometheus reads them, and promtool's tests of them with series of the pinned vLLM."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

Manifest = Mapping[str, Any]
Series = Mapping[str, str]

# As the Prometheus operator labels a pod's series, and vLLM its own.
_POD: Final = 'namespace="{namespace}",pod="{release}-5d8f7c9b6-x7k2p",model_name="{model}",engine="0"'


def rules(manifests: Iterable[Manifest]) -> dict[str, Any]:
    """The spec of a PrometheusRule is a file of rules."""
    (found,) = [entry["spec"] for entry in manifests if entry["kind"] == "PrometheusRule"]
    return dict(found)


def written(spec: Mapping[str, Any], folder: Path) -> Path:
    path = folder / "rules.yml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def series(values: Series, *, namespace: str, release: str, model: str) -> list[dict[str, str]]:
    """`vllm:name` or `vllm:name|le` → values in promtool's notation."""
    pod = _POD.format(namespace=namespace, release=release, model=model)
    return [{"series": _named(name, pod), "values": text} for name, text in values.items()]


def _named(name: str, labels: str) -> str:
    bare, _, le = name.partition("|")
    return f"{bare}{{{labels}{f',le={json.dumps(le)}' if le else ''}}}"


def run(promtool: Path, *arguments: str | Path) -> str:
    """Stdout and stderr. Raises AssertionError with both where promtool is not content."""
    result = subprocess.run([promtool, *arguments], capture_output=True, encoding="utf-8", check=False)
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    return said


def tested(promtool: Path, spec: Mapping[str, Any], test: Mapping[str, Any], folder: Path) -> None:
    """One of promtool's tests: raises AssertionError where it fails."""
    file = {"rule_files": [str(written(spec, folder))], "evaluation_interval": "1m", "tests": [test]}
    path = folder / "test.yml"
    path.write_text(json.dumps(file), encoding="utf-8")
    run(promtool, "test", "rules", path)
