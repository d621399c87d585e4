"""Each profile's `up` on the sandbox, which brings nodes shaped like it."""

from __future__ import annotations

import json

import pytest
from tests.engine.deploy import succeed

from breakeven.engine.sandbox_cluster import ControlPlane

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.mark.parametrize(("profile", "gpus", "monthly_usd"), [("1xa100", 1, "3500.00"), ("8xh100", 8, "31500.00")])
def test_up_and_destroy(profile: str, gpus: int, monthly_usd: str, cluster: ControlPlane) -> None:
    out = succeed("up", "--profile", profile, "--sandbox", "--yes")
    assert f"Ready      1 of 1, {gpus} GPU" in out
    status = json.loads(succeed("status", "--profile", profile, "--sandbox", "-o", "json"))
    assert (status["gpus"]["live"], status["gpus"]["planned"]) == (gpus, gpus)
    assert status["recorded_monthly_usd"] == monthly_usd
    assert "Running" in cluster.kubectl("-n", f"llm-{profile}", "get", "pods")
    succeed("destroy", "--profile", profile, "--sandbox", "--confirm", profile)
    assert f"llm-{profile}" not in cluster.kubectl("get", "namespaces")


def test_serverless_is_a_knative_service_that_scales_to_zero(cluster: ControlPlane) -> None:
    out = succeed("up", "--profile", "serverless", "--sandbox", "--yes")
    assert "a real one needs them, with these flags enabled" in out
    assert "kubernetes.podspec-affinity, kubernetes.podspec-tolerations" in out
    assert "GPU seconds" in out
    assert "Endpoint   http://llm-serverless.llm-serverless.svc/v1" in out
    found = json.loads(cluster.kubectl("-n", "llm-serverless", "get", "ksvc", "llm-serverless", "-o", "json"))
    template = found["spec"]["template"]
    assert template["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"] == "0"
    assert template["metadata"]["annotations"]["autoscaling.knative.dev/max-scale"] == "1"
    assert template["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    again = succeed("up", "--profile", "serverless", "--sandbox", "--yes")
    assert "no changes" in again
    succeed("destroy", "--profile", "serverless", "--sandbox", "--confirm", "serverless")
    assert "llm-serverless" not in cluster.kubectl("get", "namespaces")
