"""As much of an API server as a test of our own requests needs: paths and their answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

IDENTITY: dict[str, Any] = {
    "/version": {"gitVersion": "v1.36.3"},
    "/api/v1/namespaces/kube-system": {"metadata": {"uid": "uid"}},
    "/api/v1": {"resources": [{"kind": "Node", "name": "nodes", "namespaced": False}]},
}


@contextmanager
def serving(answers: Mapping[str, Any], directory: Path) -> Iterator[Path]:
    """The kubeconfig of a server on 127.0.0.1. An answer is an object, or a status and a text; others are 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = {**IDENTITY, **answers}.get(self.path.partition("?")[0], (404, "{}"))
            status, text = answer if isinstance(answer, tuple) else (200, json.dumps(answer))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield write_kubeconfig(directory / "kubeconfig", f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


def write_kubeconfig(path: Path, server: str) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path
