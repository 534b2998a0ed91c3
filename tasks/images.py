"""Disk images: the hash that stands in an image is a claim of its own, and is checked.

An image is kept as the original that it is and never opened for its files. What its header says
of the medium (MD5, SHA-1 made when it was acquired) is recorded beside our own digests of the
file, and compared with what the media in it hashes to, read in the cell as a stream. (RULES:
FP-02, FP-03.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.custody import Custody
from storage.event import CustodyEvent
from storage.settings import Settings
from tasks.alerting import alert_event
from tasks.reader.cell import CellPool
from tasks.reader.documents import Document, opened
from tasks.reader.image_answer import FORMATS, PROBLEMS, ImageClaims
from tasks.reader.mediatype import EWF
from tasks.reader.process import CellFailure
from tasks.reader.strict import parse

_VALUE = {"md5": re.compile("[0-9a-f]{32}"), "sha1": re.compile("[0-9a-f]{40}")}
_LEAST_MEDIA = 1 << 30
"""Bytes of media that are always read, however small the image is."""


@dataclass(frozen=True)
class Acquisition:
    """What an image claims, as the reading's event holds it."""

    claims: tuple[Mapping[str, Any], ...] = ()

    @property
    def differs(self) -> tuple[Mapping[str, Any], ...]:
        """The claims that the media contradicts."""
        return tuple(each for each in self.claims if each["verified"] == "differs")


def acquisition(
    chosen: Settings, pool: CellPool, file: Document, media_type: str
) -> Acquisition | None:
    """Return the claims of a disk image, verified where its media can be read; None for others."""
    if media_type != EWF:
        return None
    with opened(file) as descriptor:
        size = os.fstat(descriptor).st_size
    try:
        found = _ask(pool, file)
        most = max(_LEAST_MEDIA, size * chosen.max_ratio)
        if found.claims and not found.problems and 0 <= found.media_bytes <= most:
            found = _ask(pool, file, most, _seconds(chosen, size + found.media_bytes))
        elif found.claims and found.media_bytes > most:
            return Acquisition(tuple(_claims(found, "limit")))
    except CellFailure as failure:
        return Acquisition(({**_NOTHING, "reason": f"cell_{failure.code}"},))
    except ValueError:
        return Acquisition(({**_NOTHING, "reason": "cell_lie"},))
    if not found.claims:
        reason = found.problems[0] if found.problems else "no_hash"
        return Acquisition(({**_NOTHING, "reason": reason},))
    return Acquisition(tuple(_claims(found)))


_NOTHING = {"algorithm": "", "value": "", "source": "", "verified": "not_checked"}


def _seconds(chosen: Settings, size: int) -> float:
    return chosen.document_seconds + chosen.document_seconds_per_mb * size / 1_000_000


def _ask(pool: CellPool, file: Document, most: int = 0, seconds: float = -1.0) -> ImageClaims:
    untrusted = pool.call("acquisition", file, limit=most, seconds=seconds)
    found = parse(ImageClaims, untrusted)
    computed = found.computed or {}
    hashes = [(each.algorithm, each.value) for each in found.claims] + list(computed.items())
    formed = all(_VALUE[name].fullmatch(value) for name, value in hashes if name in _VALUE)
    known = {name for name, _ in hashes} <= set(_VALUE) and set(found.problems) <= PROBLEMS
    sources = {each.source for each in found.claims} <= {"hash", "digest"}
    if len(hashes) > 20 or not (formed and known and sources) or found.format not in FORMATS:
        raise ValueError("not what was asked for")
    return found


def _claims(found: ImageClaims, reason: str = "") -> list[dict[str, Any]]:
    rows = []
    for claim in found.claims:
        row: dict[str, Any] = {
            "algorithm": claim.algorithm,
            "value": claim.value,
            "source": f"{found.format} {claim.source}",
            "verified": "not_checked",
        }
        computed = (found.computed or {}).get(claim.algorithm)
        if computed is None:
            row["reason"] = reason or (found.problems[0] if found.problems else "not_read")
        elif computed == claim.value:
            row["verified"] = "equal"
        else:
            row |= {"verified": "differs", "computed": computed}
        rows.append(row)
    return rows


def image_alert(
    custody: Custody, exhibit: str, case: str, found: Acquisition | None
) -> CustodyEvent | None:
    """Return the alert about an image whose media is not what it says, or None."""
    if found is None or not found.differs:
        return None
    told = "; ".join(
        f"{each['algorithm']} {each['value']} ≠ {each['computed']}" for each in found.differs
    )
    return alert_event(
        custody,
        "acquisition",
        exhibit,
        f"镜像中记录的取证哈希与其内容不符 the acquisition hash differs from the media: {told}",
        case=case,
        exhibits=[exhibit],
        details={"claims": [dict(each) for each in found.differs]},
    )
