"""What a deployment may not choose of the chart, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.exposure import Gateway, Ingress, Route
from breakeven.core.chart.monitoring import MonitoringChoices
from breakeven.core.chart.placement import NodeLabel, NodeTerm, PodMetadata, Toleration
from breakeven.core.chart.security import ApiKey, Destination, NetworkPolicy, Peer
from breakeven.core.chart.server import Image, ImageSource, Probe
from breakeven.core.chart.storage import Weights
from breakeven.core.plan import Plan
from breakeven.errors import InputError


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"storage": "emptyDir", "claim": "a"}, "claim must be left out with storage emptyDir: it is for pvc"),
        ({"storage": "bucket", "path": "a"}, "path must be left out with storage bucket: it is for pvc or image"),
        ({"storage": "ephemeral", "download": True}, "download must be left out with storage ephemeral"),
        ({"storage": "image"}, "image must be given with storage image"),
        ({"storage": "bucket"}, "uri must be given with storage bucket"),
        ({"storage": "bucket", "uri": "http://a/b"}, "uri must be s3://, gs:// or az:// with bucket and path"),
        ({"storage": "pvc", "path": "a"}, "path must be a folder of an existing claim or image: a new claim is empty"),
        ({"storage": "pvc", "claim": "a", "path": "../b"}, "path must be a folder, without / at its ends"),
        ({"storage": "pvc", "claim": "a", "storage_class": "b"}, "storage_class must be left out with claim"),
        ({"storage": "pvc", "claim": "a", "path": "b", "download": True}, "download must be left out with path"),
        ({"storage": "pvc", "offline": True}, "offline must have weights that are there already"),
        ({"storage": "pvc", "claim": "a", "download": True, "offline": True}, "offline must have weights"),
    ],
)
def test_weights_that_contradict_themselves(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        Weights(**inputs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ImageSource(repository="vllm:latest@x"), "repository must be an image without a tag"),
        (lambda: ImageSource(digest="sha256:1"), "digest must be sha256: and 64 of 0-9 and a-f, got 'sha256:1'"),
        (lambda: ImageSource(pull_secrets=("A",)), "pull_secrets must be at most 253 of a-z"),
        (lambda: Image(tag="latest"), "tag must be a tag that does not move, got 'latest'"),
        (lambda: ApiKey(secret_name="sk_1"), "secret_name must be at most 253 of a-z"),
        (lambda: Probe(period_seconds=0), "period_seconds must be at least 1"),
        (lambda: Toleration(key="a", value="b"), "value must be left out with operator Exists"),
        (lambda: PodMetadata(labels={"a b": "c"}), "labels must be a key of labels"),
        (lambda: PodMetadata(labels={"a": "c" * 64}), "labels must be at most 63 of"),
        (lambda: NodeTerm(match_expressions=()), "match_expressions must be a list with at least one item"),
        (lambda: NodeLabel(key="a", values=()), "values must be a list with at least one item"),
        (lambda: NetworkPolicy(enabled=True), "callers must be given with enabled: nobody could ask the model"),
        (lambda: NetworkPolicy(callers=(Peer(),)), "enabled must be true for callers"),
        (lambda: Destination(cidr="example.com"), "cidr must be a range of addresses"),
        (lambda: Destination(cidr="10.0.0.0/8", port=65_536), "port must be at least 1 and at most 65,535"),
        (lambda: Ingress(enabled=True), "host must be given with enabled"),
        (lambda: Ingress(enabled=True, host="a/b"), "host must be a DNS name"),
        (lambda: Route(enabled=True), "gateways must be given with enabled"),
        (
            lambda: MonitoringChoices(traces_endpoint="http://collector:4318/v1/traces"),
            "traces_endpoint must be an address without a path: http://host:4317",
        ),
    ],
)
def test_what_the_schema_would_refuse_is_refused_where_it_is_written(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {"chart": ChartChoices(ingress=Ingress(enabled=True, host="a.example"))},
            "chart.ingress: is not for a serverless",
        ),
        (
            {"chart": ChartChoices(route=Route(enabled=True, gateways=(Gateway(name="a"),)))},
            "chart.route: is not for a serverless",
        ),
        (
            {"chart": ChartChoices(network_policy=NetworkPolicy(enabled=True, callers=(Peer(),)))},
            "chart.network_policy: is not for a serverless",
        ),
        ({"weights": Weights(storage="ephemeral")}, "weights.storage: ephemeral is not for a serverless"),
    ],
)
def test_what_knative_does_by_itself(planned: Callable[..., Plan], inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        planned("serverless", **inputs)
    assert refused.value.hint
    assert planned("4xa100", **inputs)
