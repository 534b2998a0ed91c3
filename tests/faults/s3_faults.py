"""A proxy on loopback before an S3 server, which does to one answer what networks and servers do.

Each request of the client is one of a kind: what is asked, of which part of the store, and for
which time within a call. A fault befalls every kind once: a call that is repeated gets one
request further each time, until nothing is left to go wrong.
"""

import contextlib
import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECONDS = 2
"""How long a client of this proxy waits for an answer; a hanging one takes a little longer."""
_ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>fault</Message></Error>"


@dataclass(frozen=True)
class Answer:
    """An answer on its way to the client."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sent: int | None = None
    """How many bytes of the body go out before the connection is closed; None for all."""


Forward = Callable[[], Answer]
Fault = Callable[[Forward, threading.Event], Answer | None]
"""Makes an answer, with or without the server; None closes the connection without one."""


def refuses(status: int, code: str) -> Fault:
    return lambda forward, ends: Answer(status, (), _ERROR.format(code).encode())


def _done_and_denied(forward: Forward, _: threading.Event) -> Answer:
    forward()
    return Answer(500, (), _ERROR.format("InternalError").encode())


def _done_and_silent(forward: Forward, _: threading.Event) -> None:
    forward()


def _hangs(_: Forward, ends: threading.Event) -> None:
    ends.wait(SECONDS * 2)


def _half(forward: Forward, _: threading.Event) -> Answer:
    whole = forward()
    return Answer(whole.status, whole.headers, whole.body, len(whole.body) // 2)


def _shortened(forward: Forward, _: threading.Event) -> Answer:
    whole = forward()
    return Answer(whole.status, whole.headers, whole.body[: len(whole.body) // 2])


def _flipped(forward: Forward, _: threading.Event) -> Answer:
    whole = forward()
    middle = len(whole.body) // 2
    body = bytearray(whole.body)
    body[middle : middle + 1] = bytes(byte ^ 1 for byte in body[middle : middle + 1])
    return Answer(whole.status, whole.headers, bytes(body))


def _says_done(_: Forward, __: threading.Event) -> Answer:
    return Answer(200, (("x-amz-version-id", "made-up"), ("ETag", '"made-up"')), b"")


BREAKS: dict[str, Fault] = {
    "500": refuses(500, "InternalError"),
    "503": refuses(503, "SlowDown"),
    "done-and-denied": _done_and_denied,
    "done-and-silent": _done_and_silent,
    "half": _half,
}
"""What ends in a transient error, whatever it befalls."""
HANGS: Fault = _hangs
LIES: dict[str, Fault] = {
    "flipped": _flipped,
    "says-done": _says_done,
    "shortened": _shortened,
}
"""What a store must notice by itself."""


def kind_of(method: str, path: str, headers: Any) -> str:
    """Name what a request asks for, and of which part of the store."""
    parts = urlsplit(path)
    asked = set(parse_qs(parts.query, keep_blank_values=True)) - {"versionId", "encoding-type"}
    key = parts.path.split("/", 2)[2] if parts.path.count("/") > 1 else ""
    prefix = parse_qs(parts.query).get("prefix", [""])[0]
    copy = " copy" if headers.get("x-amz-copy-source") else ""
    room = (key or prefix).partition("/")[0]
    return f"{method}{copy} {room} {' '.join(sorted(asked))}".strip()


@dataclass
class Plan:
    """What goes wrong from now on, everywhere or only where a kind of request (its name and
    `` #``) contains some words; ``befell`` tells where it did."""

    fault: Fault | None = None
    only: str = ""
    befell: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    ends: threading.Event = field(default_factory=threading.Event)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def begin_call(self) -> None:
        """Count the requests of the next call anew."""
        self.seen.clear()

    def for_request(self, kind: str) -> Fault | None:
        """Return what befalls this request, once."""
        with self.guard:
            self.seen[kind] += 1
            name = f"{kind} #{self.seen[kind]}"
            if self.fault is None or self.only not in f"{kind} #" or name in self.befell:
                return None
            self.befell.append(name)
            return self.fault


@contextlib.contextmanager
def faulty_proxy(endpoint: str, plan: Plan) -> Iterator[str]:
    """Serve a proxy before an S3 server and yield its address."""

    class Handler(_Handler):
        server_at = urlsplit(endpoint).netloc
        todo = plan

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        plan.ends.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_at: str
    todo: Plan

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.todo.for_request(kind_of(self.command, self.path, self.headers))
        answer = (
            fault(lambda: self._forward(body), self.todo.ends)
            if fault is not None
            else self._forward(body)
        )
        self._give(answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle

    def _forward(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self.server_at, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in ("expect", "connection"):
                    connection.putheader(name, value)
            connection.endheaders(body)
            got = connection.getresponse()
            kept = [
                each
                for each in got.getheaders()
                if each[0].lower() not in ("connection", "transfer-encoding")
            ]
            return Answer(got.status, tuple(kept), got.read())
        finally:
            connection.close()

    def _give(self, answer: Answer | None) -> None:
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(answer.body)))
        elif not any(name.lower() == "content-length" for name, _ in answer.headers):
            self.send_header("Content-Length", "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: answer.sent])
        if answer.sent is not None:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
