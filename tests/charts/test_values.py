"""The values that the template makes, and the schema that guards them. No Helm here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven import load, render, resources
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.placement import PodMetadata
from breakeven.core.deployment import Weights
from breakeven.core.engine_args import VLLM_VERSION
from breakeven.core.plan import Plan
from breakeven.errors import DeployError

Planned = Callable[..., Plan]

SCHEMA = json.loads((resources.chart() / "values.schema.json").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((resources.chart() / "values.yaml").read_text(encoding="utf-8"))
PROFILES = sorted(load.profiles())

# What could end a YAML string, open a Jinja expression, become a flag of vLLM, or be expanded by Kubernetes.
HOSTILE = [
    'a"\nreplicas: 99\nb: "',
    "a'\n---\nkind: Secret",
    "{{ plan.deployment }}",
    "{% raw %}",
    "a # comment",
    "--trust-remote-code",
    "$(HF_TOKEN)",
    "../../etc/passwd",
    "Qwen/Qwen3-8B\n",
    "",
]


def _with_model(plan: Plan, name: str) -> Plan:
    return replace(plan, facts=replace(plan.facts, model=replace(plan.facts.model, name=name)))


def _keys(values: dict[str, Any], prefix: str = "") -> set[str]:
    free = ("podLabels", "nodeSelectorTerms")  # mappings and lists of the plan's
    nested = {key: value for key, value in values.items() if isinstance(value, dict) and key not in free}
    return {prefix + key for key in values} | {
        name for key, value in nested.items() for name in _keys(value, f"{prefix}{key}.")
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_the_schema_takes_the_values_of_every_profile(planned: Planned, profile: str) -> None:
    assert render.values(planned(profile))["replicas"] == planned(profile).replicas


def test_the_schema_takes_the_charts_own_defaults(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "values_yaml", lambda _: yaml.safe_dump(DEFAULTS))
    assert render.values(planned("1xa100")) == DEFAULTS


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_left_to_the_charts_defaults(planned: Planned, profile: str) -> None:
    assert _keys(render.values(planned(profile))) == _keys(DEFAULTS)


def test_the_charts_defaults_are_one_a100(planned: Planned) -> None:
    placement: dict[str, Any] = {"nodeSelectorTerms": [], "podLabels": {}}
    values = render.values(planned("1xa100"))
    # No figure without its source: the bill is the deployment's.
    monitoring = {"monitoring": {**values["monitoring"], "usdPerHour": ""}}
    assert {**values, **placement, **monitoring, "image": {**values["image"], "tag": ""}} == DEFAULTS


def test_the_image_is_the_engine_that_was_sized() -> None:
    chart = yaml.safe_load((resources.chart() / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == f"v{VLLM_VERSION}"


@pytest.mark.parametrize("profile", PROFILES)
def test_each_platform_is_one_term_with_all_its_labels(planned: Planned, profile: str) -> None:
    terms = [
        {"matchExpressions": [{"key": m.key, "operator": "In", "values": list(m.values)} for m in platform.labels]}
        for platform in load.profile(profile).placement
    ]
    assert render.values(planned(profile))["nodeSelectorTerms"] == terms


def test_a_claim_and_a_hub_token_are_passed_by_name(planned: Planned) -> None:
    weights = Weights(storage="pvc", storage_class="fast-rwx")
    values = render.values(planned("4xa100", nodes=2, weights=weights, hub_token_secret="hugging-face"))
    assert values["hubToken"] == {"secretName": "hugging-face", "secretKey": "token"}
    given = {"storage": "pvc", "sizeGib": 163, "accessMode": "ReadWriteMany", "storageClass": "fast-rwx"}
    assert values["weights"] == {**DEFAULTS["weights"], **given}


def test_the_same_plan_gives_the_same_bytes(planned: Planned) -> None:
    assert render.values_yaml(planned("8xh100")) == render.values_yaml(planned("8xh100"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_refused(planned: Planned, text: str) -> None:
    plan = _with_model(planned("1xa100"), text)
    with pytest.raises(DeployError, match="refuses its values: model must be a model such as"):
        render.values(plan)


@pytest.mark.parametrize("key", ["hub_token_secret", "storage_class"])
@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_a_hostile_reference_is_refused_before_it_is_rendered(planned: Planned, key: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{key} must be at most 253 of a-z, 0-9, '.' and '-'"):
        inputs = {"weights": Weights(storage="pvc", storage_class=text)} if key == "storage_class" else {key: text}
        planned("1xa100", **inputs)


@settings(deadline=None)
@given(text=st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])))
def test_no_text_adds_or_changes_another_value(planned: Planned, text: str) -> None:
    """An annotation may be any text."""
    choices = ChartChoices(pod=PodMetadata(annotations={"note": text}))
    plain = yaml.safe_load(render.values_yaml(planned("1xa100")))
    noted = yaml.safe_load(render.values_yaml(planned("1xa100", chart=choices)))
    assert noted == {**plain, "pod": {"labels": {}, "annotations": {"note": text}}}


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of the schema that describes an object of the values (conditions only restrict them)."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for key, value in schema.items():
            if key not in ("if", "then", "allOf"):
                yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)


def test_every_object_of_the_schema_is_closed() -> None:
    objects = list(_objects(SCHEMA))
    assert len(objects) > 30
    assert all(found["additionalProperties"] is False for found in objects)


def test_every_key_of_a_group_is_required_so_that_none_can_be_removed() -> None:
    groups = [found for found in SCHEMA["properties"].values() if "properties" in found]
    assert groups
    assert all(set(found["required"]) == set(found["properties"]) for found in [*groups])


def test_every_value_has_a_type() -> None:
    """Where the schema names properties, each says what it takes: a bare {} would take anything."""
    for found in _objects(SCHEMA):
        for name, value in found.get("properties", {}).items():
            assert value.keys() & {"type", "$ref", "enum", "const"}, name


def test_every_value_is_documented() -> None:
    lines = (resources.chart() / "values.yaml").read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        is_value = ": " in line and not line.lstrip().startswith("#")
        assert not is_value or before.lstrip().startswith("# -- "), line
