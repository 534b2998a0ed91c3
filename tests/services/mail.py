"""A real mail server on loopback (aiosmtpd), and a real HTTP server that gets webhooks.

Both keep what they get and can be told to misbehave: refuse, say "later", cut the connection.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "bureau", "correct horse battery staple"


@dataclass
class Mailbox:
    """What the server got, and how it answers: ``refuse`` maps a recipient to an SMTP answer.

    ``at_data``: the answer to the mail itself. ``cut``: the connection is cut instead of it, which
    is after the mail has been taken.
    """

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    at_data: str = ""
    cut: bool = False

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, _: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.at_data:
            return self.at_data
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.got.append(mail)
        if self.cut:
            assert server.transport is not None
            server.transport.abort()
        return "250 taken"

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of what it got, in order."""
        return [str(each["Message-ID"]) for each in self.got]


class _Anywhere(Controller):
    """A server on a port that is free; the original would look for itself at port 0."""

    found = 0

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.found = self.server.sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", self.found), 5) as connection:
            connection.recv(1024)


@contextmanager
def mail_server(certificate: Path | None = None, *, sign_in: bool = False) -> Iterator[Mailbox]:
    """Run a mail server; with a certificate it wants STARTTLS."""
    box, more = Mailbox(), {}
    if certificate is not None:
        more = {"tls_context": server_context(certificate), "require_starttls": True}
    if sign_in:
        more |= {"auth_required": True, "authenticator": _known}
    server = _Anywhere(box, hostname="127.0.0.1", port=0, **more)
    server.start()
    box.port = server.found
    try:
        yield box
    finally:
        server.stop()


def _known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


def make_certificate(folder: Path) -> Path:
    """Make a certificate of 127.0.0.1 that vouches for itself; key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    """Return the server's side of TLS with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@dataclass
class Hooked:
    """What a webhook got: headers and body of each request; and how it answers."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204
    more: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trickle: bool = False


@contextmanager
def webhook_server(certificate: Path | None = None) -> Iterator[Hooked]:
    """Run a server that gets webhooks, by https with a certificate."""
    hooked, over = Hooked(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            hooked.got.append((dict(self.headers), data))
            if hooked.trickle:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.05):
                    self.wfile.write(b"x")
            self.send_response(hooked.status)
            for name, value in hooked.more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(hooked.body)))
            self.end_headers()
            self.wfile.write(hooked.body)

        def do_GET(self) -> None:
            hooked.got.append(({"method": "GET"}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    scheme = "http"
    if certificate is not None:
        scheme, context = "https", server_context(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    hooked.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/notices?of=bureau"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hooked
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
