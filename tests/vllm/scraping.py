"""A real Prometheus that scrapes one server as the operator would have it scrape a pod, and evaluates the rules."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.vllm.server import free_port

_READY_S: Final = 30
_END_S: Final = 10


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    url: str

    def values(self, query: str) -> list[float]:
        """One for each series, as KEDA and Grafana ask for them."""
        with urlopen(f"{self.url}/api/v1/query?{urlencode({'query': query})}", timeout=10) as response:
            answer = json.load(response)
        assert answer["status"] == "success", answer
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def waits_for(self, query: str, seconds: float) -> list[float]:
        """Once there is a series; none when the time is over."""
        end = time.monotonic() + seconds
        while not (found := self.values(query)) and time.monotonic() < end:
            time.sleep(0.25)
        return found


@contextmanager
def prometheus(
    program: Path, target: int, labels: Mapping[str, str], rules: Mapping[str, Any], folder: Path
) -> Iterator[Prometheus]:
    """Scrapes 127.0.0.1:`target` every second; the pod's `labels` are those of its series."""
    (folder / "rules.yml").write_text(json.dumps(rules), encoding="utf-8")
    scraped = {"job_name": "pod", "static_configs": [{"targets": [f"127.0.0.1:{target}"], "labels": dict(labels)}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": [scraped],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        found = Prometheus(url=f"http://127.0.0.1:{port}")
        _until_ready(found, process, folder / "log")
        yield found
    finally:
        process.terminate()
        process.wait(_END_S)


def _until_ready(found: Prometheus, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(f"{found.url}/-/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))
