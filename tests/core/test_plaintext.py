"""What counts as a secret in plain text, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from breakeven.core.plaintext import plaintext_secrets


def pod(**entry: Any) -> dict[str, Any]:
    return {"kind": "Pod", "spec": {"containers": [{"env": [entry]}]}}


@pytest.mark.parametrize(
    ("manifest", "path"),
    [
        ({"kind": "Secret", "data": {"a": "YQ=="}}, "data"),
        (pod(name="HF_TOKEN", value="x"), "spec.containers[0].env[0].value"),
        (pod(name="OPENAI_API_KEY", value="x"), "spec.containers[0].env[0].value"),
        (pod(name="HARMLESS", value="hf_" + "a" * 34), "spec.containers[0].env[0].value"),
        ({"kind": "ConfigMap", "data": {"a": "-----BEGIN PRIVATE KEY-----\n"}}, "data.a"),
        ({"kind": "Pod", "spec": {"args": ["--api-key=x"]}}, "spec.args[0]"),
    ],
)
def test_a_secret_is_found_by_its_path(manifest: dict[str, Any], path: str) -> None:
    assert list(plaintext_secrets(manifest)) == [path]


@pytest.mark.parametrize(
    "manifest",
    [
        {"kind": "Secret", "metadata": {"name": "empty"}},
        pod(name="HF_TOKEN", valueFrom={"secretKeyRef": {"name": "hub", "key": "token"}}),
        pod(name="TOKENIZERS_PARALLELISM", value="false"),
        pod(name="MAX_TOKENS", value="7"),
        {"kind": "ServiceAccount", "automountServiceAccountToken": False},
        {"hubToken": {"secretName": "hub", "secretKey": "token"}},
    ],
)
def test_a_reference_is_no_secret(manifest: dict[str, Any]) -> None:
    assert list(plaintext_secrets(manifest)) == []


GOLDEN = sorted((Path(__file__).parents[1] / "golden").rglob("*manifests.yaml")) + sorted(
    (Path(__file__).parents[1] / "golden" / "choices").glob("*.yaml")
)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_nothing_that_the_chart_makes_is_taken_for_a_secret(path: Path) -> None:
    found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    assert found
    assert [secret for manifest in found for secret in plaintext_secrets(manifest)] == []
