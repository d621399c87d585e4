"""The rendered arguments and environment, with the real vLLM. The tests run in order: the last one ends the server."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tests.vllm.container import KV_CACHE_GIB, Container
from tests.vllm.server import Server

from breakeven.core.engine_args import EngineArgs
from breakeven.core.memory import kv_cache
from breakeven.core.plan import Plan
from breakeven.huggingface.model import model as read_model

# Of each of 8 choices: some 10 s. With one choice, 2 s, the client once read nothing before the end.
# Busy machines take longer, and have the 60 s of --shutdown-timeout.
TOKENS = 1500
CHOICES = 8


def completion(plan: Plan, tokens: int, **more: Any) -> dict[str, Any]:
    """`ignore_eos`: a random model may end at once."""
    body = {"model": plan.facts.model.name, "prompt": "hello", "max_tokens": tokens, "ignore_eos": True}
    return body | {"temperature": 0} | more


def events(lines: Iterator[bytes]) -> Iterator[str]:
    return (line.decode().strip() for line in lines if line.strip())


def test_it_is_healthy_only_once_it_can_answer(server: Server, served: Plan) -> None:
    # Before, nothing listened: no probe can take a server that loads for one that is ready.
    assert server.before_healthy == {"ConnectionRefusedError"}
    assert server.post("/v1/completions", completion(served, 1)).status == 200


def test_every_probes_path_answers_without_a_key(server: Server, rendered: Container) -> None:
    for name, probe in rendered.probes.items():
        assert probe["httpGet"]["port"] == rendered.spec["ports"][0]["containerPort"], name
        assert server.get(probe["httpGet"]["path"]).status == 200, name


def test_it_serves_the_model_under_the_plans_name(server: Server, served: Plan) -> None:
    (model,) = server.get("/v1/models", key=server.key).json["data"]
    assert (model["id"], model["max_model_len"]) == (served.facts.model.name, served.max_model_len)


def test_metrics_are_labelled_with_the_plans_name(server: Server, served: Plan) -> None:
    """Without --served-model-name an offline server labels them with a path."""
    labels = set(re.findall(r'model_name="([^"]*)"', server.get("/metrics").text))
    assert labels == {served.facts.model.name}


def test_chat_answers(server: Server, served: Plan) -> None:
    messages = [{"role": "user", "content": "hello"}]
    body = {"model": served.facts.model.name, "messages": messages, "max_tokens": 8, "ignore_eos": True}
    answer = server.post("/v1/chat/completions", body).json
    message = answer["choices"][0]["message"]
    # The model never stops thinking: all of it is told apart from the answer, as the plan's parser says.
    assert message["reasoning"]
    assert not message["content"]
    assert answer["usage"]["completion_tokens"] == 8


def test_a_chat_without_thoughts_is_the_answer(server: Server, served: Plan) -> None:
    body = {
        "model": served.facts.model.name,
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 8,
        "ignore_eos": True,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    message = server.post("/v1/chat/completions", body).json["choices"][0]["message"]
    assert message["content"]
    assert not message["reasoning"]


def test_completions_answer(server: Server, served: Plan) -> None:
    answer = server.post("/v1/completions", completion(served, 8)).json
    assert answer["choices"][0]["text"]
    assert answer["usage"]["completion_tokens"] == 8


@pytest.mark.parametrize("key", ["", "sk-of-somebody-else"])
def test_v1_wants_the_key(server: Server, served: Plan, key: str) -> None:
    assert server.get("/v1/models", key=key).status == 401
    assert server.post("/v1/completions", completion(served, 1), key=key).status == 401


def test_the_key_alone_is_not_enough(server: Server, served: Plan) -> None:
    """Hence the network policy, and the closed paths of an Ingress: these compute without a key."""
    assert server.post("/invocations", completion(served, 1), key="").status == 200
    assert server.post("/tokenize", {"model": served.facts.model.name, "prompt": "hello"}, key="").status == 200
    assert server.get("/metrics").status == 200


def test_the_cache_is_as_large_as_the_core_says(server: Server, served: Plan, tiny_model: Path) -> None:
    args = EngineArgs(max_model_len=served.max_model_len, kv_cache_memory_gib=(KV_CACHE_GIB,))
    fit = kv_cache(read_model(tiny_model / "config.json"), served.facts.accelerator, args)
    logged = re.search(
        r"KV cache size: ([\d,]+) tokens, Maximum concurrency for ([\d,]+) tokens .*: ([\d.]+)x", server.log()
    )
    assert logged, server.log()
    tokens, length = (int(text.replace(",", "")) for text in logged.groups()[:2])
    assert (tokens, length) == (fit.kv_tokens, served.max_model_len)
    assert float(logged[3]) == pytest.approx(fit.concurrency, abs=0.005)


def test_the_engine_took_what_the_core_reckons_with(server: Server) -> None:
    args = EngineArgs()
    (info,) = [line for line in server.get("/metrics").text.splitlines() if line.startswith("vllm:cache_config_info")]
    assert f'gpu_memory_utilization="{args.gpu_memory_utilization}"' in info
    assert f'enable_prefix_caching="{args.enable_prefix_caching}"' in info


def test_the_compile_cache_is_kept_on_the_volume(server: Server, rendered: Container, mounts: dict[str, Path]) -> None:
    assert rendered.variables["VLLM_CACHE_ROOT"].startswith("/weights/")
    assert list(mounts["/weights"].rglob("torch_compile_cache/*"))


def test_a_busy_server_answers_its_probes_in_time(server: Server, served: Plan, rendered: Container) -> None:
    limit = min(probe["timeoutSeconds"] for probe in rendered.probes.values())
    with ThreadPoolExecutor(max_workers=8) as pool:
        requests = [
            pool.submit(server.post, "/v1/completions", completion(served, 500, n=4, temperature=1)) for _ in range(8)
        ]
        waits = []
        while not all(request.done() for request in requests):
            started = time.monotonic()
            assert server.get("/health", timeout_s=limit).status == 200
            waits.append(time.monotonic() - started)
            time.sleep(0.1)
    assert all(request.result().status == 200 for request in requests)
    assert len(waits) > 1
    assert max(waits) < limit


def test_sigterm_drains_a_running_stream_within_the_grace_period(
    server: Server, served: Plan, rendered: Container
) -> None:
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    body = completion(served, TOKENS, n=CHOICES, temperature=1, **streamed)
    with server.streaming("/v1/completions", body) as response:
        stream = events(response)
        head = list(islice(stream, 10))
        asked = time.monotonic()
        server.terminate()
        tail = list(stream)
        drained_s = time.monotonic() - asked
    assert all(event.startswith("data: ") for event in (*head, *tail))
    usage, done = tail[-2:]
    assert json.loads(usage[6:])["usage"]["completion_tokens"] == CHOICES * TOKENS
    assert done == "data: [DONE]"
    # Otherwise all had been sent before the signal.
    assert drained_s > 0.3
    assert server.exit_code(rendered.seconds_to_stop - drained_s) == 0
