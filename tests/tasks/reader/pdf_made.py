"""PDF files with a history, made byte by byte or by pypdf and reportlab."""

from __future__ import annotations

import io

import pypdf
from pypdf.generic import NameObject

from tests.tasks.reader import samples


def raw_pdf(objects: list[bytes], trailer: bytes = b"", header: bytes = b"%PDF-1.7\n") -> bytes:
    """Return a plain file of these objects, numbered from 1; the first is the catalogue."""
    out = bytearray(header)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % table


def stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n" % (len(data), extra) + data + b"\nendstream"


def one_page(content: bytes, extra: bytes = b"", *more: bytes, catalogue: bytes = b"") -> bytes:
    """Return a file of one page of 200 by 200 points; further objects are numbered from 6."""
    return raw_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R"
            b" /Resources << /Font << /F 5 0 R >> %s >> >>" % extra,
            stream(content),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *more,
        ]
    )


def updated(data: bytes, objects: dict[int, bytes], previous: int, extra: bytes = b"") -> bytes:
    """Return ``data`` with an incremental save of these objects; ``previous`` is its startxref."""
    out = bytearray(data)
    lines = b""
    for number, body in objects.items():
        lines += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(out)
    out += b"xref\n" + lines
    out += b"trailer\n<< /Size 50 /Root 1 0 R /Prev %d %s >>\n" % (previous, extra)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % table


def startxref(data: bytes) -> int:
    return int(data[data.rfind(b"startxref") + 9 :].split()[0])


def say(text: str) -> bytes:
    return b"BT /F 12 Tf 20 150 Td (%s) Tj ET" % text.encode()


def with_history(*texts: str) -> bytes:
    """Return a page whose words were changed by an incremental save for each further text."""
    data = one_page(say(texts[0]))
    for text in texts[1:]:
        data = updated(data, {4: stream(say(text))}, startxref(data))
    return data


def incremental(data: bytes, title: str) -> bytes:
    """Return what pypdf makes of it by an incremental save."""
    writer = pypdf.PdfWriter(io.BytesIO(data), incremental=True)
    writer.add_metadata({NameObject("/Title"): title})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def text_page(count: int = 1) -> bytes:
    return samples.pdf([samples.TEXT] * count)


def linearised() -> bytes:
    """Return a file with the two ends of annex F: the first page's section stands first."""
    first = b"%%PDF-1.4\n1 0 obj\n<< /Linearized 1 /L %010d /O 4 /N 1 >>\nendobj\n"
    part = b"xref\n0 0\ntrailer\n<< /Size 5 /Root 2 0 R /Prev %010d >>\nstartxref\n0\n%%%%EOF\n"
    body = b"2 0 obj\n<< /Type /Catalog >>\nendobj\n"
    # The digits are filled in later, without any change of length.
    main = len(first % 0) + len(part % 0) + len(body)
    rest = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 5 >>\nstartxref\n%d\n%%%%EOF\n"
    rest = rest % len(first % 0)
    return first % (main + len(rest)) + part % main + body + rest
