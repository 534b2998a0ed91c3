"""Real documents, made here: every format by a writer that is not our reader."""

from __future__ import annotations

import io
import struct
import zipfile
from email.message import EmailMessage

import docx
import openpyxl
import pptx
import pypdf
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT = "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"
TEXT = "客户名单属于商业秘密"
CONTRACT = [
    "甲方应当按照本合同约定的时间和地点交付货物",
    "乙方收到货物后应当在七个工作日内完成验收",
    "双方对在履行合同过程中知悉的商业秘密负有保密义务",
    "未经对方书面同意不得向第三方披露技术资料和客户名单",
    "因本合同发生的争议由双方协商解决",
]


def page_image(
    lines: list[str], size: int = 48, width: int = 1654, height: int = 900
) -> Image.Image:
    image = Image.new("L", (width, height), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(FONT, size)
    for number, line in enumerate(lines):
        draw.text((100, 80 + number * size * 2), line, font=font, fill=0)
    return image


def image_bytes(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format=form, **options)
    return out.getvalue()


def pdf(pages: list[str], **options: object) -> bytes:
    """Return a PDF with an embedded Chinese font, one string a page, lines parted by newlines."""
    if "zenhei" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("zenhei", FONT, subfontIndex=0))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, **options)
    canvas.setTitle("合同 contract")
    for text in pages:
        canvas.setFont("zenhei", 14)
        for number, line in enumerate(text.split("\n")):
            canvas.drawString(72, 760 - 24 * number, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def scanned_pdf(images: list[Image.Image]) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    for image in images:
        canvas.drawImage(ImageReader(image), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def locked_pdf(user: str, owner: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf([TEXT])))
    writer.encrypt(user, owner, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_attachment(name: str, data: bytes) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf([TEXT])))
    writer.add_attachment(name, data)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.core_properties.author = "张三"
    document.add_paragraph(TEXT)
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["姓名", "电话", "李四", "13800000000"], strict=True):
        cell.text = text
    document.sections[0].header.paragraphs[0].text = "机密 confidential"
    document.sections[0].footer.paragraphs[0].text = "第一页"
    document.add_comment(document.paragraphs[0].runs, text="此处需核对", author="王五")
    document.add_picture(io.BytesIO(image_bytes(page_image(CONTRACT[:2], height=400))))
    return _saved(document)


def sheet() -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    first.title = "客户"
    for row in (
        ["姓名", "金额", "日期"],
        ["赵六", 1200.0, "2026-01-05"],
        ["合计", "=SUM(B2:B2)", None],
    ):
        first.append(row)
    hidden = book.create_sheet("隐藏")
    hidden.sheet_state = "hidden"
    hidden["A1"] = "秘密价格"
    return _saved(book)


def slides() -> bytes:
    show = pptx.Presentation()
    for title, note in (("工艺流程", "讲稿一"), ("配方", "讲稿二")):
        slide = show.slides.add_slide(show.slide_layouts[5])
        slide.shapes.title.text = title
        slide.notes_slide.notes_text_frame.text = note
    return _saved(show)


def mail(attachments: list[tuple[str, str, bytes]]) -> bytes:
    message = EmailMessage()
    message["From"] = "zhang@example.com"
    message["To"] = "li@example.com"
    message["Subject"] = "报价单"
    message["Date"] = "Mon, 05 Jan 2026 10:00:00 +0800"
    message["Message-ID"] = "<1@example.com>"
    message.set_content("附件是客户名单。")
    message.add_alternative("<p>附件是<b>客户名单</b>。</p>", subtype="html")
    for name, kind, data in attachments:
        main, _, sub = kind.partition("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def gbk_mail() -> bytes:
    """Return a mail as old Windows programs write it: gb2312 said, GBK meant, raw file name."""
    body = "镕基先生：报价见附件".encode("gbk")
    name = "客户名单.txt".encode("gbk")
    return (
        b"From: a@example.com\r\nTo: b@example.com\r\nSubject: =?gb2312?B?0+vEz8bAvNs=?=\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=X\r\n\r\n"
        b"--X\r\nContent-Type: text/plain; charset=gb2312\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n" + body + b"\r\n"
        b'--X\r\nContent-Type: application/octet-stream; name="' + name + b'"\r\n'
        b'Content-Disposition: attachment; filename="' + name + b'"\r\n\r\n'
        + "张三".encode("gbk") * 10 + b"\r\n--X--\r\n"
    )  # fmt: skip


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as zipped:
        for name, data in members.items():
            zipped.writestr(name, data)
    return out.getvalue()


class RawZip:
    """Writes archives byte by byte, so that they can lie."""

    def __init__(self) -> None:
        self.local = bytearray()
        self.central = bytearray()
        self.count = 0

    def entry(
        self,
        name: bytes,
        data: bytes,
        *,
        size: int | None = None,
        crc: int | None = None,
        flags: int = 0,
        mode: int = 0,
        method: int = 0,
        local_name: bytes | None = None,
        at: int | None = None,
    ) -> RawZip:
        import zlib

        size = len(data) if size is None else size
        crc = zlib.crc32(data) if crc is None else crc
        place = len(self.local) if at is None else at
        shown = name if local_name is None else local_name
        common = struct.pack("<HHHHIII", flags, method, 0, 33, crc, len(data), size)
        if at is None:
            lengths = struct.pack("<HH", len(shown), 0)
            self.local += b"PK\x03\x04" + struct.pack("<H", 20) + common + lengths + shown + data
        self.central += b"PK\x01\x02" + struct.pack("<HH", 3 << 8 | 20, 20) + common
        self.central += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, mode << 16, place) + name
        self.count += 1
        return self

    def bytes(self, *, before: bytes = b"", after: bytes = b"") -> bytes:
        end = struct.pack(
            "<HHHHIIH", 0, 0, self.count, self.count, len(self.central), len(self.local), 0
        )
        return before + bytes(self.local) + bytes(self.central) + b"PK\x05\x06" + end + after


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()
