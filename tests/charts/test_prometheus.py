"""Rules and alerts, evaluated by the real Prometheus with series that the pinned vLLM exposes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from tests.charts import prometheus
from tests.charts.choices import CHOICES
from tests.vllm import metrics

from breakeven import load, render
from breakeven.core.chart.choices import ChartChoices
from breakeven.core.cost import project
from breakeven.core.plan import Plan
from breakeven.core.units import HOURS_PER_MONTH
from breakeven.engine import tools

Planned = Callable[..., Plan]

MODEL: Final = "Qwen/Qwen3-8B"
CHART: Final[ChartChoices] = CHOICES["monitoring"]["chart"]
API_RATE: Final = CHART.monitoring.api


@dataclass(frozen=True, kw_only=True)
class Case:
    """Series that make the alert fire at `minute`, and series that do not."""

    fires: dict[str, str]
    calm: dict[str, str]
    minute: int = 20


def histogram(name: str, *, below: str, slow: str) -> dict[str, str]:
    """Every minute 60 more observations: all of them up to `slow` seconds, none of them up to `below`."""
    count = "0+60x60"
    return {f"{name}|{below}": "0+0x60", f"{name}|{slow}": count, f"{name}|+Inf": count}


TTFT, PACE = "vllm:time_to_first_token_seconds_bucket", "vllm:request_time_per_output_token_seconds_bucket"
# Tokens a minute. At $0.25 and $2 a million, 600,000 input and 60,000 output tokens a minute cost $16.20 an hour.
SMALL: Final = {"vllm:prompt_tokens_total": "0+600000x1600", "vllm:generation_tokens_total": "0+60000x1600"}
LARGE: Final = {"vllm:prompt_tokens_total": "0+6000000x1600", "vllm:generation_tokens_total": "0+600000x1600"}

ALERTS: Final[dict[str, Case]] = {
    "LlmServerAbsent": Case(fires={}, calm={"vllm:num_requests_running": "0x60"}),
    "LlmRequestsWait": Case(
        fires={"vllm:num_requests_waiting": "3x60"},
        # Now and then is no fault.
        calm={"vllm:num_requests_waiting": "3x5 0 3x5 0 3x5 0 3x5"},
    ),
    "LlmKvCacheFull": Case(fires={"vllm:kv_cache_usage_perc": "0.97x60"}, calm={"vllm:kv_cache_usage_perc": "0.9x60"}),
    "LlmPreemptions": Case(
        fires={"vllm:num_preemptions_total": "0+1x60"}, calm={"vllm:num_preemptions_total": "7x60"}, minute=25
    ),
    # The objectives are 2 s and 50 ms.
    "LlmFirstTokenSlow": Case(
        fires=histogram(TTFT, below="2.5", slow="5.0"), calm=histogram(TTFT, below="0.5", slow="0.75")
    ),
    "LlmTokensSlow": Case(
        fires=histogram(PACE, below="0.05", slow="0.075"), calm=histogram(PACE, below="0.01", slow="0.025")
    ),
    "LlmDearerThanApi": Case(fires=SMALL, calm=LARGE, minute=26 * 60),
}


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The pinned one; built if it is missing."""
    tools.require("prometheus")
    return tools.path("promtool")


@pytest.fixture(scope="module")
def monitored(planned: Planned) -> Plan:
    return planned("8xh100", model=MODEL, chart=CHART)


@pytest.fixture(scope="module")
def rules(monitored: Plan, helm: Path) -> dict[str, Any]:
    return prometheus.rules(render.manifests(monitored, helm))


@pytest.fixture
def check(
    promtool: Path, rules: dict[str, Any], monitored: Plan, tmp_path: Path
) -> Callable[[dict[str, str], dict[str, Any]], None]:
    """Evaluates the rules over series of one server."""

    def run(values: dict[str, str], expected: dict[str, Any]) -> None:
        names = {"namespace": monitored.namespace, "release": monitored.release, "model": MODEL}
        test = {"interval": "1m", "input_series": prometheus.series(values, **names), **expected}
        prometheus.tested(promtool, rules, test, tmp_path)

    return run


@pytest.mark.parametrize("profile", load.profiles())
@pytest.mark.parametrize("api", [True, False])
def test_prometheus_takes_the_rules(
    planned: Planned, promtool: Path, helm: Path, tmp_path: Path, profile: str, api: bool
) -> None:
    monitoring = CHART.monitoring if api else replace(CHART.monitoring, api=type(API_RATE)())
    found = prometheus.rules(render.manifests(planned(profile, chart=ChartChoices(monitoring=monitoring)), helm))
    said = prometheus.run(promtool, "check", "rules", "--lint=all", "--lint-fatal", prometheus.written(found, tmp_path))
    assert f"{sum(len(group['rules']) for group in found['groups'])} rules found" in said


def _pod(owner: str) -> str:
    """As Kubernetes calls it: k8s.io/apiserver/pkg/storage/names, GenerateName."""
    return f"{owner}-"[:58] + "x7k2p"


