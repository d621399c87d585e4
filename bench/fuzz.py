"""Whatever lies in a file that is read: a record or a DeployError that names the file, soon, and nothing is written.

`python -m bench.fuzz` tries 100,000 inputs; tests/test_fuzz.py tries some of them in every run.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, Final

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breakeven import convert, load, lock_file, plan_file, resources
from breakeven.core import cost
from breakeven.core import plan as planning
from breakeven.core.api_rates import ApiRates
from breakeven.core.hardware import Accelerator, Offer, Profile
from breakeven.core.live import Target
from breakeven.core.measured import Series
from breakeven.core.model import Model
from breakeven.core.saved_plan import SavedPlan, SavedStep, Summary, Versions
from breakeven.engine import holders, kubeconfig, state
from breakeven.errors import DeployError, InputError
from breakeven.yaml_source import Source

_INPUTS: Final = 100_000
_MOST_S: Final = 10.0  # far above what any takes, so that a busy machine is no hang

_DEPLOYMENT: Final = """\
profile: 4xa100
name: team
workload: &load {requests_per_month: 1_000_000, input_tokens: 800, output_tokens: 200, cached_share: 0.2}
scaling: {min_replicas: 1, max_replicas: 3}
slo: {ttft_p99_ms: 2000}
prices:
  usd_per_gpu_hour: "1.5"
  fixed: {load_balancer_usd_per_month: 18.25}
chart:
  pod: {}
"""
_RATES: Final = """\
- comparator: openai/gpt-4o
  usd_per_million_input_tokens: 2.5
  usd_per_million_output_tokens: 10
  source: https://openai.com/api/pricing
  checked: 2026-11-24
"""
_MEASURED: Final = """\
model: openai/gpt-oss-120b
accelerator: a100-80gb
tensor_parallel_size: 4
input_tokens: 800
output_tokens: 200
requests_per_second: 3.5
source: ours
date: 2026-11-24
"""
_KUBECONFIG: Final = """\
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
"""
_LOCK: Final = '{"pid": 1, "username": "u", "hostname": "h", "timestamp": "2026-11-24T14:00:00Z"}'


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How a kind of file is read, and a valid one to begin with.

    Errors name its line where it `has_lines`; where it is not `is_whole`, they may be about other files as well.
    """

    read: Callable[[Path], object]
    seed: Callable[[], str]
    has_lines: bool = True
    is_whole: bool = True


def _packaged(name: str) -> Callable[[], str]:
    """The first records of a catalogue, so that a change meets something."""
    return lambda: yaml.safe_dump(yaml.safe_load((resources.catalog() / f"{name}.yaml").read_text())[:3])


def _catalogue(name: str, record: Any) -> Reader:
    return Reader(read=lambda path: Source.read(path).convert(tuple[record, ...]), seed=_packaged(name))


def _planned(path: Path) -> object:
    found = load.deployment(path, {})
    made = planning.plan(found, load.facts(found))
    return cost.project(made).monthly_usd


def _overrides(path: Path) -> object:
    data = {"profile": "4xa100", "prices": {"api_overrides": str(path)}}
    return load.deployment(None, {}, saved=data)


def _measured(path: Path) -> object:
    return load.deployment(None, {("profile",): ("4xa100", "--profile"), ("measured",): (str(path), "--measured")})


def _config_json() -> str:
    return (Path(__file__).parents[1] / "tests/data/model_configs/Qwen--Qwen3-30B-A3B.json").read_text()


def signed(body: Mapping[str, Any]) -> str:
    """As somebody who knows the digest would change a plan: what is behind it is looked at too."""
    return json.dumps({**body, "digest": plan_file._digest(dict(body))})


@cache
def _plan_json() -> str:
    """Of the step that a first apply begins with."""
    made = planning.plan(found := load.deployment(None, {("profile",): ("4xa100", "--profile")}), load.facts(found))
    bill = cost.project(made)
    plan = SavedPlan(
        made_at="2026-11-24T14:00:00Z",
        stack=made.stack,
        summary=Summary(
            before_usd_per_month=Decimal(0),
            after_usd_per_month=bill.monthly_usd,
            delta_usd_per_month=bill.monthly_usd,
            unknown_prices=(),
            over_budget=(),
        ),
        deployment=found,
        cluster=Target(kubeconfig="k", context="c", server="https://127.0.0.1:1", identifier="uid"),
        state=state.EMPTY.digest,
        versions=Versions(breakeven="1", pulumi="1", provider="1"),
        bill=bill.lines,
        api_prices=(),
        steps=(SavedStep(op="create", urn="u", object="Deployment x", paths=(), before=None, after="d"),),
    )
    return signed({"schema": plan_file.SCHEMA, **convert.plain(plan)})


READERS: Final = {
    "profile": Reader(
        read=lambda path: Source.read(path).convert(Profile),
        seed=lambda: (resources.profiles() / "4xa100.yaml").read_text(),
    ),
    "deploy.yaml": Reader(read=_planned, seed=lambda: _DEPLOYMENT, is_whole=False),
    "accelerators": _catalogue("accelerators", Accelerator),
    "models": _catalogue("models", Model),
    "offers": _catalogue("gpu_offers", Offer),
    "measured runs": _catalogue("measured", Series),
    "comparators": _catalogue("comparators", str),
    "API overrides": Reader(read=_overrides, seed=lambda: _RATES),
    "packaged API prices": _catalogue("api_prices", ApiRates),
    "measured": Reader(read=_measured, seed=lambda: _MEASURED),
    "config.json": Reader(read=lambda path: load.model(str(path)), seed=_config_json, has_lines=False),
    "lock file": Reader(read=lock_file.recorded, seed=lambda: lock_file.text({"a.yaml": "a"}, {}), has_lines=False),
    "saved plan": Reader(read=plan_file.read, seed=_plan_json, has_lines=False),
    "lock of the engine": Reader(read=holders._holder, seed=lambda: _LOCK, has_lines=False),
    "kubeconfig": Reader(
        read=lambda path: kubeconfig.locate(path, None), seed=lambda: _KUBECONFIG, has_lines=False, is_whole=False
    ),
}

