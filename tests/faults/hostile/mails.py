"""Mail as evidence: eml, mbox, Outlook's msg and winmail.dat, each an exhibit in a folder."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from tests.faults.hostile.case import TEXT, Case, Entry, Expected, accept, flags, of_exhibit
from tests.faults.hostile.ole_bytes import MAGIC, as_inner, compound, message, tnef, tnef_attribute
from tests.faults.hostile.shared import DAMAGED, NOISE
from tests.faults.hostile.zip_bytes import Zip, zip_of

HEAD = (
    b"From: zhang@example.com\r\nTo: li@example.com\r\nSubject: quote\r\n"
    b"Date: Mon, 05 Jan 2026 10:00:00 +0800\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n"
)
_DOUBT = "^(part|expanded|flag|read) .*"


def part(name: bytes, data: bytes, kind: bytes = b"application/octet-stream") -> bytes:
    """Return the MIME part of an attachment."""
    return (
        b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="' + name + b'"\r\n\r\n'
        + base64.encodebytes(data) + b"\r\n"
    )  # fmt: skip


def mixed(*parts: bytes, boundary: bytes = b"X") -> bytes:
    """Return a mail with a text and these parts."""
    text = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + TEXT + b"\r\n"
    line = b"--" + boundary
    body = b"".join(line + b"\r\n" + each for each in (text, *parts))
    kind = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
    return HEAD + kind + body + line + b"--\r\n"


def forwarded(depth: int) -> bytes:
    """Return a mail in a mail in a mail."""
    made = mixed()
    for _ in range(depth):
        made = mixed(
            b"Content-Type: message/rfc822\r\n\r\n" + made + b"\r\n", boundary=b"B%d" % len(made)
        )
    return made


def cases() -> Iterator[Case]:
    """Yield every mail."""
    for name, data, expected in (*_eml(), *_odd_eml()):
        yield of_exhibit(f"eml-{name}", "mail.eml", lambda data=data: data, expected)  # type: ignore[misc]
    for name, data, expected in _mbox():
        yield of_exhibit(f"mbox-{name}", "box.mbox", lambda data=data: data, expected)  # type: ignore[misc]
    for name, data, expected in _msg():
        yield of_exhibit(f"msg-{name}", "mail.msg", lambda data=data: data, expected)  # type: ignore[misc]
    for name, data, expected in _tnef():
        yield of_exhibit(f"tnef-{name}", "winmail.dat", lambda data=data: data, expected)  # type: ignore[misc]


def _eml() -> Iterator[tuple[str, bytes, Expected]]:
    evil = zip_of([Entry(b"../outside/new.txt", TEXT)])
    locked = Zip().add(b"b.txt", TEXT, flags=1, stored=b"\x99" * 40).bytes()
    yield "plain", HEAD + b"\r\n" + TEXT, accept()
    yield "attachment", mixed(part(b"b.txt", TEXT)), accept("^expanded")
    yield "attachment-name-parent", mixed(part(b"../../outside/new.txt", TEXT)), accept("^expanded")
    yield "attachment-name-absolute", mixed(part(b"/etc/passwd", TEXT)), accept("^expanded")
    yield "attachment-name-none", mixed(part(b"", TEXT)), accept("^expanded")
    yield "attachment-name-gbk", mixed(part("客户.txt".encode("gbk"), TEXT)), accept("^expanded")
    yield (
        "attachment-twice",
        mixed(part(b"b.txt", b"one"), part(b"b.txt", b"two")),
        accept("^expanded"),
    )
    yield "attachment-evil-zip", mixed(part(b"a.zip", evil)), flags("parent")
    yield "attachment-locked-zip", mixed(part(b"a.zip", locked)), flags("encrypted")
    yield "attachment-empty", mixed(part(b"b.txt", b"")), flags("empty")
    yield (
        "attachment-tnef",
        mixed(part(b"winmail.dat", tnef([(b"b.txt", TEXT)]), b"application/ms-tnef")),
        accept("^expanded"),
    )
    yield "forwarded", forwarded(2), accept("^expanded")
    yield "forwarded-too-deep", forwarded(12), flags("too_deep|depth|part_not_read")


def _odd_eml() -> Iterator[tuple[str, bytes, Expected]]:
    head = HEAD + b'Content-Type: multipart/mixed; boundary="X"\r\n\r\n'
    yield "no-end-boundary", mixed(part(b"b.txt", TEXT))[:-7], flags(_DOUBT)
    yield "boundary-missing", HEAD + b"Content-Type: multipart/mixed\r\n\r\nno parts", flags(_DOUBT)
    yield (
        "base64-garbage",
        mixed(part(b"b.txt", TEXT).replace(b"\r\n\r\n", b"\r\n\r\n@@@!", 1)),
        flags(_DOUBT),
    )
    yield (
        "charset-unknown",
        HEAD + b"Content-Type: text/plain; charset=klingon\r\n\r\n" + TEXT,
        accept("^expanded"),
    )
    yield "cut", mixed(part(b"b.bin", NOISE))[:2000], flags(_DOUBT)
    yield (
        "headers-endless",
        HEAD + b"X-Long: " + b"a" * 300_000 + b"\r\n\r\n" + TEXT,
        accept("^expanded"),
    )
    yield "header-bytes", HEAD + b"X-Odd: \xff\xfe\x00\x1b[2J\r\n\r\n" + TEXT, accept("^expanded")
    many = b"".join(b"--X\r\n" + part(b"%d.txt" % at, b"x") for at in range(80))
    yield "parts-too-many", head + many + b"--X--\r\n", flags("entries|limit|part_not_read")
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="N%d"\r\n\r\n--N%d\r\n' % (at, at)
        for at in range(400)
    )
    yield "multipart-nested", HEAD + nested + b"Content-Type: text/plain\r\n\r\nx", flags(_DOUBT)


def _mbox() -> Iterator[tuple[str, bytes, Expected]]:
    line = b"From zhang@example.com Mon Jan  5 10:00:00 2026\n"
    one = mixed(part(b"b.txt", TEXT)).replace(b"\r\n", b"\n")
    plain = (HEAD + b"\n" + TEXT).replace(b"\r\n", b"\n")
    yield "two", line + one + b"\n" + line + one, accept("^expanded")
    yield "quoted-from", line + plain + b"\n>From the start\n\n" + line + one, accept("^expanded")
    yield "cut", (line + one + b"\n") * 2 + line + one[:200], flags(_DOUBT)
    yield "empty-message", line + b"\n\n" + line + one, flags(_DOUBT)
    yield (
        "too-many",
        (line + HEAD.replace(b"\r\n", b"\n") + b"\nx\n\n") * 70,
        flags("entries|limit|part_not_read"),
    )


def _msg() -> Iterator[tuple[str, bytes, Expected]]:
    good = compound(message(attachments=[("客户.txt", TEXT), ("大.bin", NOISE)]))
    inner = as_inner(message(subject="内层", attachments=[("b.txt", TEXT)]))
    yield (
        "attachments",
        compound(message(attachments=[("客户.txt", TEXT), ("b.txt", TEXT * 2)])),
        accept("^expanded"),
    )
    yield "forwarded", compound(message(inner=inner)), accept("^expanded")
    yield (
        "attachment-name-parent",
        compound(message(attachments=[("..\\..\\outside\\new.txt", TEXT)])),
        accept("^expanded"),
    )
    yield (
        "attachment-zip",
        compound(message(attachments=[("a.zip", zip_of([Entry(b"/tmp/hostile-new.txt", TEXT)]))])),
        flags("absolute"),
    )
    yield "cut", good[: len(good) // 2], flags(_DOUBT + DAMAGED)
    yield "header-only", MAGIC + bytes(504), flags(_DOUBT)
    yield "fat-loop", _fat_loop(good), flags(_DOUBT)
    yield "directory-loop", _directory_loop(good), flags(_DOUBT)


def _fat_loop(data: bytes) -> bytes:
    """Return a compound file whose every sector is followed by the first."""
    return data[:-512] + bytes(508) + data[-4:]


def _directory_loop(data: bytes) -> bytes:
    """Return a compound file whose root has itself as its child."""
    at = 512 * (1 + int.from_bytes(data[48:52], "little")) + 76
    return data[:at] + bytes(4) + data[at + 4 :]


def _tnef() -> Iterator[tuple[str, bytes, Expected]]:
    good = tnef([("客户.txt".encode("gbk"), TEXT), (b"b.txt", TEXT * 2)])
    huge = tnef_attribute(2, 0x0006800F, TEXT, length=0x7FFFFFFF)
    yield "attachments", good, accept("^expanded")
    yield "attachment-name-parent", tnef([(b"..\\..\\new.txt", TEXT)]), accept("^expanded")
    yield "cut", good[:-40], flags(_DOUBT)
    yield "checksum-wrong", tnef([(b"b.txt", TEXT)], spoil=True), flags(_DOUBT)
    yield "length-huge", good + huge, flags(_DOUBT)
