"""Names of the metrics that the pinned vLLM exposes: metrics.txt, which charts and docs may use names from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from breakeven.core.engine_args import VLLM_VERSION

WRITTEN_IN: Final = {".py", ".yaml", ".yml", ".j2", ".tpl", ".txt", ".json", ".md"}
PATH: Final = Path(__file__).with_name("metrics.txt")
_HEAD: Final = (
    f"# What vLLM {VLLM_VERSION} exposes in /metrics with --enable-lora and a tool parser: name and type. "
    "tests/vllm compares it.\n"
)
# What a client library adds to the name of a histogram or summary.
_SERIES: Final = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


def exposed(text: str) -> dict[str, str]:
    """Name → type of vLLM's and its HTTP server's metrics in a scrape, without the times of their creation."""
    found = re.findall(r"^# TYPE ((?:vllm:|http_)\w+) (\w+)$", text, re.MULTILINE)
    return {name: kind for name, kind in found if not name.endswith("_created")}


def read() -> dict[str, str]:
    lines = PATH.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if not line.startswith("#"))


def write(metrics: dict[str, str]) -> None:
    PATH.write_text(_HEAD + "".join(f"{name} {metrics[name]}\n" for name in sorted(metrics)), encoding="utf-8")


def series() -> set[str]:
    """Every name that a query may use."""
    return set(_series())


def _series() -> Iterator[str]:
    for name, kind in read().items():
        for suffix in _SERIES.get(kind, ("",)):
            yield name + suffix


def used(text: str) -> set[str]:
    """Names of vLLM's metrics in a query, a dashboard or a manifest; not an image's tag."""
    return set(re.findall(r"\bvllm:[a-z]+(?:_[a-z0-9]+)+", text))
