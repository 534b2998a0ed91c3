"""Signers of PDF documents with a certificate authority of their own, for the demo and the tests.

The authority is made on the spot and proves nothing to anybody; but everything that is done with
the signatures of a real one is done with these.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Box = tuple[int, int, int, int]


def subject(name: str, organization: str = "", identifier: str = "") -> x509.Name:
    """Return a subject: common name, and organization and serial number if given."""
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN")]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    if identifier:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, identifier))
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """A certificate authority; ``certificate`` is what whoever trusts it has to know."""

    name: str = "示例电子认证机构 Sample authority"
    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    begins: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=400))

    def __post_init__(self) -> None:
        """Make the authority's own certificate."""
        name = subject(self.name)
        self.certificate = (
            self._builder(name, self.key, self.begins, self.begins + timedelta(days=4000))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The certificate, PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def issue(
        self,
        name: x509.Name,
        *,
        key: Key | None = None,
        begins: datetime | None = None,
        ends: datetime | None = None,
        stamping: bool = False,
    ) -> signers.SimpleSigner:
        """Return a signer with a certificate of this authority, for timestamps if asked for."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        begins = begins or self.begins
        ends = ends or begins + timedelta(days=3000)
        builder = (
            self._builder(name, key, begins, ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
        )
        if stamping:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
        certificate = builder.sign(self.key, hashes.SHA256())
        return signer_of(certificate, key, self.certificate)

    def _builder(
        self, name: x509.Name, key: Key, begins: datetime, ends: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(subject(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )


def signer_of(
    certificate: x509.Certificate, key: Key, issuer: x509.Certificate
) -> signers.SimpleSigner:
    """Return a signer that puts both certificates into what it signs."""
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register(_loaded(issuer))
    private = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return signers.SimpleSigner(
        signing_cert=_loaded(certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=store,
    )


def sign(
    data: bytes,
    name: str,
    signer: signers.SimpleSigner,
    *,
    box: Box | None = None,
    digest: str = "sha256",
) -> bytes:
    """Return a PDF with one more signature, appended as a revision of its own.

    Args:
        data: the PDF.
        name: name of the signature field.
        signer: who signs.
        box: where it shows on the last page, in points; None: nowhere.
        digest: the digest that is signed.
    """
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    if box:
        fields.append_signature_field(writer, fields.SigFieldSpec(name, on_page=-1, box=box))
    made = signers.PdfSigner(
        signers.PdfSignatureMetadata(field_name=name, md_algorithm=digest),
        signer=signer,
        stamp_style=TextStampStyle(stamp_text="%(ts)s", border_width=0),
    ).sign_pdf(writer)
    return bytes(made.getbuffer())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _loaded(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
