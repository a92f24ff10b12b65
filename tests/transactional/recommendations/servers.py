"""Serving processes for tests: the real one on a port of its own, and ones that misbehave on the wire."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import uvicorn

from serving.app import create_app
from serving.settings import Settings


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def real_serving(settings: Settings) -> Iterator[str]:
    """The serving application behind a real socket, once it is ready; gives its URL."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        while httpx.get(f"{url}/ready").status_code != 200:
            assert thread.is_alive()
        yield url
    finally:
        server.should_exit = True
        thread.join(timeout=20)


class Misbehaving:
    """A server that answers every POST with the same bytes, perhaps only when released, and counts the calls."""

    def __init__(self, *, status: int = 200, body: bytes = b"{}", wait: bool = False, drip: bool = False) -> None:
        self.status = status
        self.body = body
        self.calls = 0
        self.questions: list[dict[str, Any]] = []
        self.release = threading.Event()
        if not wait and not drip:
            self.release.set()
        self._drip = drip
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Misbehaving":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.calls += 1
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                outer.questions.append(json.loads(asked))
                if not outer._drip:
                    outer.release.wait(20)
                try:
                    self.send_response(outer.status)
                    self.send_header("Content-Length", str(len(outer.body)))
                    self.end_headers()
                    self._send()
                except OSError:
                    self.close_connection = True

            def _send(self) -> None:
                if not outer._drip:
                    self.wfile.write(outer.body)
                    return
                # A byte now and then: each single read is quick, the whole is not.
                for byte in outer.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    if outer.release.wait(0.05):
                        return

            def log_message(self, *_: object) -> None:
                """Tests keep quiet."""

        return Handler
