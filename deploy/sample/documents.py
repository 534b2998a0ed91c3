"""The single documents of the sample bundles, each as bytes; equal calls give equal bytes."""

from __future__ import annotations

import datetime
import io
import re
import time
import zipfile
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP

import docx
import openpyxl
from docx.shared import Pt
from openpyxl.styles import Font, PatternFill
from PIL import Image
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from deploy.sample import story
from deploy.sample.imaging import as_photo, as_scan
from deploy.sample.sheet import DPI, HEI, SIZE, SONG, Sheet, seal

# As in all that is printed here: the setting is one for a whole process.
rl_config.useA85 = 0

MADE = datetime.datetime(2026, 11, 18, 14, 20)
_STAMP = MADE.timetuple()[:6]
_DATES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Return an image as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, dpi=(DPI, DPI))
    return buffer.getvalue()


def scanned_pdf(pages: Sequence[Image.Image], quality: int) -> bytes:
    """Return a PDF of images alone, as an office scanner writes it."""
    buffer = io.BytesIO()
    pages[0].save(
        buffer,
        "PDF",
        save_all=True,
        append_images=list(pages[1:]),
        resolution=DPI,
        quality=quality,
        creationDate=time.struct_time((*_STAMP, 2, 322, 0)),
        modDate=time.struct_time((*_STAMP, 2, 322, 0)),
        producer="Office scanner",
    )
    return buffer.getvalue()


def contract() -> bytes:
    """Return the supply contract, scanned: two pages with seals and signatures."""
    pages = [typeset(page) for page in story.CONTRACT_PAGES]
    last = pages[1]
    foot = last.y
    last.sign("韩冬", (385, foot - 215), 5)
    last.sign("沈静怡", (1030, foot - 215), 6)
    last.stamp(seal(story.HOLDER, "合同专用章"), (640, foot - 150))
    last.stamp(seal(story.CUSTOMER, "合同专用章"), (1290, foot - 165))
    for number, page in enumerate(pages, 1):
        page.y = 2160
        page.line(f"　　　　　　　　　　　　　　第 {number} 页　共 2 页", 10)
    return scanned_pdf([as_scan(page.image, 40 + n) for n, page in enumerate(pages)], 38)


def statement() -> bytes:
    """Return the record of questioning on paper, scanned: one signed page."""
    page = typeset(story.STATEMENT)
    page.gap(60)
    page.line("被询问人签名：　　　　　　　　　　　2026 年 11 月 19 日")
    page.sign(story.ENGINEER, (520, page.y - 105), 9)
    return scanned_pdf([as_scan(page.image, 51)], 38)


def process_card() -> bytes:
    """Return the process card as photographed on a desk."""
    sheet = Sheet(margin=150, leading=2, image=Image.new("RGB", SIZE, "white"))
    sheet.title("真空钎焊工艺卡片", 26)
    sheet.line("卡片编号：LY-GK-0480-03　　产品型号：LY-CP-480", 15)
    sheet.line(f"编制单位：{story.HOLDER}研发中心", 15)
    sheet.gap(30)
    sheet.table(story.CARD_ROWS, [160, 460, 480, 260], 15, 2.7)
    sheet.gap(20)
    foot = sheet.y
    sheet.line(f"编制：{story.ENGINEER}　　审核：韩冬　　批准：苏敏", 15)
    sheet.line("密级：商业秘密　　未经批准不得复制", 15, HEI)
    sheet.stamp(seal(story.HOLDER, "受控文件", 350), (1270, foot + 60))
    return jpeg(as_photo(sheet.image, 61), 62)


def typeset(parts: Sequence[tuple[object, ...]]) -> Sheet:
    """Set a page from its parts: title, line, right, head, text, table, pair, gap."""
    sheet = Sheet()
    for kind, *words in parts:
        if kind == "table":
            sheet.table([list(row) for row in words], [270, 230, 230, 230, 270])  # type: ignore[call-overload]
        elif kind == "pair":
            top = sheet.y
            sheet.line(str(words[0]), 11)
            sheet.y = top
            sheet.margin += 640
            sheet.line(str(words[1]), 11)
            sheet.margin -= 640
            sheet.gap(40)
        else:
            _set_text(sheet, str(kind), str(words[0]))
    return sheet


def _set_text(sheet: Sheet, kind: str, words: str) -> None:
    match kind:
        case "title":
            sheet.title(words)
        case "head":
            sheet.line(words, 12, HEI)
        case "right":
            sheet.line(words, right=True)
        case "text":
            sheet.paragraph(words)
        case "gap":
            sheet.gap(int(words))
        case _:
            sheet.line(words)


