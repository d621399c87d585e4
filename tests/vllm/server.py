"""A running vLLM server: started in a process group of its own, and ended with it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# Alone it takes 50 to 110 s on two cores.
_START_S: Final = 480
_POLL_S: Final = 0.25
_ANSWER_S: Final = 60
_END_S: Final = 30
_LINGER_S: Final = 5
_SHOWN_LINES: Final = 80


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, kw_only=True)
class Server:
    """`before_healthy` is what /health said, once each, until it said 200: a status, or the error's name."""

    process: subprocess.Popen[bytes]
    port: int
    key: str
    log_path: Path
    before_healthy: set[str] = field(default_factory=set)

    def get(self, path: str, *, key: str = "", timeout_s: float = _ANSWER_S) -> Answer:
        with _connection(self.port, timeout_s) as connection:
            connection.request("GET", path, headers=_headers(key))
            return _answer(connection.getresponse())

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Answer:
        """With the server's own key unless another, or none (""), is given."""
        with self.streaming(path, body, key=key) as response:
            return _answer(response)

    @contextmanager
    def streaming(
        self, path: str, body: Mapping[str, Any], *, key: str | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        with _connection(self.port, _ANSWER_S) as connection:
            connection.request("POST", path, json.dumps(body), _headers(self.key if key is None else key))
            yield connection.getresponse()

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def terminate(self) -> None:
        """As the kubelet does: SIGTERM to the container's first process only."""
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self, timeout_s: float) -> int:
        """Raises subprocess.TimeoutExpired if it still runs then."""
        return self.process.wait(timeout_s)


@contextmanager
def running(command: list[str], environment: Mapping[str, str], port: int, log_path: Path) -> Iterator[Server]:
    """Start, wait until healthy, and end it whatever happens. Raises AssertionError with the end of its log."""
    process = begun(command, environment, log_path)
    server = Server(process=process, port=port, key=environment["VLLM_API_KEY"], log_path=log_path)
    try:
        _wait_until_healthy(server)
        yield server
    finally:
        end(process)


def begun(command: list[str], environment: Mapping[str, str], log_path: Path) -> subprocess.Popen[bytes]:
    """In a process group of its own."""
    with log_path.open("wb") as log:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=log_path.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_until_healthy(server: Server) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and server.process.poll() is None:
        said = _health(server)
        if said == "200":
            return
        server.before_healthy.add(said)
        time.sleep(_POLL_S)
    state = "did not get healthy" if server.process.poll() is None else f"ended with {server.process.returncode}"
    raise AssertionError(f"vLLM {state}:\n" + "\n".join(server.log().splitlines()[-_SHOWN_LINES:]))


def _health(server: Server) -> str:
    try:
        return str(server.get("/health", timeout_s=5).status)
    except OSError as error:
        return type(error).__name__


def end(process: subprocess.Popen[bytes]) -> None:
    """First politely, so that it removes its shared memory; then the group, whose number is its process id."""
    process.terminate()  # does nothing once it has ended
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    with suppress(ProcessLookupError):
        for _ in range(int(_LINGER_S / _POLL_S)):
            os.killpg(process.pid, 0)
            time.sleep(_POLL_S)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _connection(port: int, timeout_s: float) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        yield connection
    finally:
        connection.close()


def _headers(key: str) -> dict[str, str]:
    return {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})


def _answer(response: http.client.HTTPResponse) -> Answer:
    return Answer(status=response.status, text=response.read().decode())
