"""Verifying the signatures of a PDF by pyHanko, without a network and without an event loop.

A chain of certificates is accepted only up to the authorities that the parent names: the
machine's own list vouches for web sites, not for appraisers. Of revocation counts what the
document itself holds; there is no network in the cell. What pyHanko cannot verify (SM2, seals of
GB/T 38540) is told as unsupported, never as valid.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import generic_cms
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel, TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from tasks.reader.pdf_signed import Asked
from tasks.reader.pdf_signed_answer import (
    EARLIEST,
    LATEST,
    LONGEST,
    MOST_NAMES,
    MOST_SIGNATURES,
    Coverage,
    SignatureFact,
    Signed,
    Stamp,
    Trust,
)
from tasks.reader.pdf_signed_changes import changes_after
from tasks.reader.pdf_signed_revoked import Told, together, told_by_document, told_by_signature
from tasks.reader.source import Source
from tasks.reader.strict import clean

T = TypeVar("T")

# 1.2.156.10197 (Chinese commercial cryptography) and what follows, in DER.
_CHINESE = bytes.fromhex("2a811ccf55")
_WEAK = frozenset({"md2", "md4", "md5", "sha1"})
_USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})
_LEAST_BITS = {"rsa": 2048, "rsassa_pss": 2048, "dsa": 2048, "ec": 224}
_COVERED: dict[SignatureCoverageLevel, Coverage] = {
    SignatureCoverageLevel.ENTIRE_FILE: "whole",
    SignatureCoverageLevel.ENTIRE_REVISION: "revision",
}
_REVOKED = frozenset({AdESIndeterminate.REVOKED_NO_POE, AdESIndeterminate.REVOKED_CA_NO_POE})
_TRUST: dict[AdESIndeterminate, Trust] = {
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: "weak",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: "weak",
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: "usage",
}


def validate(source: Source, asked: Asked) -> Signed:
    """Return the facts of every signature; a reader that must guess is told as not strict."""
    for strict in (True, False):
        try:
            with source.file() as file:
                return replace(_all(PdfFileReader(file, strict=strict), asked), strict=strict)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - parsers raise anything on hostile input
            detail = f"{type(error).__name__}: {error}"
    return Signed(strict=False, detail=_cut(detail))


def _all(reader: PdfFileReader, asked: Asked) -> Signed:
    if reader.encrypted:
        reader.decrypt("")
    fields = list(islice(enumerate_sig_fields(reader, filled_status=True), MOST_SIGNATURES + 1))
    if len(fields) > MOST_SIGNATURES:
        # What came after each is compared with all that came after it: that grows as a square.
        return Signed(more=True)
    names = frozenset(name for name, _, _ in fields)
    known = _Known(asked, names, told_by_document(reader))
    return Signed(tuple(_one(reader, name, field, known) for name, _, field in fields))


@dataclass(frozen=True)
class _Known:
    """What is asked, the names of all signature fields, and what the document says is revoked."""

    asked: Asked
    names: frozenset[str]
    told: Told


def _one(reader: PdfFileReader, name: str, field: Any, known: _Known) -> SignatureFact:
    fact = SignatureFact(_cut(name), "signature", "unreadable")
    chinese = False
    try:
        value = field.get_object().raw_get("/V").get_object()
        chinese = _CHINESE in bytes(value.raw_get("/Contents").original_bytes)
        signature = EmbeddedPdfSignature(reader, field, name)
        fact = replace(_described(fact, signature), shown=_shown(field.get_object()))
        return _judged(fact, signature, known)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - as above; one signature must not hide others
        if chinese:
            detail = "SM2/SM3 or another Chinese algorithm"
            return replace(fact, state="unsupported", detail=detail)
        return replace(fact, state="unreadable", detail=_cut(f"{type(error).__name__}: {error}"))


def _described(fact: SignatureFact, signature: EmbeddedPdfSignature) -> SignatureFact:
    """Return who signed and how, as the signature says; nothing of it is verified yet."""
    certificate = signature.signer_cert
    subject = certificate.subject.native
    info = signature.signer_info
    algorithm = info["signature_algorithm"]
    key = certificate.public_key
    digest = str(signature.md_algorithm)
    named = {digest, _hash_of(algorithm)}
    bits = _bits(key)
    is_stamp = signature.sig_object_type == "/DocTimeStamp"
    claimed = None if is_stamp else signature.self_reported_timestamp
    return replace(
        fact,
        kind="timestamp" if is_stamp else "signature",
        common_names=_texts(subject, "common_name"),
        organizations=_texts(subject, "organization_name"),
        identifiers=_texts(subject, "serial_number", "organization_identifier"),
        issuer=_cut(certificate.issuer.human_friendly),
        serial=_cut(f"{certificate.serial_number:x}"),
        signed_at=told_time(claimed),
        digest=_cut(digest),
        algorithm=_cut(str(algorithm["algorithm"].native)),
        bits=min(bits, 1 << 20),
        weak=bool(named & _WEAK) or bits < _LEAST_BITS.get(key.algorithm, 0),
    )


def _shown(field: Any) -> bool:
    """Whether a signature is drawn anywhere; only one whose single place has no area is not."""
    if "/Kids" in field:
        return True
    try:
        left, low, right, high = (float(each) for each in field["/Rect"])
    except (KeyError, TypeError, ValueError):
        return True
    return left != right and low != high


def _judged(fact: SignatureFact, signature: Any, known: _Known) -> SignatureFact:
    asked = known.asked
    signature.compute_integrity_info()
    covered: Coverage = "part"
    if _contiguous(signature):
        covered = _COVERED.get(signature.coverage, "part")
    fact = replace(fact, coverage=covered)
    if covered != "part":
        changes, detail = changes_after(signature, known.names)
        fact = replace(fact, changes=changes, detail=_cut(detail))
    if fact.kind == "timestamp":
        return _stamp_of_document(fact, signature, asked)
    content = signature.signed_data["encap_content_info"]["content_type"].native
    intact, valid = generic_cms.validate_sig_integrity(
        signature.signer_info, signature.signer_cert, content, signature.compute_digest()
    )
    if not (intact and valid) or content != "data":
        return replace(fact, state="broken")
    fact = _stamped(replace(fact, state="intact"), signature, asked)
    at = fact.stamped_at if fact.stamp == "vouched" else asked.moment
    told = together(known.told, told_by_signature(signature.signer_info))
    trust = _trust(signature, asked.anchors, at, told)
    if trust in ("vouched", "revoked") or not told:
        return replace(fact, trust=trust, unrevoked=trust == "vouched" and bool(told))
    # What the document holds is not fresh, or of others: as if nobody had been asked.
    return replace(fact, trust=_trust(signature, asked.anchors, at))


def _contiguous(signature: EmbeddedPdfSignature) -> bool:
    """Whether all that was left out of what was signed is the signature itself."""
    try:
        start, first, second, last = (int(each) for each in signature.byte_range)
    except ValueError:
        return False
    if start != 0 or min(first, last) <= 0 or second <= first:
        return False
    stream = signature.reader.stream
    size = stream.seek(0, 2)
    if second + last > size or second - first != 2 * len(signature.pkcs7_content) + 2:
        return False
    stream.seek(first)
    gap = stream.read(second - first)
    try:
        return gap[:1] + gap[-1:] == b"<>" and bytes.fromhex(gap[1:-1].decode("ascii")) == (
            signature.pkcs7_content
        )
    except ValueError:
        return False


def _trust(
    signature: EmbeddedPdfSignature, anchors: Iterable[bytes], at: str, told: Told | None = None
) -> Trust:
    """Return whether the chain holds; with ``told``, only if that says that nothing is revoked."""
    context = _context(anchors, at, told)
    if context is None:
        return "no_anchor"
    certificate = signature.signer_cert
    context.certificate_registry.register_multiple(signature.other_embedded_certs)
    paths = context.path_builder.async_build_paths_lazy(certificate)
    result = _finished(generic_cms.validate_cert_usage(certificate, context, _USAGE, paths))
    if result.success_result is not None:
        return "vouched"
    problem = result.error_subindic
    if problem in _REVOKED:
        return "revoked"
    if problem is AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND:
        return "unknown_issuer"
    moment = datetime.fromisoformat(at)
    if moment < certificate.not_valid_before:
        return "not_yet"
    if moment > certificate.not_valid_after:
        return "expired"
    return _TRUST.get(problem, "other") if problem else "other"


def _stamped(fact: SignatureFact, signature: EmbeddedPdfSignature, asked: Asked) -> SignatureFact:
    """Return the fact with the first timestamp on the signature that holds."""
    for token in generic_cms.extract_tst_data_iter(signature.signer_info, signed=False):
        stamp = _stamp(token, generic_cms.message_imprint_checker(signature.signer_info), asked)
        fact = replace(fact, stamp=stamp[0], stamped_at=stamp[1])
        if fact.stamp == "vouched":
            break
    return fact


def _stamp_of_document(
    fact: SignatureFact, signature: EmbeddedPdfSignature, asked: Asked
) -> SignatureFact:
    stamp, at = _stamp(signature.signed_data, lambda name: signature.compute_digest(name), asked)
    trust: Trust = {"vouched": "vouched", "unvouched": "unknown_issuer"}.get(stamp, "")  # type: ignore[assignment]
    if stamp == "unvouched" and not asked.anchors:
        trust = "no_anchor"
    state = "broken" if stamp == "broken" else "intact"
    return replace(fact, state=state, stamp=stamp, stamped_at=at, trust=trust)  # type: ignore[arg-type]


def _stamp(token: Any, imprint: Any, asked: Asked) -> tuple[Stamp, str]:
    context = _context(asked.anchors, asked.moment) or ValidationContext(
        trust_roots=[], moment=datetime.fromisoformat(asked.moment), allow_fetching=False
    )
    found = _finished(generic_cms.validate_tst_signed_data(token, context, imprint))
    status = TimestampSignatureStatus(**found)
    if not (status.intact and status.valid):
        return "broken", ""
    return ("vouched" if status.trusted else "unvouched"), told_time(status.timestamp)


def _context(
    anchors: Iterable[bytes], at: str, told: Told | None = None
) -> ValidationContext | None:
    roots = [x509.Certificate.load(each) for each in anchors]
    if not roots:
        return None
    return ValidationContext(
        trust_roots=roots,
        moment=datetime.fromisoformat(at),
        allow_fetching=False,
        crls=told.crls if told else (),
        ocsps=told.ocsps if told else (),
        revocation_mode="require" if told else "soft-fail",
    )


def _finished(steps: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine gives that waits for nothing; the cell has no event loop."""
    try:
        steps.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    steps.close()
    raise RuntimeError("it waits for something")


def _bits(key: Any) -> int:
    """Return the length of a public key, 0 of one on a curve that is not known."""
    try:
        return int(key.bit_size)
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0


def _hash_of(algorithm: Any) -> str:
    try:
        return str(algorithm.hash_algo)
    except ValueError:
        return ""


def _texts(subject: Any, *keys: str) -> tuple[str, ...]:
    found: list[str] = []
    for key in keys:
        value = subject.get(key, ())
        found += map(str, value if isinstance(value, list) else [value] if value else [])
    return tuple(map(_cut, found[:MOST_NAMES]))


def told_time(moment: datetime | None) -> str:
    """Return a time of signing; one that nobody can have meant, as the nearest that is told."""
    if moment is None:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(aware, EARLIEST), LATEST).isoformat()


def _cut(text: str) -> str:
    return clean(" ".join(text.split()))[:LONGEST]
