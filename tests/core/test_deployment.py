from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from breakeven.core.deployment import Deployment, Prices
from breakeven.core.workload import Workload


def test_a_profile_is_enough() -> None:
    found = Deployment(profile="4xa100")
    assert found.stack == "4xa100"
    assert (found.workload.requests_per_month, found.workload.input_tokens, found.workload.output_tokens) == (
        1_000_000,
        500,
        200,
    )


def test_the_stack_takes_its_own_name() -> None:
    assert Deployment(profile="4xa100", name="chat").stack == "chat"


@pytest.mark.parametrize("name", ["a", "0", "a" * 40, "4xa100", "chat-eu-1"])
def test_names_that_kubernetes_takes(name: str) -> None:
    assert Deployment(profile="x", name=name).name == name


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a" * 41, "a_b", "a.b", "a/b", "ä", "a\n"])
def test_names_that_it_does_not(name: str) -> None:
    with pytest.raises(ValueError, match=r"^name must be at most 40 of a-z, 0-9 and '-'"):
        Deployment(profile="x", name=name)


@pytest.mark.parametrize("namespace", ["", "Prod", "a" * 64, "a_b", "default\n"])
def test_namespaces_that_it_does_not(namespace: str) -> None:
    with pytest.raises(ValueError, match=r"^namespace must be at most 63 of a-z, 0-9 and '-'"):
        Deployment(profile="x", namespace=namespace)


def test_the_namespaces_of_kubernetes_are_not_ours() -> None:
    with pytest.raises(ValueError, match=r"^namespace must not begin with kube-"):
        Deployment(profile="x", namespace="kube-system")


@pytest.mark.parametrize("given", [{"replicas": 0}, {"nodes": -1}, {"max_model_len": 0}, {"replicas": 5001}])
def test_counts_must_be_positive_and_no_larger_than_a_cluster(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(given))} must be (from 1 to 5,000|above 0)"):
        Deployment(profile="x", **given)


def test_replicas_and_nodes_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="not both"):
        Deployment(profile="x", replicas=1, nodes=1)


@pytest.mark.parametrize("field", ["ops_usd_per_month", "setup_usd_per_month", "storage_usd_per_gib_month"])
def test_prices_may_be_zero_and_not_below(field: str) -> None:
    free: dict[str, Any] = {field: Decimal(0)}
    negative: dict[str, Any] = {field: Decimal("-0.01")}
    Prices(**free)
    with pytest.raises(ValueError, match=f"^{field} must be 0 or above"):
        Prices(**negative)


@pytest.mark.parametrize("field", ["requests_per_month", "input_tokens", "output_tokens"])
def test_traffic_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be above 0"):
        Workload(**{field: 0})


def test_mean_rate() -> None:
    # 2,628,000 requests in 2,628,000 s.
    assert Workload(requests_per_month=2_628_000).mean_requests_per_second == 1.0
    assert Workload(input_tokens=500, output_tokens=200).tokens_per_request == 700
