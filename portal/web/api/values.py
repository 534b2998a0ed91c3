"""Values that requests and answers share: texts that can be kept, digests, times, two languages."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# A text has something to read, and no character that a log or a database cannot keep.
_KEPT = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_SEEN = r"[^\x00-\x20\x7f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
READABLE = f"^{_KEPT}*{_SEEN}{_KEPT}*$"
KEPT = f"^{_KEPT}*$"
DIGEST = "^((sha256|sm3|blake3):)?[0-9A-Fa-f]{64}$"

Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000, pattern=READABLE),
]
"""A text that a person reads, up to 2,000 characters, not blank."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=READABLE)]
"""A person's name."""
Note = Annotated[str, StringConstraints(max_length=2000, pattern=KEPT)]
"""A text that may be empty."""
PackageDigest = Annotated[
    str,
    StringConstraints(pattern=DIGEST, min_length=64, max_length=71),
    Field(
        description="The digest of the package as received: 64 hexadecimal digits of SHA-256, or "
        "`sm3:` or `blake3:` and the digits.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]
CommissionId = Annotated[
    str,
    StringConstraints(pattern="^[0-9a-f-]{8,80}$", min_length=8, max_length=80),
]


class Form(BaseModel):
    """What a request sends; nothing beside what is described."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Shown(BaseModel):
    """What an answer holds."""

    model_config = ConfigDict(extra="ignore")
