"""The independent verifier: ``verify.py``, one file that goes out with every proof bundle.

It uses the standard library alone, imports nothing of ours, and nothing of ours imports it: it is
shipped as bytes and run as a program, so that whoever checks us needs no part of us.
"""

from __future__ import annotations

from pathlib import Path

VERIFIER = Path(__file__).with_name("verify.py")


def verifier_bytes() -> bytes:
    """Return the program as it goes into a bundle."""
    return VERIFIER.read_bytes()
