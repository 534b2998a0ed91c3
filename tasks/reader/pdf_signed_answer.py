"""What the cell answers about the signatures of a PDF; the parent reads it strictly.

Words are cut and lists are short, and a record that is not so is refused as any other lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

MOST_SIGNATURES = 50
"""Of a document with more signatures none is looked at; ``Signed.more`` says so."""
MOST_NAMES = 8
LONGEST = 400
"""Characters of any text of the answer."""

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between these lies every time of signing that is told; others are told as these."""

Kind = Literal["signature", "timestamp"]
State = Literal["intact", "broken", "unsupported", "unreadable"]
Trust = Literal[
    "vouched",
    "no_anchor",
    "unknown_issuer",
    "expired",
    "not_yet",
    "revoked",
    "usage",
    "weak",
    "other",
    "",
]
Stamp = Literal["none", "vouched", "unvouched", "broken"]
Coverage = Literal["whole", "revision", "part"]
Changes = Literal["none", "archival", "signatures", "forms", "annotations", "other"]


@dataclass(frozen=True)
class SignatureFact:
    """One signature field that was signed, as far as the file and its certificates tell.

    ``state`` is ``intact`` where the signed bytes are those that the certificate's key signed,
    ``unsupported`` for algorithms that cannot be verified here (SM2). ``trust`` says whether
    the chain leads to a configured authority; empty if that was not asked, because the
    signature did not hold. ``unrevoked`` is whether fresh answers of the authorities in the
    document say that nothing of the chain is revoked; nobody is asked for any. ``shown`` is
    whether it is drawn on a page, where it may cover something. ``signed_at`` is the signer's own
    claim, ``stamped_at`` that of a timestamp; RFC 3339, empty if none. ``coverage`` is how much
    of the file was signed, ``changes`` the worst that came after it.
    """

    field: str
    kind: Kind
    state: State
    trust: Trust = ""
    unrevoked: bool = False
    shown: bool = True
    common_names: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    issuer: str = ""
    serial: str = ""
    signed_at: str = ""
    stamped_at: str = ""
    stamp: Stamp = "none"
    digest: str = ""
    algorithm: str = ""
    bits: int = 0
    weak: bool = False
    coverage: Coverage = "part"
    changes: Changes = "other"
    detail: str = ""

    def __post_init__(self) -> None:
        """Refuse with ``ValueError`` what is longer, or at another time, than would be told."""
        names = (*self.common_names, *self.organizations, *self.identifiers)
        if len(names) > 3 * MOST_NAMES:
            raise ValueError("too many names")
        for text in (*names, *(v for v in vars(self).values() if isinstance(v, str))):
            if len(text) > LONGEST:
                raise ValueError("a text that is too long")
        for moment in filter(None, (self.signed_at, self.stamped_at)):
            told = datetime.fromisoformat(moment)
            if told.tzinfo is None or not EARLIEST <= told <= LATEST:
                raise ValueError("a time that would not be told")


@dataclass(frozen=True)
class Signed:
    """Every signature of a PDF in the order of its fields.

    ``strict`` is whether the file keeps to the format so far that no reader need guess;
    ``detail`` is why there is nothing to tell, if there should be.
    """

    signatures: tuple[SignatureFact, ...] = ()
    more: bool = False
    strict: bool = True
    detail: str = ""

    def __post_init__(self) -> None:
        """Refuse with ``ValueError`` more than the cell would tell."""
        if len(self.signatures) > MOST_SIGNATURES or len(self.detail) > LONGEST:
            raise ValueError("more than would be told")
