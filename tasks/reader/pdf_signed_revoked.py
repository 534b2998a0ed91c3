"""What a signed PDF itself holds about revocation: answers (OCSP) and lists (CRL).

Nobody is asked: there is no network in the cell. Agencies that sign for the long term put what
their authority said into the document (ISO 32000-2, 12.8.4.3, and the signed attribute that came
before it); that is signed by the authority, so it counts as if it had been asked for. Nothing in
the document, or nothing that is readable and fresh, is as if nobody had been asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import find_unique_cms_attribute
from pyhanko.sign.validation.dss import DocumentSecurityStore

_MOST = 200


@dataclass(frozen=True)
class Told:
    """Lists and answers of authorities, parsed, none of them verified yet."""

    crls: tuple[Any, ...] = ()
    ocsps: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.crls or self.ocsps)


def told_by_document(reader: PdfFileReader) -> Told:
    """Return what the document's security store holds."""
    try:
        if "/DSS" not in reader.root:
            return Told()
        found = DocumentSecurityStore.read_dss(reader).as_validation_context({"trust_roots": []})
        return _of(found.crls, found.ocsps)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - parsers raise anything on hostile input; then nobody said it
        return Told()


def told_by_signature(signer_info: Any) -> Told:
    """Return what a signature holds in its signed attributes."""
    try:
        attributes = signer_info["signed_attrs"]
        found = find_unique_cms_attribute(attributes, "adobe_revocation_info_archival")
        return _of(found["crl"] or (), found["ocsp"] or ())
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - as above; most signatures have none
        return Told()


def together(one: Told, other: Told) -> Told:
    """Return what both hold."""
    return _of((*one.crls, *other.crls), (*one.ocsps, *other.ocsps))


def _of(crls: Iterable[Any], ocsps: Iterable[Any]) -> Told:
    return Told(tuple(crls)[:_MOST], tuple(ocsps)[:_MOST])