def text_pdf(parts: Sequence[tuple[str, str, str]], title: str) -> bytes:
    """Return a PDF with a text layer, each part in Chinese with English below it."""
    for name, path in (("SampleSong", SONG), ("SampleHei", HEI)):
        pdfmetrics.registerFont(TTFont(name, str(path)))
    heading = ParagraphStyle("h", fontName="SampleHei", fontSize=16, leading=24, alignment=1)
    chinese = ParagraphStyle("zh", fontName="SampleSong", fontSize=11, leading=18, wordWrap="CJK")
    english = ParagraphStyle("en", fontName="Times-Roman", fontSize=10.5, leading=14, spaceAfter=9)
    flow: list[Flowable] = []
    for kind, first, second in parts:
        flow.append(Paragraph(first, heading if kind == "h" else chinese))
        if second:
            # A second line of a heading may be Chinese; Times has no Han characters.
            style = english if second.isascii() else chinese
            flow.append(Paragraph(second, style))
        flow.append(Spacer(1, 3 * mm))
    buffer = io.BytesIO()
    SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=25 * mm,
        rightMargin=25 * mm,
        title=title,
        author=story.HOLDER,
        invariant=1,
    ).build(flow)
    return buffer.getvalue()


def workbook(sheets: Sequence[tuple[str, Sequence[Sequence[object]]]]) -> bytes:
    """Return a spreadsheet; the first row of each sheet is its heading."""
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for cell in sheet[1]:
            cell.font = Font(bold=True)
            cell.fill = PatternFill("solid", fgColor="DDE6EE")
        for column in sheet.columns:
            width = max(len(str(cell.value or "")) for cell in column)
            sheet.column_dimensions[column[0].column_letter].width = min(44, 6 + width * 1.6)
    buffer = io.BytesIO()
    book.save(buffer)
    return repacked(buffer.getvalue())


def customer_list() -> bytes:
    """Return the customer list."""
    head = (
        "客户编号",
        "客户名称",
        "联系人",
        "采购型号",
        "2025 年成交额（元）",
        "交易习惯和特殊需求",
    )
    remarks = [
        ("说明",),
        ("本客户名单为商业秘密，仅限销售部使用。",),
        ("最近更新：2026-02-28 苏敏",),
    ]
    return workbook((("客户名单", (head, *story.CUSTOMERS)), ("说明", remarks)))


def rival_output() -> bytes:
    """Return the other side's record of production and sales."""
    head = ("月份", "型号", "数量（件）", "单价（元）", "客户")
    return workbook((("生产销售台账", (head, *story.RIVAL_OUTPUT)),))


def process_note() -> bytes:
    """Return the technical description."""
    document = docx.Document()
    document.styles["Normal"].font.size = Pt(11)
    document.add_heading("冷却板真空钎焊工艺说明", 0)
    document.sections[0].header.paragraphs[0].text = f"{story.HOLDER}　商业秘密　LY-JS-021"
    for heading, text in story.PROCESS_NOTE:
        document.add_heading(heading, 1)
        document.add_paragraph(text)
    document.add_heading("六、工艺参数", 1)
    table = document.add_table(rows=0, cols=4)
    table.style = "Table Grid"
    for row in story.CARD_ROWS:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.core_properties.author = "韩冬"
    document.core_properties.title = "冷却板真空钎焊工艺说明"
    buffer = io.BytesIO()
    document.save(buffer)
    return repacked(buffer.getvalue())


def mail() -> bytes:
    """Return an e-mail in GB2312 with the quotation attached under a Chinese name."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "韩冬 <han.dong@lanyu.example>"
    message["To"] = "沈静怡 <shen.jingyi@boyuan.example>"
    message["Subject"] = "液冷板报价单（LY-CP-480、LY-CP-620）"
    message["Date"] = "Tue, 08 Sep 2026 09:42:17 +0800"
    message["Message-ID"] = "<20260908094217.4471@lanyu.example>"
    message.set_content(story.MAIL_BODY, charset="gb2312", cte="base64")
    message.add_attachment(
        story.QUOTATION.encode("gb18030"), maintype="text", subtype="csv", filename="报价单.csv"
    )
    message.set_boundary("=====lanyu-20260908094217=====")
    return message.as_bytes()


def minutes() -> bytes:
    """Return the minutes of a meeting as a GBK text file."""
    return story.MINUTES.replace("\n", "\r\n").encode("gbk")


def design_zip() -> bytes:
    """Return a zip with two files: the furnace's curve and a design note."""
    return zipped(
        {"炉温曲线.csv": story.CURVE.encode(), "设计说明.txt": story.DESIGN_NOTE.encode()}
    )


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip file with fixed times and modes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def repacked(office: bytes) -> bytes:
    """Return an Office file without the time of day at which the library wrote it."""
    with zipfile.ZipFile(io.BytesIO(office)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    core = "docProps/core.xml"
    files[core] = _DATES.sub(rb"\g<1>" + f"{MADE.isoformat()}Z".encode(), files[core])
    return zipped(files)
