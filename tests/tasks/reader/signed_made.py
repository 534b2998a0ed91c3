"""PDF documents with real signatures, and with what pretends to be one, for the tests of both."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import algos, cms, crl, x509
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes, serialization
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.validation.dss import DocumentSecurityStore
from reportlab.pdfgen.canvas import Canvas

from deploy.sample.signing import Authority, sign, subject
from storage.openssl import run

AGENCY = "申江知识产权司法鉴定中心"
CHEN, HE = "陈工", "何工"
NOW = datetime.now(UTC)
SM3, SM2_WITH_SM3 = "1.2.156.10197.1.401", "1.2.156.10197.1.501"


def drawn(*lines: str) -> bytes:
    """Return a PDF of one page with lines of text."""
    buffer = io.BytesIO()
    pen = Canvas(buffer, invariant=1)
    for number, text in enumerate(lines or ("the opinion",)):
        pen.drawString(72, 720 - 16 * number, text)
    pen.showPage()
    pen.save()
    return buffer.getvalue()


@dataclass
class Signers:
    """Two appraisers and a seal with certificates of one authority."""

    authority: Authority = field(default_factory=Authority)

    def __post_init__(self) -> None:
        """Issue the certificates."""
        self.chen = self.authority.issue(subject(CHEN, AGENCY, "310012001"))
        self.he = self.authority.issue(subject(f"{HE}@310012002", AGENCY))
        self.seal = self.authority.issue(subject(f"{AGENCY}(鉴定专用章)"))

    def all(self, data: bytes) -> bytes:
        """Return a document with both signatures and, to be seen on it, the seal."""
        data = sign(sign(data, "chen", self.chen), "he", self.he)
        return sign(data, "seal", self.seal, box=(300, 60, 400, 90))


def annotated(data: bytes) -> bytes:
    """Return a PDF with a note on its page, as a revision of its own."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    note = {
        "/Type": generic.NameObject("/Annot"),
        "/Subtype": generic.NameObject("/Text"),
        "/Rect": generic.ArrayObject(map(generic.NumberObject, (72, 600, 90, 618))),
        "/Contents": generic.TextStringObject("a later remark"),
    }
    body = generic.DictionaryObject({generic.NameObject(key): each for key, each in note.items()})
    reference = writer.add_object(body)
    node = page.get_object()
    if "/Annots" in node:
        node["/Annots"].append(reference)
        writer.update_container(node["/Annots"])
    else:
        node["/Annots"] = generic.ArrayObject([reference])
    writer.mark_update(page)
    return written(writer)


