"""The schemas of profiles, deploy.yaml and fleet.yaml are the dataclasses. `make golden` writes them anew."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from breakeven import resources
from breakeven.core.deployment import Deployment
from breakeven.core.hardware import Profile
from breakeven.fleet import Whole

SCHEMA = resources.profiles() / ".schema.json"
DEPLOYMENT = resources.schemas() / "deployment.schema.json"


def generated(type_: type) -> dict[str, Any]:
    schema: dict[str, Any] = msgspec.json.schema(type_)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$comment"] = f"Generated from {type_.__module__}.{type_.__name__}: make golden"
    for record in schema["$defs"].values():
        if "description" in record:
            record["description"] = " ".join(record["description"].split())
        record["additionalProperties"] = False
    # An amount of USD is a number in YAML; a quoted one is exact as well.
    amount = {"type": ["number", "string"]}
    return {key: _replaced(part, {"type": "string", "format": "decimal"}, amount) for key, part in schema.items()}


def _replaced(node: Any, old: Any, new: Any) -> Any:
    if node == old:
        return new
    if isinstance(node, dict):
        return {key: _replaced(value, old, new) for key, value in node.items()}
    return [_replaced(item, old, new) for item in node] if isinstance(node, list) else node


def deployment_file() -> dict[str, Any]:
    """What the file may say beyond the record: a base, which may bring the profile, and files of what is in them."""
    schema = generated(Deployment)
    record = schema["$defs"]["Deployment"]
    base = {"type": "string", "description": "A file whose keys hold where this one has none; one level."}
    record["properties"]["base"] = base
    for held in (record["properties"]["measured"], schema["$defs"]["Prices"]["properties"]["api_overrides"]):
        held["anyOf"].append({"type": "string", "description": "A file that holds it."})
    record["anyOf"] = [{"required": ["profile"]}, {"required": ["base"]}]
    del record["required"]
    return schema


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (SCHEMA, generated(Profile)),
        (resources.schemas() / "profile.schema.json", generated(Profile)),
        (resources.schemas() / "fleet.schema.json", generated(Whole)),
        (DEPLOYMENT, deployment_file()),
    ],
    ids=["profile", "profile in docs", "fleet", "deployment"],
)
def test_golden_schemas_of_editors_are_current(path: Path, schema: dict[str, Any]) -> None:
    text = json.dumps(schema, indent=2) + "\n"
    if os.environ.get("BREAKEVEN_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "make golden"


def as_editors_see_it(path: Path) -> Any:
    """JSON has no dates."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))


@pytest.mark.parametrize("path", sorted(resources.profiles().glob("*.yaml")), ids=lambda path: path.stem)
def test_editors_find_nothing_wrong_with_the_packaged_profiles(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=.schema.json\n")
    jsonschema.validate(as_editors_see_it(path), json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_editors_mark_a_misspelt_key() -> None:
    data = as_editors_see_it(resources.profiles() / "1xa100.yaml")
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    data["placement"][0]["lables"] = data["placement"][0].pop("labels")
    assert {error.message for error in validator.iter_errors(data)} == {
        "Additional properties are not allowed ('lables' was unexpected)",
        "'labels' is a required property",
    }
