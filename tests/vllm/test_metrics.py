"""Whoever names a metric of vLLM names one that the pinned version exposes."""

from __future__ import annotations

from tests.vllm import metrics

from breakeven import resources
from breakeven.core.engine_args import VLLM_VERSION


def test_every_metric_that_we_name_exists() -> None:
    known = metrics.series()
    files = [path for folder in ("charts", "cli", "docs", "infra") for path in (resources.root() / folder).rglob("*")]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.suffix in metrics.WRITTEN_IN}
    unknown = {str(path): names - known for path, text in texts.items() if (names := metrics.used(text)) - known}
    assert len(texts) > 100
    assert not unknown


def test_old_names_would_be_found() -> None:
    query = 'avg(vllm:gpu_cache_usage_perc{model_name="x"}) > 0.9 or vllm:time_per_output_token_seconds_sum'
    assert metrics.used(query) == {"vllm:gpu_cache_usage_perc", "vllm:time_per_output_token_seconds_sum"}
    assert not metrics.used(query) & metrics.series()
    assert metrics.used("image: vllm/vllm:v0.32.0-mirror") == set()


def test_histograms_are_asked_by_their_series() -> None:
    assert "vllm:time_to_first_token_seconds_bucket" in metrics.series()
    assert "vllm:time_to_first_token_seconds" not in metrics.series()


def test_the_list_is_the_pinned_versions() -> None:
    assert f"vLLM {VLLM_VERSION} " in metrics.PATH.read_text(encoding="utf-8").splitlines()[0]
