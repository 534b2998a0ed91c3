"""Mail as containers: attachments byte for byte, mails in mails, mailboxes, Outlook's forms."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reader.job import Refused
from tests.tasks.reader import olefiles, samples, tnef
from tests.tasks.reader.packed import WRITERS, listed, mail, taken

HEAD = b"From: a@b.cn\nTo: c@d.cn\nSubject: x\nMIME-Version: 1.0\n"
MIXED = HEAD + b'Content-Type: multipart/mixed; boundary="B"\n\n'


def part(body: bytes, *headers: bytes, end: bytes = b"\n") -> bytes:
    return b"--B" + end + end.join((*headers, b"", body)) + end


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text("abc名单.", min_size=1, max_size=8), st.binary(max_size=4000), max_size=4
    )
)
def test_attachments_come_out_as_they_went_in(content: dict[str, bytes]) -> None:
    assert list(taken(mail(content))) == list(content.items())


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_a_mail_in_a_mail_keeps_its_very_bytes(end: bytes) -> None:
    inner = end.join(
        [b"subject:   odd  spelling", b"X-Long: a", b"\t b", b"", b"body\xff", b"", b""]
    )
    whole = MIXED + part(inner, b"Content-Type: message/rfc822")
    ((name, data),) = taken(whole + b"--B--\n")
    assert name == "001.eml"
    assert data == inner


def test_bodies_are_no_members_but_named_texts_are() -> None:
    data = MIXED + part(b"hello", b"Content-Type: text/plain")
    data += part(b"<b>", b"Content-Type: text/html")
    data += part(b"list", b'Content-Type: text/plain; name="a.txt"')
    data += part(b"calendar", b"Content-Type: text/calendar")
    assert list(taken(data + b"--B--\n")) == [("a.txt", b"list"), ("002", b"calendar")]
    assert listed(HEAD + b"\njust text\n").members == ()


@pytest.mark.parametrize(
    ("encoding", "body", "content"),
    [
        (b"base64", base64.encodebytes(b"\0\xff" * 500), b"\0\xff" * 500),
        (b"BASE64", b"aGFs\r\n  bG8", b"hallo"),
        (b"base64", b"aGFsbG8=\ntrailing words", b"hallo"),
        (b"quoted-printable", "=E5=90=8D=\n单\n".encode(), "名单\n".encode()),
        (b"7bit", b"as it stands", b"as it stands"),
        (b"unheard-of", b"as it stands", b"as it stands"),
        (b"x-uuencode", b"begin 644 a\n%:&%L;&\\\n`\nend\n", b"hallo"),
    ],
    ids=["base64", "loose", "after_padding", "quoted", "plain", "unknown", "uuencode"],
)
def test_transfer_encodings(encoding: bytes, body: bytes, content: bytes) -> None:
    data = MIXED + part(
        body,
        b"Content-Disposition: attachment; filename=a",
        b"Content-Transfer-Encoding: " + encoding,
    )
    assert dict(taken(data + b"--B--\n")) == {"a": content}


def test_a_large_attachment_over_many_pieces() -> None:
    content = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(60_000))
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = "a@b.cn", "c@d.cn", "<1@b>"
    message.add_attachment(content, "application", "x", filename="large")
    assert dict(taken(message.as_bytes())) == {"large": content}


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (MIXED + part(b"x") + b"--B--\n\n", ()),
        (MIXED + part(b"x"), ("truncated",)),
        (MIXED + part(b"x") + b"--B--\nstill something\n", ("hidden",)),
        (MIXED + b"nothing", ("truncated",)),
    ],
    ids=["whole", "no_end", "epilogue", "no_part"],
)
def test_what_is_wrong_with_a_multipart_is_told(data: bytes, problems: tuple[str, ...]) -> None:
    assert listed(data).problems == problems


def test_a_boundary_inside_a_line_is_none() -> None:
    data = MIXED + part(b"a --B b\n--Bc\nx", b"Content-Disposition: attachment; filename=a")
    assert dict(taken(data + b"--B--\n")) == {"a": b"a --B b\n--Bc\nx"}


def test_levels_without_end_are_left_closed() -> None:
    data, end = HEAD, b""
    for level in range(50):
        data += b"Content-Type: multipart/mixed; boundary=B%d\n\n--B%d\n" % (level, level)
        end = b"\n--B%d--\n" % level + end
    assert "damaged" in listed(data + b"\nx" + end).problems


def test_labels_are_judged_as_labels() -> None:
    found = listed(mail({"../../etc/passwd": b"x"}) + b"")
    assert [m.unsafe for m in found.members] == [("parent",)]
    twice = MIXED + part(b"1", b"Content-Disposition: attachment; filename=image001.png") * 2
    assert [m.unsafe for m in listed(twice + b"--B--\n").members] == [(), ()]


def test_a_mailbox_is_split_at_its_separators_alone() -> None:
    first = HEAD + b"\nFrom here on\n\nFrom what we know\nit is so\n"
    second = samples.mail([("a.pdf", "application/pdf", b"x")])
    box = b"From a@b Mon Jan  1 00:00:00 2026\n" + first + b"\nFrom c@d Tue Jan 2\n" + second
    found = listed(box)
    assert found.format == "mbox"
    assert list(taken(box)) == [("000001.eml", first), ("000002.eml", second)]
    assert dict(taken(second))["a.pdf"] == b"x"


def test_an_outlook_message_gives_its_text_and_messages_in_it() -> None:
    inner = olefiles.message("内部", "秘密的正文", {"x.txt": b"inner"})
    outer = olefiles.message("报价", "见附件", {"大.pdf": b"%PDF" * 3000, "信": inner})
    out = dict(taken(olefiles.ole_file(outer)))
    assert list(out) == ["message.txt", "大.pdf", "信/message.txt", "信/x.txt"]
    assert out["大.pdf"] == b"%PDF" * 3000
    assert out["信/x.txt"] == b"inner"
    text = out["信/message.txt"]
    assert isinstance(text, bytes)
    assert text.decode() == "From: 甲\nSubject: 内部\n\n秘密的正文"


def test_winmail_names_sums_and_ends() -> None:
    whole = tnef.winmail({"目录.txt": b"data"})
    assert list(taken(whole)) == [("message.txt", "见附件".encode()), ("目录.txt", b"data")]
    wide = "很长的名字.docx".encode("utf-16-le") + b"\0\0"
    long = b"\x01\0\0\0\x1f\x00\x07\x37\x01\0\0\0" + len(wide).to_bytes(4, "little") + wide
    data = whole + tnef.attribute(2, 0x9005, 6, long)
    assert [name for name, _ in taken(data)] == ["message.txt", "很长的名字.docx"]
    assert listed(whole[:-1]).problems == ("truncated",)
    assert listed(whole.replace(b"data", b"date")).problems == ("damaged",)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["mail", "msg", "tnef"]), st.data())
def test_damaged_mail_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    whole = bytearray(WRITERS[kind]({"a": b"12345" * 20, "b/c": b"6" * 5000}))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Refused):
        if listed(bytes(whole)).format:
            dict(taken(bytes(whole)))
