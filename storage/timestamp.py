"""RFC 3161 timestamps on checkpoints: what is asked, and what is believed of an answer. Pure.

A request holds the digest of the exact bytes of a signed checkpoint note (SHA-256 or SM3), a
nonce, the wish for the signer's certificate, and at most a policy. A reply counts only if:

1. It is a DER TimeStampResp, its status is granted, and it has one signature.
2. That signature verifies, and its certificate leads to a configured one; all certificates of
   the chain were valid at the time that the reply states.
3. The certificate has the extended key usage timeStamping, alone and critical (RFC 3161, 2.3).
4. The imprint is the digest of these bytes by this algorithm, and no other.
5. The nonce is the one that was sent, if it is known; the policy the one that was asked for.

Whoever holds the bytes, the reply and the authority's certificate can ask the same questions
again at any time. Revocation is not asked for: it needs a network. (RULES CU-07.)
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    PKIStatus,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from storage.errors import HostError, IntegrityError

OIDS = {
    "sha256": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1"),
    "sm3": x509.ObjectIdentifier("1.2.156.10197.1.401"),
}
"""The imprint algorithms by name."""
MAX_REPLY = 64 << 10
"""Bytes of a reply; a token with a chain of certificates has 3 to 8 thousand."""
_CHAIN = re.compile(r'"Verify error: ([^"]{1,200})"')
_BROKEN = (ValueError, TypeError, OverflowError, KeyError, x509.DuplicateExtension)


class TimestampError(IntegrityError):
    """A reply is not a timestamp by that authority on these bytes."""


class UnreadableReplyError(TimestampError):
    """A reply is not a DER TimeStampResp."""


class DeniedError(HostError):
    """The authority answers, in proper form, that it gives no timestamp."""


@asn1.sequence
class _AlgorithmIdentifier:
    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null


@asn1.sequence
class _MessageImprint:
    hash_algorithm: _AlgorithmIdentifier
    hashed_message: bytes


@asn1.sequence
class _TimeStampReq:
    """RFC 3161, 2.4.1."""

    version: int
    message_imprint: _MessageImprint
    req_policy: x509.ObjectIdentifier | None
    nonce: int | None
    cert_req: Annotated[bool, asn1.Default(False)]


@dataclass(frozen=True)
class Timestamp:
    """What a verified reply says.

    ``gen_time`` is RFC 3339 in UTC, cut to the second; ``accuracy`` is in microseconds, None if
    the authority states none; ``authority`` is the subject of the signer's certificate (RFC 4514).
    """

    gen_time: str
    serial: str
    authority: str
    algorithm: str
    policy: str
    accuracy: int | None

    @property
    def moment(self) -> datetime:
        """The time that the authority states."""
        return datetime.fromisoformat(self.gen_time)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        return asdict(self)


def imprint(data: bytes, algorithm: str) -> bytes:
    """Return the digest that is stamped."""
    return hashlib.new(algorithm, data).digest()


def make_request(data: bytes, algorithm: str, nonce: int, policy: str = "") -> bytes:
    """Return the DER request for a timestamp on data.

    Args:
        data: the bytes to be stamped.
        algorithm: ``sha256`` or ``sm3``.
        nonce: a number that was never used before.
        policy: object identifier of the policy to be used; empty: the authority's own.
    """
    identifier = _AlgorithmIdentifier(algorithm=OIDS[algorithm], parameters=asn1.Null())
    return asn1.encode_der(
        _TimeStampReq(
            version=1,
            message_imprint=_MessageImprint(
                hash_algorithm=identifier, hashed_message=imprint(data, algorithm)
            ),
            req_policy=x509.ObjectIdentifier(policy) if policy else None,
            nonce=nonce,
            cert_req=True,
        )
    )


def load_certificates(pem: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM text.

    Raises:
        HostError: it holds none, or something else.
    """
    try:
        return x509.load_pem_x509_certificates(pem.encode("ascii"))
    except ValueError as error:
        raise HostError(
            f"these are no PEM certificates: {error}",
            remedy="ask the authority for its CA certificates in PEM form",
        ) from error


