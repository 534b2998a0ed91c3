"""A small sign-in service (OpenID provider) on loopback, that signs with keys of its own.

It follows the protocol: a code is for one client, one address and one verifier, and is used once.
``lies`` changes what it puts into the ID token, or how that is signed.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "queue", "a-secret-of-the-queue"


@dataclass
class Provider:
    """What the service knows: its keys, who is signed in there, the codes it gave out."""

    issuer: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[["Provider", dict[str, Any]], str] = lambda op, claims: op.signed(claims)
    description: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def signed(self, claims: dict[str, Any], key: ECKey | None = None) -> str:
        """Return claims as an ID token."""
        key = key or self.key
        return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key, ["ES256"])

    def authorize(self, address: str) -> str:
        """Let the person at the browser agree; return where the browser is sent."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Exchange a code, or None."""
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or authorization != f"Basic {basic}"
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != challenge
        ):
            return None
        claims = {"iss": self.issuer, "aud": CLIENT, "nonce": asked["nonce"], **self.claims}
        return {"token_type": "Bearer", "access_token": "x", "id_token": self.sign(self, claims)}


def _handler(op: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def _say(self, said: Any, status: int = 200) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            op.asked.append(self.path)
            if self.path == "/.well-known/openid-configuration":
                described = {
                    "issuer": op.issuer,
                    "authorization_endpoint": f"{op.issuer}/authorize",
                    "token_endpoint": f"{op.issuer}/token",
                    "jwks_uri": f"{op.issuer}/keys",
                }
                self._say(described | op.description)
            elif self.path == "/keys":
                self._say({"keys": [op.key.as_dict(private=False)]})
            else:
                self._say({}, 404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            said = op.token(form, self.headers.get("Authorization", ""))
            self._say(said or {"error": "invalid_grant"}, 200 if said else 400)

    return Handler


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider until the block ends."""
    op = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(op))
    op.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield op
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
