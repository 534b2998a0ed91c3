"""The program ``openssl``: the second opinion on timestamps, run in one way.

Somebody else's code judges a timestamp beside ``storage.timestamp``: what an auditor would run by
hand is run here before a timestamp counts. It also puts replies in order whose certificates are
not sorted as DER asks; OpenSSL's own authority and many public ones write them so.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from storage.errors import HostError, IntegrityError

SECONDS = 30.0
"""Time for one run of the program."""
OLDEST = (1, 1, 1)
"""The first version that knows SM3."""
_VERSION = re.compile(r"OpenSSL (\d+)\.(\d+)\.(\d+)")
_REMEDY = "install the package openssl (./custody runs deploy/setup.sh, which does)"


class OpensslError(IntegrityError):
    """The program refuses what it was given; ``said`` is the end of what it said."""


@cache
def version() -> str:
    """Return the program's first line about itself.

    Raises:
        HostError: it is not installed, or older than 1.1.1.
    """
    said = run(["version"]).decode("ascii", "replace").strip()
    found = _VERSION.match(said)
    if not found or tuple(map(int, found.groups())) < OLDEST:
        raise HostError(f"{said or 'openssl'} is too old: 1.1.1 is needed", remedy=_REMEDY)
    return said


def run(arguments: Sequence[str | Path], folder: Path | None = None) -> bytes:
    """Run the program and return what it wrote; no input, no configuration of the machine.

    Raises:
        OpensslError: it ended with an error.
        HostError: it is not installed, or ran too long.
    """
    try:
        done = subprocess.run(
            ["openssl", *arguments],
            cwd=folder,
            env={"PATH": os.defpath, "OPENSSL_CONF": os.devnull, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise HostError("openssl is not installed", remedy=_REMEDY) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"openssl {arguments[0]} cannot be run: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-1000:]
        raise OpensslError(f"openssl {arguments[0]} refuses: {_last_error(said)}", said=said)
    return done.stdout


def _last_error(said: str) -> str:
    """Return the reason in OpenSSL's last line of error: after the library and the function."""
    lines = [each for each in said.splitlines() if ":error:" in each]
    return ":".join(lines[-1].split(":")[5:6]) if lines else said[-200:]


def sort_reply(untrusted: bytes) -> bytes:
    """Return a granted reply with the same signed token, its sets sorted as DER asks.

    What is signed does not change, and nothing is verified. The status of the reply is lost: the
    caller must have the reply itself verified (``verify_reply``).

    Raises:
        OpensslError: it holds no token.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "reply").write_bytes(untrusted)
        run(["ts", "-reply", "-in", "reply", "-token_out", "-out", "token"], folder)
        der = ["-inform", "DER", "-outform", "DER"]
        run(["cms", "-cmsout", *der, "-in", "token", "-out", "sorted"], folder)
        run(["ts", "-reply", "-in", "sorted", "-token_in", "-out", "out"], folder)
        return (folder / "out").read_bytes()


def verify_reply(untrusted: bytes, data: bytes, certificates: str, at: datetime) -> None:
    """Verify a reply over data as an auditor would: ``openssl ts -verify``.

    Args:
        untrusted: a DER TimeStampResp.
        data: the bytes that were stamped.
        certificates: the trusted certificates, PEM.
        at: when they must have been valid: the time that the reply states.

    Raises:
        OpensslError: it does not verify.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "reply").write_bytes(untrusted)
        (folder / "data").write_bytes(data)
        (folder / "trusted.pem").write_text(certificates, "ascii")
        trust = ["-CAfile", "trusted.pem", "-untrusted", "trusted.pem"]
        when = ["-attime", str(int(at.timestamp()))]
        run(["ts", "-verify", "-in", "reply", "-data", "data", *trust, *when], folder)
