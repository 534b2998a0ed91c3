"""The page of a search: every hit with its page image and the places marked on it.

One HTML file that loads nothing and runs nothing. Every text in it came from outside and is
escaped; the images were drawn in the cell from the originals.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator

from portal.pages import as_html
from storage.catalogue.first_pages import Counted
from storage.names import display
from tasks.places import Box
from tasks.searching import Shown

_STYLE = """
body{font:15px/1.6 "Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",sans-serif;
margin:1.5rem auto;max-width:64rem;padding:0 1rem;color:#1b1b1b;background:#fff}
.aid{border:2px solid #8a5a00;background:#fff6e0;padding:.6rem .9rem;font-weight:600}
article{border-top:1px solid #c9c9c9;margin-top:2rem}
h2{font-size:1.05rem;overflow-wrap:anywhere}
.image{position:relative;display:inline-block;border:1px solid #c9c9c9;max-width:100%}
.image img{display:block;max-width:100%}
.box{position:absolute;border:2px solid #c00000;background:rgba(255,214,0,.35);
scroll-margin:30vh}
.box:target{border-width:4px;background:rgba(255,120,0,.45)}
mark{background:#ffe68a}
"""
ORIGINS = {
    "ocr": "光学识别 OCR",
    "text_layer": "文本层 text layer",
    "document": "文档 document",
    "strings": "可打印字符 printable strings",
    "name": "名称 name",
    "metadata": "元数据 metadata",
}
"""Where a text was read from, as people are told."""


def total(counted: Counted) -> str:
    """Return how many hits there are, as people are told."""
    if counted.more:
        return f"至少 {counted.number:,} 处 at least {counted.number:,} hits"
    return f"共 {counted.number:,} 处 hit{'s' * (counted.number != 1)}"


def page(
    query: str, hits: Iterable[tuple[Shown, bytes]], *, counted: Counted, more: bool
) -> Iterator[str]:
    """Yield the page as pieces of HTML; each hit comes with its page as JPEG, or without."""
    yield (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>检索 Search: {as_html(query)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>检索 Search: {as_html(query)}</h1>\n"
        '<p class="aid">识读文本仅供检索，不是证据；以原件为准。<br><span lang="en">'
        "What was read serves search and is no evidence; the original counts.</span></p>\n"
        f'<p class="total">{total(counted)}</p>\n'
    )
    for number, (shown, image) in enumerate(hits, 1):
        yield from _hit(number, shown, image)
    if more:
        yield "<p>另有更多，未列出。 There are more, not listed here.</p>\n"
    yield "</body></html>\n"


def _hit(number: int, shown: Shown, image: bytes) -> Iterator[str]:
    hit = shown.hit
    item = f"{hit.exhibit_id}/{hit.part}" if hit.part else hit.exhibit_id
    place = f" · 第 {hit.page} 页 page {hit.page}" if hit.page else ""
    label = f" · {as_html(display(hit.label))}" if hit.label else ""
    origin = ORIGINS.get(hit.origin, hit.origin)
    yield (
        f'<article id="h{number}"><h2>{number}. {as_html(display(item))}{place}{label} · '
        f"{as_html(origin)}</h2>\n<p>{_marked(hit.snippet)}</p>\n"
    )
    if image:
        links = " ".join(
            f'<a href="#h{number}-{box}">[{box}]</a>' for box in range(1, len(shown.boxes) + 1)
        )
        data = b64encode(image).decode("ascii")
        alt = f"第 {hit.page} 页图像 image of page {hit.page}"
        yield f"<p>位置 places: {links}</p>\n"
        yield f'<div class="image"><img alt="{alt}" src="data:image/jpeg;base64,{data}">'
        for box, at in enumerate(shown.boxes, 1):
            yield _box(f"h{number}-{box}", at, shown)
        yield "</div>\n"
    elif shown.boxes:
        yield "<p>页面图像无法生成。 The image of the page could not be drawn.</p>\n"
    yield "</article>\n"


def _box(name: str, box: Box, shown: Shown) -> str:
    """Return a place on the image, in hundredths of its width and height."""
    left, width = (100 * each / max(1, shown.width) for each in (box.x, box.width))
    top, height = (100 * each / max(1, shown.height) for each in (box.y, box.height))
    style = f"left:{left:.3f}%;top:{top:.3f}%;width:{width:.3f}%;height:{height:.3f}%"
    return f'<div class="box" id="{name}" style="{style}"></div>'


def _marked(snippet: str) -> str:
    """Return a snippet with what was found between its marks."""
    before, found, rest = snippet.partition("【")
    inside, closed, after = rest.partition("】")
    if not (found and closed):
        return as_html(snippet)
    return f"{as_html(before)}<mark>{as_html(inside)}</mark>{as_html(after)}"
