"""The vLLM server: image, engine, resources, probes, rollout. The plan decides all but the image's place and probes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from breakeven.core.chart.fields import COUNT, REQUIRED_NAME, SECONDS, Number, Record, Text

_REPOSITORY: Final = Text(pattern=r"[a-z0-9][a-zA-Z0-9._:/-]*", words="an image without a tag")
_TAG: Final = Text(
    pattern=r"([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?", words="a tag that does not move", never=("latest", "nightly")
)
_DIGEST: Final = Text(pattern=r"(sha256:[0-9a-f]{64})?", words="sha256: and 64 of 0-9 and a-f")
# Of those that the plan may choose.
_QUANTIZATION: Final = Text(pattern=r"(fp8)?", words="fp8 or empty")
_PARSER: Final = Text(pattern=r"([a-z0-9][a-z0-9_]*)?", words="a parser of vLLM such as hermes")
DEFAULT_REPOSITORY: Final = "vllm/vllm-openai"


@dataclass(frozen=True, kw_only=True)
class ImageSource(Record):
    """Where the image of the pinned vLLM is pulled from."""

    repository: Annotated[str, "Image of vLLM; its program must be `vllm`", _REPOSITORY] = DEFAULT_REPOSITORY
    digest: Annotated[str, "Digest that the tag must have; any if empty", _DIGEST] = ""
    pull_secrets: Annotated[
        tuple[Annotated[str, REQUIRED_NAME], ...], "Secrets that hold the registry's credentials"
    ] = ()


@dataclass(frozen=True, kw_only=True)
class Image(ImageSource):
    tag: Annotated[str, "Tag; the chart's appVersion if empty", _TAG] = ""


@dataclass(frozen=True, kw_only=True)
class Engine(Record):
    """Arguments of `vllm serve`."""

    tensor_parallel_size: Annotated[int, "GPUs that each layer is cut over", COUNT] = 1
    pipeline_parallel_size: Annotated[int, "Stages that the layers are dealt out to", COUNT] = 1
    quantization: Annotated[
        str, "What vLLM quantises the weights to at the start, such as fp8; as published if empty", _QUANTIZATION
    ] = ""
    kv_cache_dtype: Annotated[Literal["auto", "fp8"], "What the KV cache holds: as the activations (auto), or fp8"] = (
        "auto"
    )
    max_model_len: Annotated[int, "Longest sequence in tokens, input and output together", COUNT] = 40960
    tool_call_parser: Annotated[
        str,
        "How vLLM finds calls of tools in what the model says; tools are not called by themselves if empty",
        _PARSER,
    ] = "hermes"
    reasoning_parser: Annotated[
        str, "How vLLM tells what the model thinks from what it answers; all is the answer if empty", _PARSER
    ] = "qwen3"
    gpu_memory_utilization: Annotated[
        float, "Share of each GPU's memory that vLLM may use", Number(above=0, at_most=1)
    ] = 0.92
    shutdown_timeout_seconds: Annotated[
        int, "Seconds that running requests get to finish when the server is stopped", Number(at_least=0)
    ] = 60


@dataclass(frozen=True, kw_only=True)
class Resources(Record):
    gpus: Annotated[int, "GPUs of each pod: tensorParallelSize × pipelineParallelSize ÷ group.nodes", COUNT] = 1
    cpu: Annotated[int, "CPUs requested; there is no limit", COUNT] = 6
    memory_gib: Annotated[int, "Memory, request and limit at once; shmGib counts against it", COUNT] = 50
    shm_gib: Annotated[int, "Size of /dev/shm", COUNT] = 2
    ephemeral_storage_gib: Annotated[
        int, "Node disk requested, for /tmp (which is also HOME) and for weights that are on it", COUNT
    ] = 29


@dataclass(frozen=True, kw_only=True)
class Probe(Record):
    """How often /health is asked, once the server has started."""

    period_seconds: Annotated[int, "Seconds between two attempts", SECONDS] = 10
    timeout_seconds: Annotated[int, "Seconds that an answer may take", SECONDS] = 5
    failure_threshold: Annotated[int, "Failed attempts in a row that count", COUNT] = 6


def _tight() -> Probe:
    return Probe(period_seconds=5, failure_threshold=3)


def _start() -> Probe:
    return Probe(failure_threshold=69)


@dataclass(frozen=True, kw_only=True)
class Probes(Record):
    startup: Annotated[
        Probe, "Before the first answer: download, load and warm-up must fit into periodSeconds × failureThreshold"
    ] = field(default_factory=_start)
    readiness: Annotated[Probe, "Takes the server out of the Service"] = field(default_factory=_tight)
    liveness: Annotated[Probe, "Restarts the server"] = field(default_factory=Probe)


@dataclass(frozen=True, kw_only=True)
class ProbeChoices(Record):
    """The probes that a deployment may set; without `startup_seconds` the plan sizes the start."""

    startup_seconds: Annotated[
        int, "Longest time of a start; 0: computed from the weights", Number(at_least=0, at_most=86_400)
    ] = 0
    readiness: Annotated[Probe, "Takes the server out of the Service"] = field(default_factory=_tight)
    liveness: Annotated[Probe, "Restarts the server"] = field(default_factory=Probe)


@dataclass(frozen=True, kw_only=True)
class RolloutChoices(Record):
    """How a change replaces the servers."""

    strategy: Annotated[
        Literal["stop-first", "start-first"],
        "stop-first needs no spare GPU; start-first starts the successor before it stops a server",
    ] = "stop-first"
    pre_stop_seconds: Annotated[int, "Seconds that a stopping server still takes requests", SECONDS] = 15
    shutdown_timeout_seconds: Annotated[
        int, "Seconds that running requests then get to finish", Number(at_least=0, at_most=86_400)
    ] = 60


@dataclass(frozen=True, kw_only=True)
class Rollout(Record):
    max_surge: Annotated[
        int, "Servers beyond `replicas` during a change; each needs spare GPUs", Number(at_least=0)
    ] = 0
    max_unavailable: Annotated[int, "Servers that may be missing during a change", Number(at_least=0)] = 1
    progress_deadline_seconds: Annotated[
        int, "Seconds that one server may take from the pull of the image until it is ready", SECONDS
    ] = 1372
    pulumi_timeout_seconds: Annotated[
        int, "Seconds that Pulumi waits for all servers; they are replaced one after the other", SECONDS
    ] = 1432
    termination_grace_period_seconds: Annotated[int, "Seconds between the first word to stop and the kill", SECONDS] = (
        90
    )
    pre_stop_seconds: Annotated[int, "Seconds that a stopping server still takes requests", SECONDS] = 15


@dataclass(frozen=True, kw_only=True)
class Serverless(Record):
    enabled: Annotated[bool, "A Knative Service that scales to zero instead of a Deployment and a Service"] = False
    min_replicas: Annotated[int, "Servers that are kept warm", Number(at_least=0)] = 0
    concurrency: Annotated[
        int, "Requests that one server takes at once; more start another one", Number(at_least=0, at_most=1000)
    ] = 164
    request_timeout_seconds: Annotated[
        int, "Longest time of a request, the wait for a server that starts included", SECONDS
    ] = 600
