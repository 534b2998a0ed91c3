"""Mail through the real cell: headers, charsets, attachments, mail in mail."""

from __future__ import annotations

from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Read

KIND = "application/octet-stream"


def test_headers_bodies_and_attachments(inspect: Read) -> None:
    data = samples.mail([("合同.pdf", "application/pdf", samples.pdf([samples.TEXT]))])
    seen = inspect("a.eml", data)
    assert seen.media_type == "message/rfc822"
    assert seen.metadata["Subject"] == "报价单"
    assert [page.text.strip() for page in seen.pages[1:]] == [
        "附件是客户名单。",
        "附件是客户名单。",
        samples.TEXT,
    ]
    assert "合同.pdf" in seen.pages[3].label
    assert seen.pages[3].inside == (2,)
    assert seen.state == "read"


def test_pictures_in_mail_are_read_by_ocr(read: Read) -> None:
    picture = samples.image_bytes(samples.page_image(samples.CONTRACT[:2], height=400))
    zipped = samples.archive({"照片/1.png": picture})
    seen = read("a.eml", samples.mail([("照片.zip", "application/zip", zipped)]))
    assert "交付货物" in seen.pages[-1].text
    assert seen.pages[-1].inside == (2, 0)


def test_gb2312_means_gb18030_and_raw_names_are_read(inspect: Read) -> None:
    seen = inspect("a.eml", samples.gbk_mail())
    assert "镕基先生" in seen.text
    assert "客户名单.txt" in seen.pages[-1].label
    assert "张三" in seen.pages[-1].text


def test_mail_in_mail_down_to_the_limit(inspect: Read) -> None:
    from email import message_from_bytes
    from email.message import EmailMessage

    inner: bytes = samples.mail([])
    for level in range(5):
        outer = EmailMessage()
        outer["From"], outer["To"], outer["Subject"] = "a@b.c", "d@e.f", f"level {level}"
        outer.set_content(f"body {level}")
        outer.add_attachment(message_from_bytes(inner))  # type: ignore[arg-type]
        inner = outer.as_bytes()
    seen = inspect("a.eml", inner)
    assert "body 4" in seen.text
    assert "body 1" in seen.text
    assert seen.state == "partly_read"
    assert any("too_deep" in page.flags for page in seen.pages)


def test_mail_without_end_or_sense(inspect: Read) -> None:
    head = b"From: a@b.c\nTo: d@e.f\nMessage-ID: <1>\nContent-Type: multipart/mixed; boundary=X\n\n"
    seen = inspect(
        "a.eml", head + b"--X\n\nfirst\n--X\nContent-Type: text/plain; charset=nonsense\n\n\xff\xfe"
    )
    assert "first" in seen.text