def repainted(data: bytes) -> bytes:
    """Return a PDF whose page shows something else, as a revision of its own."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    content = generic.StreamObject(stream_data=b"BT /F1 12 Tf 72 720 Td (another) Tj ET")
    page.get_object()["/Contents"] = writer.add_object(content)
    writer.mark_update(page)
    return written(writer)


def written(writer: IncrementalPdfFileWriter) -> bytes:
    """Return what a writer has."""
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def with_list(data: bytes, by: Authority, revoked: SimpleSigner, hours: int) -> bytes:
    """Return a signed PDF with a list of revoked certificates, so many hours old, added to it."""
    at = NOW - timedelta(hours=hours)
    entry = (
        certificates.RevokedCertificateBuilder()
        .serial_number(revoked.signing_cert.serial_number)
        .revocation_date(at - timedelta(hours=1))
        .build()
    )
    made = (
        certificates.CertificateRevocationListBuilder()
        .issuer_name(by.certificate.subject)
        .last_update(at)
        .next_update(at + timedelta(days=2))
        .add_revoked_certificate(entry)
        .sign(by.key, hashes.SHA256())
    )
    listed = crl.CertificateList.load(made.public_bytes(serialization.Encoding.DER))
    buffer = io.BytesIO(data)
    DocumentSecurityStore.add_dss(buffer, None, crls=[listed])
    return buffer.getvalue()


def expired(authority: Authority) -> SimpleSigner:
    """Return a signer whose certificate ended yesterday."""
    begins, ends = NOW - timedelta(days=30), NOW - timedelta(days=1)
    return authority.issue(subject(CHEN, AGENCY), begins=begins, ends=ends)


def replaced(data: bytes, der: bytes) -> bytes:
    """Return a signed PDF with something else in the place of its first signature."""
    start = data.index(b"/Contents <") + len(b"/Contents <")
    end = data.index(b">", start)
    assert 2 * len(der) <= end - start
    return data[:start] + der.hex().encode().ljust(end - start, b"0") + data[end:]


def sm2_signature(folder: Path) -> bytes:
    """Return a CMS signature with SM2 over SM3, whose certificate openssl made."""
    run(["genpkey", "-algorithm", "SM2", "-out", "key.pem"], folder)
    request = ["req", "-x509", "-new", "-key", "key.pem", "-sm3", "-days", "30", "-utf8"]
    run([*request, "-subj", f"/C=CN/CN={CHEN}", "-outform", "DER", "-out", "own.der"], folder)
    certificate = x509.Certificate.load((folder / "own.der").read_bytes())
    digest = algos.DigestAlgorithm({"algorithm": SM3})
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.IssuerAndSerialNumber(
                {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
            ),
            "digest_algorithm": digest,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3}),
            "signature": bytes(range(64)),
        }
    )
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def raw(objects: Sequence[str | bytes], more: str = "") -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is the catalog."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        body = each.encode() if isinstance(each, str) else each
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    out += b"".join(b"%010d 00000 n \n" % each for each in places)
    out += f"trailer\n<</Size {len(places) + 1}/Root 1 0 R{more}>>\nstartxref\n{table}\n".encode()
    return bytes(out + b"%%EOF\n")


_PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"


def form(*fields: str, size: str = "") -> bytes:
    """Return a PDF whose form has these fields, as objects from 5 on."""
    listed = " ".join(f"{number} 0 R" for number in range(5, 5 + len(fields)))
    return raw(
        [
            f"<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[{listed}]>>>>",
            "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            _PAGE,
            "null",
            *fields,
        ],
        size,
    )


HOSTILE: dict[str, Any] = {
    "kids_of_itself": form("<</FT/Sig/T(a)/Kids[5 0 R]/V<</ByteRange[0 1 2 3]/Contents<00>>>>>"),
    "value_is_itself": form("<</FT/Sig/T(a)/V 5 0 R/ByteRange[0 1 2 3]>>"),
    "absurd_range": form(
        "<</FT/Sig/T(a)/V<</Type/Sig/ByteRange[0 99999999999999 -5 999999999999]/Contents<3080>>>>>"
    ),
    "endless_range": form(
        f"<</FT/Sig/T(a)/V<</ByteRange[{'0 1 ' * 60_000}]/Contents<{'30' * 1000}>>>>>"
    ),
    "huge_contents": form(
        f"<</FT/Sig/T(a)/V<</ByteRange[0 10 20 30]/Contents<{'30840fffffff' * 200_000}>>>>>"
    ),
    "deep_der": form(f"<</FT/Sig/T(a)/V<</ByteRange[0 10 20 30]/Contents<{'3080' * 100_000}>>>>>"),
    "deep_array": form(
        f"<</FT/Sig/T(a)/V<</ByteRange{'[' * 50_000}{']' * 50_000}/Contents<00>>>>>"
    ),
    "table_of_itself": form("<</FT/Sig/T(a)/V<</ByteRange[0 1 2 3]>>>>", size="/Prev 9"),
    "many_fields": form(
        *(f"<</FT/Sig/T(f{n})/V<</ByteRange[0 1 2 3]/Contents<3003020101>>>>>" for n in range(300))
    ),
}
"""Documents that would have a verifier hang, grow or fall."""
