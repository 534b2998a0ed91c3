"""A real authority of the sample kind, and what it may do wrong: each fault is a reply of openssl.

``Faulty.reply`` answers a request; ``answering`` (``tests.services.witness``) serves whatever
bytes a fault of the connection needs.
"""

from collections.abc import Callable
from pathlib import Path

from deploy.sample.authority import SampleAuthority
from storage.openssl import run

_OLD_CA = """
[own]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
serial = old-serial
default_md = sha256
policy = any
[any]
commonName = supplied
"""
_SIGN = ["-binary", "-nodetach", "-cades", "-md", "sha256"]
_TST_INFO = "1.2.840.113549.1.9.16.1.4"


class Faulty(SampleAuthority):
    """An authority whose signers and replies can be wrong."""

    def make(self) -> None:
        """Make the right signer and the wrong ones."""
        super().make()
        self.issue("plain", "plain")
        self._issue_expired()
        self.stranger = SampleAuthority(self.folder / "stranger")
        self.stranger.make()

    def _issue_expired(self) -> None:
        self.issue("expired", "tsa")
        (self.folder / "index.txt").touch()
        (self.folder / "old-serial").write_text("70\n")
        configuration = (self.folder / "openssl.cnf").read_text()
        (self.folder / "old.cnf").write_text(configuration + _OLD_CA)
        dates = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"]
        signed = ["-cert", "ca.pem", "-keyfile", "ca.key", "-extensions", "tsa", "-notext"]
        files = ["-in", "expired.csr", "-out", "expired.pem"]
        config = ["-config", "old.cnf", "-name", "here"]
        run(["ca", "-batch", *config, *dates, *signed, *files], self.folder)

    def wrong_imprint(self, request: bytes) -> bytes:
        """Stamp other bytes than those that were sent."""
        at = request.index(b"\x04\x20") + 2
        return self.reply(request[:at] + bytes(32) + request[at + 32 :])

    def wrong_nonce(self, request: bytes) -> bytes:
        """Answer as if another request had been sent for the same bytes."""
        # The nonce is the last number of a request without policy, before certReq.
        at = request.rindex(b"\x01\x01\xff") - 1
        return self.reply(request[:at] + bytes([request[at] ^ 1]) + request[at + 1 :])

    def expired(self, request: bytes) -> bytes:
        """Sign with a certificate that is over for years."""
        return self.reply(request, "expired")

    def without_usage(self, request: bytes) -> bytes:
        """Sign with a certificate that is not for timestamps; openssl ts itself would refuse."""
        folder = self.folder
        (folder / "right.tsr").write_bytes(self.reply(request))
        run(["ts", "-reply", "-in", "right.tsr", "-token_out", "-out", "token"], folder)
        der = ["-inform", "DER", "-in", "token", "-noverify", "-nosigs"]
        run(["cms", "-verify", *der, "-out", "info"], folder)
        kind = ["-econtent_type", _TST_INFO, "-outform", "DER"]
        signer = ["-signer", "plain.pem", "-inkey", "plain.key"]
        run(["cms", "-sign", "-in", "info", *_SIGN, *kind, *signer, "-out", "token"], folder)
        run(["ts", "-reply", "-in", "token", "-token_in", "-out", "plain.tsr"], folder)
        return (folder / "plain.tsr").read_bytes()

    def rejected(self, request: bytes) -> bytes:
        """Refuse in proper form: the request's algorithm is none that is served."""
        asked = ["-digest", "00" * 64, "-sha512", "-out", "sha512.tsq"]
        run(["ts", "-query", *asked], self.folder)
        return self.reply((self.folder / "sha512.tsq").read_bytes())

    def of_a_stranger(self, request: bytes) -> bytes:
        """Answer rightly, under certificates that nobody configured."""
        return self.stranger.reply(request)

    def two_certificates(self, request: bytes) -> bytes:
        """Embed the authority's own certificate beside the signer's, unsorted."""
        return self.reply(request, "tsa", "-chain", "ca.pem")


def faulty(folder: Path) -> Faulty:
    """Return a new authority with all its faults."""
    made = Faulty(folder)
    made.make()
    return made


Reply = Callable[[bytes], bytes]
