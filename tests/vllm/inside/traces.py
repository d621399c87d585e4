"""What a collector of OTLP receives from vLLM's tracer, without a server.

stdin: {"port": …, "endpoint": "http://…", "environment": {"OTEL_…": "…"}}. The last line of stdout: the spans' services
and names, in pairs.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.trace import get_tracer_provider
from vllm.tracing import init_tracer


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []

    def Export(self, request: Any, context: Any) -> Any:
        for group in request.resource_spans:
            told = {entry.key: entry.value.string_value for entry in group.resource.attributes}
            spans = [span.name for scope in group.scope_spans for span in scope.spans]
            self.received += [(told["service.name"], name) for name in spans]
        return trace_service_pb2.ExportTraceServiceResponse()


def main() -> None:
    given = json.load(sys.stdin)
    os.environ.update(given["environment"])
    collector, server = Collector(), grpc.server(ThreadPoolExecutor(max_workers=1))
    # The generated module has no types.
    services: Any = trace_service_pb2_grpc
    services.add_TraceServiceServicer_to_server(collector, server)
    server.add_insecure_port(f"127.0.0.1:{given['port']}")
    server.start()
    # As vllm/v1/engine/async_llm.py does.
    with init_tracer("vllm.llm_engine", given["endpoint"]).start_as_current_span("request"):
        pass
    provider: Any = get_tracer_provider()
    provider.force_flush()
    server.stop(None)
    sys.stdout.write("\n" + json.dumps(collector.received) + "\n")


if __name__ == "__main__":
    main()
