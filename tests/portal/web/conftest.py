"""What the tests of the queue's doors share."""

import base64

import pytest
from argon2 import PasswordHasher

from appraisal import passwords


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords quickly: their cost is measured in tests/appraisal, and paid here often."""
    cheap = PasswordHasher(1, 64, 1)
    zeros = base64.b64encode(bytes(32)).decode().rstrip("=")
    monkeypatch.setattr(passwords, "_HASHER", cheap)
    monkeypatch.setattr(
        passwords, "DUMMY", cheap.hash("", salt=bytes(16)).rsplit("$", 1)[0] + f"${zeros}"
    )