@pytest.mark.parametrize("name", ["a", "a" * 40])
@pytest.mark.parametrize(
    ("profile", "owner"), [("1xa100", "{}-5d8f7c9b64"), ("serverless", "{}-00001-deployment-5d8f7c9b64")]
)
def test_the_rules_read_the_series_of_the_releases_pods(
    planned: Planned, helm: Path, profile: str, owner: str, name: str
) -> None:
    """However long the name is; and not those of a release whose name begins with it."""
    plan = planned(profile, name=name, chart=CHART)
    (pods,) = set(re.findall(r'pod=~\\"([^"\\]+)', json.dumps(prometheus.rules(render.manifests(plan, helm)))))
    assert re.fullmatch(pods, _pod(owner.format(plan.release)))
    assert not re.fullmatch(pods, _pod(owner.format(f"{plan.release}-b")))


def test_the_series_of_the_tests_are_vllms() -> None:
    used = {name.partition("|")[0] for case in ALERTS.values() for name in (*case.fires, *case.calm)}
    assert used
    assert not used - metrics.series()


def test_every_alert_is_tested(rules: dict[str, Any]) -> None:
    named = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    assert named == set(ALERTS)


def test_an_alert_says_whose_it_is(rules: dict[str, Any], monitored: Plan) -> None:
    """Two releases' alerts would be one in the Alertmanager, which tells them apart by their labels."""
    whose = {"namespace": monitored.namespace, "release": monitored.release, "model_name": MODEL}
    for rule in (rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule):
        assert rule["labels"].items() >= whose.items(), rule["alert"]


def _alerts(name: str, case: Case, rules: dict[str, Any]) -> dict[str, Any]:
    (rule,) = [rule for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == name]
    labels = rule["labels"] | ({"namespace": "llm-8xh100"} if name == "LlmServerAbsent" else {})
    if name == "LlmDearerThanApi":
        labels |= {"namespace": "llm-8xh100", "release": "llm-8xh100", "model_name": MODEL}
    return {"exp_labels": labels, "exp_annotations": rule["annotations"]}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_fires_when_it_should(
    check: Callable[[dict[str, str], dict[str, Any]], None], rules: dict[str, Any], name: str
) -> None:
    case = ALERTS[name]
    expected = [_alerts(name, case, rules)]
    check(
        case.fires,
        {"alert_rule_test": [{"eval_time": f"{case.minute}m", "alertname": name, "exp_alerts": expected}]},
    )


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_silent_otherwise(check: Callable[[dict[str, str], dict[str, Any]], None], name: str) -> None:
    case = ALERTS[name]
    times = [f"{minute}m" for minute in (5, case.minute)]
    # Also not at once: every condition has to last.
    quiet = [{"eval_time": time, "alertname": name, "exp_alerts": []} for time in times]
    check(case.calm, {"alert_rule_test": quiet})
    check(case.fires, {"alert_rule_test": quiet[:1]})


def test_a_day_has_to_pass_before_the_api_is_called_cheaper(
    check: Callable[[dict[str, str], dict[str, Any]], None],
) -> None:
    check(SMALL, {"alert_rule_test": [{"eval_time": "20h", "alertname": "LlmDearerThanApi", "exp_alerts": []}]})


def test_the_figures_of_the_bill_are_the_plans(
    check: Callable[[dict[str, str], dict[str, Any]], None], monitored: Plan
) -> None:
    """10,000 input and 1,000 output tokens a second, beside the plan's bill and the API's prices."""
    usd_per_hour = float(project(monitored).monthly_usd / HOURS_PER_MONTH)
    api_usd_per_hour = 3600 * (10_000 * 0.25 + 1_000 * 2) / 1e6
    figures = {
        "breakeven:tokens_per_second": 11_000.0,
        "breakeven:usd_per_hour": round(usd_per_hour, 4),
        "breakeven:usd_per_million_tokens": round(usd_per_hour, 4) / (11_000 * 0.0036),
        "breakeven:api_usd_per_hour": api_usd_per_hour,
        "breakeven:api_usd_per_million_tokens": (10_000 * 0.25 + 1_000 * 2) / 11_000,
    }
    labels = f'{{namespace="llm-8xh100",release="llm-8xh100",model_name="{MODEL}"}}'
    # To the cent: what a sum of floats leaves behind does not count.
    tests = [
        {"expr": f"round({name}, 0.0001)", "eval_time": "30m", "exp_samples": [{"labels": labels, "value": value}]}
        for name, value in ((name, round(value, 4)) for name, value in figures.items())
    ]
    check(SMALL, {"promql_expr_test": tests})


def test_without_tokens_there_is_no_price_of_one(check: Callable[[dict[str, str], dict[str, Any]], None]) -> None:
    idle = {name: "5x60" for name in SMALL}
    names = ("breakeven:usd_per_million_tokens", "breakeven:api_usd_per_million_tokens")
    check(idle, {"promql_expr_test": [{"expr": name, "eval_time": "30m", "exp_samples": []} for name in names]})
