"""An opinion as somebody types it into the form, and its document."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.browser.world import number

TEXTS = {
    "opinion_no": "申江司鉴〔2026〕知鉴字第9号",
    "issued_at": "2026-03-10",
    "appraiser-0-name": "陈工",
    "appraiser-0-licence_no": "310012001",
    "appraiser-1-name": "何工",
    "appraiser-1-licence_no": "310012002",
    "basis": "司法鉴定程序通则",
    "standards": "SF/T 0105",
    "methods": "检索比对",
    "process": "查新检索三个数据库并逐项比对。",
    "opinion_text": "密点所载信息在基准日不为相关人员普遍知悉和容易获得。",
    "annexes": "检索报告\n机构许可证",
}
TICKS = (
    "appraiser-0-signed",
    "appraiser-1-signed",
    "seal",
    "qualification_annex",
    "undertaking",
)


def opinion_pdf(folder: Path, size: int = 0) -> Path:
    """Write a small signed opinion; ``size`` fills it up to so many bytes."""
    path = folder / "opinion.pdf"
    head = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    head += b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n"
    with path.open("wb") as file:
        file.write(head)
        step = b"% filled up to a size that goes piece by piece\n" * 20_000
        while file.tell() + 6 < size:
            file.write(step[: size - file.tell() - 6])
        file.write(b"%%EOF\n")
    return path


def fill_opinion(page: Page, index: int, digest: str, document: Path) -> None:
    """Fill the form in, as the opinion says."""
    for name, text in TEXTS.items():
        page.locator(f"[name='{name}']").fill(text)
    page.locator("[name=package_digest_stated]").fill(digest)
    page.locator("[name=commission_no]").fill(number(index))
    for name in TICKS:
        page.locator(f"[name='{name}']").check()
    for box in page.locator("[name=materials_listed]").all():
        box.check()
    page.locator("[name=document]").set_input_files(document)