def parse_reply(untrusted: bytes) -> TimeStampResponse:
    """Parse a reply; nothing is verified but that the authority grants a timestamp.

    Raises:
        UnreadableReplyError: it is no DER TimeStampResp, or too long.
        DeniedError: its status is another than granted.
    """
    if len(untrusted) > MAX_REPLY:
        raise UnreadableReplyError("the reply is too long", size=len(untrusted))
    try:
        reply = decode_timestamp_response(untrusted)
        status, words = reply.status, " ".join(reply.status_string)
    except _BROKEN as error:
        raise UnreadableReplyError(f"the reply is not a timestamp: {str(error)[:300]}") from error
    if status != PKIStatus.GRANTED:
        raise DeniedError(
            f"the authority gives no timestamp: status {status} {words[:200]}".rstrip(),
            remedy="ask the authority which algorithms and policies it serves",
            status=status,
        )
    return reply


def verify_reply(
    reply: TimeStampResponse,
    data: bytes,
    algorithm: str,
    certificates: list[x509.Certificate],
    *,
    nonce: int | None = None,
    policy: str = "",
) -> Timestamp:
    """Ask questions 1 to 5 of a parsed reply and return what it says.

    Args:
        reply: from ``parse_reply``, not verified.
        data: the bytes that were stamped.
        algorithm: the imprint's algorithm.
        certificates: the configured certificates, roots and those between.
        nonce: what was sent; None if it is not known any more.
        policy: the policy that was asked for; empty for any.

    Raises:
        TimestampError: one of them is answered with no.
    """
    try:
        builder = VerifierBuilder(
            roots=list(certificates),
            nonce=nonce,
            policy_id=x509.ObjectIdentifier(policy) if policy else None,
        )
        # Only the digest is compared there; under which algorithm is asked below.
        builder.build().verify(reply, imprint(data, algorithm))
        if reply.tst_info.message_imprint.hash_algorithm != OIDS[algorithm]:
            raise TimestampError(f"the reply's imprint is not by {algorithm}")
        return _said(reply, algorithm)
    except VerificationError as error:
        raise TimestampError(f"the timestamp does not verify: {_reason(error)}") from error
    except _BROKEN as error:
        raise TimestampError(f"the timestamp is damaged: {str(error)[:300]}") from error


def _reason(error: VerificationError) -> str:
    """Return what OpenSSL says of the chain inside the library's long text, or that text."""
    said = str(error)
    found = _CHAIN.search(said)
    return found[1] if found else said[:300]


def _said(reply: TimeStampResponse, algorithm: str) -> Timestamp:
    info, signer = reply.tst_info, _signer(reply)
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if list(usage) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TimestampError("the signer's certificate is for other uses than timestamps too")
    moment = info.gen_time.astimezone(UTC)
    if not signer.not_valid_before_utc <= moment <= signer.not_valid_after_utc:
        raise TimestampError("the signer's certificate was not valid at the time that it states")
    return Timestamp(
        moment.replace(microsecond=0).isoformat(),
        str(info.serial_number),
        signer.subject.rfc4514_string(),
        algorithm,
        info.policy.dotted_string,
        _accuracy(info.accuracy),
    )


def _signer(reply: TimeStampResponse) -> x509.Certificate:
    """Return the certificate that the one signature names."""
    (signature,) = reply.signed_data.signer_infos
    for der in reply.signed_data.certificates:
        found = x509.load_der_x509_certificate(der)
        if (found.issuer, found.serial_number) == (signature.issuer, signature.serial_number):
            return found
    raise TimestampError("the signer's certificate is not in the reply")


def _accuracy(stated: Any) -> int | None:
    if stated is None:
        return None
    parts = (stated.seconds, stated.millis, stated.micros)
    seconds, millis, micros = (int(each or 0) for each in parts)
    return (seconds * 1000 + millis) * 1000 + micros
