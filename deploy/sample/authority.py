"""A timestamp authority made with openssl, on loopback: for the demonstration and the tests.

It has a certificate authority of its own, and its clock is this machine's: it proves nothing to
anybody, but everything that is done with a real one is done with it.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from storage.openssl import run

POLICY = "1.3.6.1.4.1.55555.1"
CONFIGURATION = f"""\
[req]
prompt = no
distinguished_name = name
[name]
C = CN
O = Zhenglian sample
CN = Sample authority
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[plain]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
[stamp]
default_tsa = stamping
[stamping]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = {POLICY}
other_policies = {POLICY}.1
digests = sha256, sm3
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


@dataclass
class SampleAuthority:
    """A certificate authority, a signer with the timeStamping usage, and its serial numbers."""

    folder: Path
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def certificates(self) -> Path:
        """The certificate that its timestamps lead to, PEM."""
        return self.folder / "ca.pem"

    def make(self) -> None:
        """Make keys and certificates in an empty or missing folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "openssl.cnf").write_text(CONFIGURATION)
        (self.folder / "serial").write_text(f"{secrets.randbits(62) | 1 << 62:X}\n")
        paths = ["-keyout", "ca.key", "-out", "ca.pem", "-days", "3650"]
        configured = ["-config", "openssl.cnf"]
        run(["req", "-x509", *_KEY, *paths, *configured, "-extensions", "ca"], self.folder)
        self.issue("tsa", "tsa")

    def issue(self, name: str, usage: str) -> None:
        """Make a key and a certificate with the extensions of a section of the configuration."""
        subject = f"/C=CN/O=Zhenglian sample/CN=Sample {name}"
        out = ["-keyout", f"{name}.key", "-out", f"{name}.csr", "-config", "openssl.cnf"]
        run(["req", *_KEY, *out, "-subj", subject], self.folder)
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "365"]
        extensions = ["-extfile", "openssl.cnf", "-extensions", usage]
        files = ["-in", f"{name}.csr", "-out", f"{name}.pem"]
        run(["x509", "-req", *files, *signed, *extensions], self.folder)

    def reply(self, request: bytes, signer: str = "tsa", *more: str) -> bytes:
        """Return the reply of ``openssl ts -reply`` to a request."""
        with self._one:
            query, out = self.folder / "request.tsq", self.folder / "reply.tsr"
            query.write_bytes(request)
            signing = ["-signer", f"{signer}.pem", "-inkey", f"{signer}.key"]
            config = ["-config", "openssl.cnf", "-section", "stamping"]
            files = ["-queryfile", query.name, "-out", out.name]
            run(["ts", "-reply", *config, *files, *signing, *more], self.folder)
            return out.read_bytes()

    def write_settings(self, url: str) -> Path:
        """Write a file for CUSTODY_TIMESTAMP_AUTHORITIES that names this authority."""
        path = self.folder / "authorities.json"
        entry = {
            "name": "sample-tsa",
            "url": url,
            "certificates": self.certificates.name,
            "algorithms": ["sha256", "sm3"],
        }
        path.write_text(json.dumps([entry], indent=1))
        return path


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that went away is no news."""


@contextlib.contextmanager
def serving(reply: Callable[[bytes], bytes]) -> Iterator[str]:
    """Answer requests on loopback until the block ends; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer one request."""
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            answer = reply(body)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join(10)
