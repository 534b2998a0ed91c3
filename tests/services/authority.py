"""A real timestamp authority for tests: ``openssl ts`` with a certificate authority of its own."""

import subprocess
from pathlib import Path

_CONFIG = """\
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_EXTENSIONS = "extendedKeyUsage=critical,timeStamping\nkeyUsage=digitalSignature\n"


class Authority:
    """Stamps bytes; ``certificates`` is what a policy lists of it."""

    def __init__(self, folder: Path, name: str) -> None:
        """Make the keys and certificates below a new folder."""
        folder.mkdir(parents=True)
        self._folder = folder
        (folder / "serial").write_text("01")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
        (folder / "extensions").write_text(_EXTENSIONS)
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._run(
            "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", f"/CN={name} CA",
        )  # fmt: skip
        self._run("req", "-new", *new_key, "-keyout", "tsa.key", "-out", "tsa.csr",
                  "-subj", f"/CN={name}")  # fmt: skip
        self._run(
            "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "30", "-extfile", "extensions", "-out", "tsa.pem",
        )  # fmt: skip
        self.certificates = [(folder / "ca.pem").read_text()]

    def stamp(self, data: bytes, algorithm: str = "sha256") -> bytes:
        """Return a DER TimeStampResp on the digest of bytes."""
        (self._folder / "data").write_bytes(data)
        self._run("ts", "-query", "-data", "data", f"-{algorithm}", "-cert", "-out", "query")
        self._run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (self._folder / "reply").read_bytes()

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self._folder, check=True, capture_output=True, timeout=30
        )
