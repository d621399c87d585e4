"""The sandbox's API server behind another one, which may lose its answers after they were given."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.engine.api_server import write_kubeconfig

from breakeven.engine.sandbox_cluster import ControlPlane

# Of one connection each, so that the end of an answer is the end of its connection.
_HOPS = {"connection", "keep-alive", "transfer-encoding", "host", "accept-encoding"}


@dataclass
class Proxy:
    """`kubeconfig` leads to it. `loses` says by method and path whose answers do not arrive; `lost` lists them."""

    kubeconfig: Path
    loses: Callable[[str, str], bool] = lambda method, path: False
    lost: list[str] = field(default_factory=list)


@contextmanager
def forwarding(cluster: ControlPlane, directory: Path) -> Iterator[Proxy]:
    proxy = Proxy(kubeconfig=directory / "kubeconfig")
    real = urlsplit(cluster.server)
    context = ssl.create_default_context(cafile=str(cluster.certificates / "ca.crt"))
    context.load_cert_chain(cluster.certificates / "admin.crt", cluster.certificates / "admin.key")

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            upstream = http.client.HTTPSConnection(real.hostname or "", real.port, context=context)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOPS}
            try:
                upstream.request(self.command, self.path, body, headers)
                self.answer(upstream.getresponse())
            except OSError:
                pass  # who asked has gone, or the API server ends with the test
            finally:
                upstream.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

        def answer(self, found: http.client.HTTPResponse) -> None:
            if proxy.loses(self.command, self.path):
                found.read()
                proxy.lost.append(f"{self.command} {self.path}")
                return
            self.send_response(found.status, found.reason)
            for name, value in found.getheaders():
                if name.lower() not in _HOPS:
                    self.send_header(name, value)
            self.end_headers()
            # As it comes: a watch does not end.
            while part := found.read1(65536):
                self.wfile.write(part)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    write_kubeconfig(proxy.kubeconfig, f"http://127.0.0.1:{server.server_port}")
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