_ODD: Final[tuple[Any, ...]] = (
    *(None, True, "", " ", "x" * 300, "\x00", "\ud800", "../../etc", "-1", "1e999", "NaN", "2026-13-45", "é\u202e"),
    *(0, -1, 1, 10**9, 10**18, 10**400, -(10**30), 0.0, -0.0, 1e-320, 1e308, 0.1, float("inf"), float("nan")),
    *([], {}, [[]], {"": None}, {"name": {"name": []}}, [None], {1: 2}, [1, "a"]),
)
_TOKENS: Final = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x80", b"\xed\xa0\x80", b"\t", b"\r", b"\x85", b"\x1b[2J"),
    *(b"&a ", b"*a", b"<<: *load", b"&a [*a, *a]", b"!!python/name:os.system", b"!!binary aa", b"!!set", b"? ", b"- "),
    *(b"---\n", b"...\n", b"%YAML 9.9\n", b"{", b"}", b"[", b"]", b"'", b'"', b"|", b">", b"#", b": ", b",", b"~"),
    *(b"9" * 5000, b"1e99999", b"-.inf", b".nan", b"0x" + b"f" * 300, b"1:" * 200, b"2026-99-99", b"NaN", b"-Infinity"),
    *(b"[" * 400, b'{"a":' * 400, b"- " * 400, b"[" * 40_000, b"- " * 40_000, b'"\\ud800"', b'"\\udc00\\x"'),
)


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Bytes at random; a valid file cut and pasted; a valid file with odd values in places of its own."""
    seed = READERS[name].seed()
    pasted = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(_TOKENS)), max_size=4)
    changed = st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(_ODD)), min_size=1, max_size=3)
    return st.one_of(
        st.binary(max_size=200),
        pasted.map(lambda edits: _pasted(seed.encode(), edits)),
        changed.map(lambda edits: _changed(name, seed, edits)),
    )


def _pasted(text: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for at, dropped, token in edits:
        start = int(at * len(text))
        text = text[:start] + token + text[start + dropped :]
    return text


def _changed(name: str, seed: str, edits: list[tuple[int, Any]]) -> bytes:
    data = {"": yaml.safe_load(seed)}
    for at, value in edits:
        places = list(_places(data))
        holder, key = places[at % len(places)]
        holder[key] = deepcopy(value)
    whole = data[""]
    if name == "saved plan" and isinstance(whole, dict):
        whole.pop("digest", None)
        return signed(whole).encode("utf-8", "surrogatepass")
    text = json.dumps(whole) if not READERS[name].has_lines else yaml.safe_dump(whole, allow_unicode=True)
    return text.encode("utf-8", "surrogatepass")


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Each value, as what holds it and its key there."""
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
        yield data, key
        if isinstance(value, dict | list):
            yield from _places(value)


class Hang(Exception):
    """It took longer than anything may."""


_touched: list[str] | None = None
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_TOUCHING: Final = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.system", "subprocess.Popen", "socket.connect")


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _touched is None:
        return
    if event in _TOUCHING or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
        _touched.append(f"{event} {arguments[0]!r}")


@cache
def _hear() -> None:
    """A hook cannot be taken away again, so it is added once."""
    sys.addaudithook(_listen)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is written, started or called meanwhile; Hang after some seconds."""
    global _touched
    _hear()

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Hang

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _MOST_S)
    touched: list[str] = []
    _touched = touched
    try:
        yield touched
    finally:
        _touched = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def try_one(name: str, path: Path, content: bytes) -> None:
    """Raises AssertionError, or what no user should see."""
    path.write_bytes(content)
    reader = READERS[name]
    with watched() as touched:
        try:
            reader.read(path)
        except DeployError as error:
            _check(error, reader, path)
    assert not touched, touched


def _check(error: DeployError, reader: Reader, path: Path) -> None:
    said = str(error)
    assert said.replace("\n", "").isprintable(), said
    if str(path) not in said:
        # What is well-formed, but unknown or does not fit, has no line of its own.
        assert not reader.is_whole and not re.match(r"expected|must|is required|unknown key", said), said
    elif reader.has_lines and isinstance(error, InputError):
        assert re.match(rf"{re.escape(str(path))}(:\d+)?: ", said), said


def fuzz(name: str, examples: int, **options: Any) -> None:
    """Raises for the smallest input found that does not do as it should."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / ("config.json" if name == "config.json" else "input")

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), **options)
        @given(content=inputs(name))
        def run(content: bytes) -> None:
            try_one(name, path, content)

        run()


def main() -> None:
    """A line for each kind of file."""
    each = -(-_INPUTS // len(READERS))
    for name in READERS:
        started = time.monotonic()
        fuzz(name, each, database=None)
        print(f"{name}: {each:,} inputs in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
