"""Witnesses on loopback: the real application, and servers that answer whatever a test says."""

import contextlib
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from portal.witness import witness_app
from storage.note import Verifier
from storage.witness_key import make_witness
from storage.witness_state import Witness
from tests.services.rgw import free_port


@contextlib.contextmanager
def running_witness(
    folder: Path, log: Verifier, clock: Callable[[], float] = time.time
) -> Iterator[tuple[str, str]]:
    """Run a witness of one log in a thread; yield its URL and its vkey."""
    vkey = str(make_witness(folder, "witness.example/w1"))
    app = witness_app(Witness(folder, {log.name: [log]}, clock), "Asia/Shanghai")
    port = free_port()
    config = uvicorn.Config(app, port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ends = time.monotonic() + 10
    while not server.started and time.monotonic() < ends:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}/", vkey
    finally:
        server.should_exit = True
        thread.join(10)


def http(
    status: int, body: str | bytes, content_type: str = "text/plain", headers: str = ""
) -> bytes:
    """An HTTP answer, byte for byte."""
    data = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\n{headers}"
    return f"{head}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def answering(answer: Callable[[bytes], Iterator[bytes]]) -> Iterator[str]:
    """Run a server that answers each request's body with the pieces that ``answer`` yields."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = self.rfile.read(length)
            with contextlib.suppress(OSError):
                for piece in answer(body):
                    self.wfile.write(piece)
                    self.wfile.flush()

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join(10)
