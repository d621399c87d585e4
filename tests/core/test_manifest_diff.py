from __future__ import annotations

from typing import Any

from breakeven.core import manifest_diff


def config(name: str, **data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data}


def test_objects_are_told_apart_by_kind_namespace_and_name() -> None:
    before = [config("kept", a=1), config("changed", a=1), config("gone")]
    after = [config("kept", a=1), config("changed", a=2), config("new")]
    found = manifest_diff.changes(before, after)
    assert {step.manifest["metadata"]["name"]: step.op for step in found.objects} == {
        "kept": "same",
        "changed": "update",
        "gone": "delete",
        "new": "create",
    }
    assert manifest_diff.changes(before, before).is_empty


def test_paths_are_spelt_as_the_engine_spells_them() -> None:
    before = {"spec": {"ports": [{"port": 1}], "same": [1]}, "metadata": {"annotations": {"a.b/c": "x"}}}
    after = {"spec": {"ports": [{"port": 2}, {"port": 3}], "same": [1]}, "metadata": {"annotations": {"a.b/c": "y"}}}
    assert list(manifest_diff.different(before, after)) == [
        'metadata.annotations["a.b/c"]',
        "spec.ports[0].port",
        "spec.ports[1]",
    ]


def test_a_number_is_the_same_as_text() -> None:
    assert not list(manifest_diff.different({"nvidia.com/gpu": "4"}, {"nvidia.com/gpu": 4}))
    assert list(manifest_diff.different({"a": "4"}, {"a": 5})) == ["a"]
    assert list(manifest_diff.different({"a": 4}, {})) == ["a"]
