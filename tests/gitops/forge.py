"""As much of GitHub's and GitLab's APIs of comments as a pipeline needs, on a port of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 100
# More than a page of them come before.
OTHERS = 130


@dataclass
class Forge:
    """Bodies of comments by number; `calls` are methods and paths; a `token` is asked for."""

    token: str = "secret-token"
    url: str = ""
    bodies: dict[int, str] = field(default_factory=lambda: {number: "Looks good" for number in range(1, OTHERS + 1)})
    calls: list[str] = field(default_factory=list)

    @property
    def own(self) -> dict[int, str]:
        return {number: body for number, body in self.bodies.items() if number > OTHERS}


@contextmanager
def running() -> Iterator[Forge]:
    forge = Forge()
    handler = type("Handler", (_Handler,), {"forge": forge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    forge.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """https://docs.github.com/rest/issues/comments and https://docs.gitlab.com/api/notes/"""

    forge: Forge

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        size, page = (int(asked[key][0]) for key in ("per_page", "page"))
        assert size <= PAGE
        listed = [{"id": number, "body": body} for number, body in self.forge.bodies.items()]
        self._answer(listed[size * (page - 1) : size * page])

    def do_POST(self) -> None:
        self._set(max(self.forge.bodies) + 1)

    def do_PATCH(self) -> None:
        self._set(int(self.path.rpartition("/")[2]))

    do_PUT = do_PATCH

    def _set(self, number: int) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        if self._is_known:
            self.forge.bodies[number] = body
        self._answer({})

    @property
    def _is_known(self) -> bool:
        given = {self.headers["PRIVATE-TOKEN"], (self.headers["Authorization"] or "").removeprefix("Bearer ")}
        return self.forge.token in given

    def _answer(self, data: Any) -> None:
        self.forge.calls.append(f"{self.command} {urlsplit(self.path).path}")
        self.send_response(200 if self._is_known else 403)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, *_: Any) -> None:
        pass
