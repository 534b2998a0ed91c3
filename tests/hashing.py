"""Passwords at the price of tests: their cost is measured in tests/appraisal, and paid there."""

import base64

import pytest
from argon2 import PasswordHasher

from appraisal import passwords


def hash_cheaply(patch: pytest.MonkeyPatch) -> None:
    """Hash passwords quickly until ``patch`` is undone."""
    cheap = PasswordHasher(1, 64, 1)
    zeros = base64.b64encode(bytes(32)).decode().rstrip("=")
    patch.setattr(passwords, "_HASHER", cheap)
    dummy = cheap.hash("", salt=bytes(16)).rsplit("$", 1)[0] + f"${zeros}"
    patch.setattr(passwords, "DUMMY", dummy)
