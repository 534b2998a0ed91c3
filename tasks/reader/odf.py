"""OpenDocument files: text, spreadsheet and presentation, with what they do not show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tasks.reader.claims import PICTURE_SUFFIX
from tasks.reader.odftext import OdfWalker
from tasks.reader.ooxml import XML_FAULTS, Package
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.xmltext import attribute, local, tree

_PICTURE = re.compile(rf"Pictures/[^/]+{PICTURE_SUFFIX}", re.IGNORECASE)
_OBJECT = re.compile(r"Object \d+/content\.xml$")
_SAID = {
    "comments": ("批注 comments", ""),
    "notes": ("脚注和尾注 notes", ""),
    "speaker": ("备注 notes", ""),
    "deleted": ("已删除 deleted", "deleted_text"),
    "inserted": ("已插入 inserted", "inserted_text"),
    "hidden": ("隐藏文字 hidden text", "hidden_text"),
    "formulas": ("公式 formulas", ""),
}


def read_odf(source: Source, context: Context) -> Reading:
    """Read an OpenDocument file by its parts; an encrypted one is told by its manifest."""
    reading = Reading()
    try:
        package = Package(source)
        if b"encryption-data" in _manifest(package):
            reading.state = "encrypted"
            return reading
        root = tree(package.data("content.xml"))
    except XML_FAULTS:
        reading.state = "damaged"
        return reading
    hidden = frozenset({*_hidden(root), *_hidden(package.tree("styles.xml"))})
    for body, label in _bodies(root):
        _page(body, label, hidden, reading, context)
    _heads(package, hidden, reading, context)
    for name in sorted(name for name in package.named if _OBJECT.match(name)):
        if (inner := package.tree(name)) is not None:
            _page(inner, f"嵌入对象 object: {name.partition('/')[0]}", hidden, reading, context)
    for member in package.members:
        if _PICTURE.match(member.name):
            package.add_part(member, reading, context)
    _properties(package, reading)
    return reading


def _manifest(package: Package) -> bytes:
    name = "META-INF/manifest.xml"
    return package.data(name, 16 << 20) if name in package.named else b""


def _bodies(root: Element) -> Iterator[tuple[Element, str]]:
    """Yield what is one page each: the text, every sheet, every slide."""
    for body in root:
        for kind in body if local(body) == "body" else ():
            name = local(kind)
            if name == "spreadsheet":
                for table in kind:
                    if local(table) == "table":
                        yield table, attribute(table, "name")
            elif name in ("presentation", "drawing"):
                pages = [page for page in kind if local(page) == "page"]
                for number, page in enumerate(pages, 1):
                    yield page, f"幻灯片 slide {number}"
            else:
                yield kind, "正文 body"


def _page(
    body: Element, label: str, hidden: frozenset[str], reading: Reading, context: Context
) -> None:
    walker = OdfWalker(hidden)
    text = walker.walk(body)
    flags = []
    if local(body) in ("table", "page") and attribute(body, "style-name") in hidden:
        flags.append("hidden_sheet" if local(body) == "table" else "hidden_slide")
        reading.flag("hidden_slides" if local(body) == "page" else "hidden_sheets")
    if walker.hidden_rows:
        flags.append("hidden_rows")
    if text or flags:
        context.page(reading, text, label=label, flags=tuple(flags))
    if walker.hidden_rows:
        said = f"{label}: 隐藏的行 hidden rows"
        context.page(reading, "\n".join(walker.hidden_rows), label=said, flags=("hidden_cells",))
    for kind, lines in walker.beside.items():
        said, flag = _SAID[kind]
        if lines:
            flags_ = (flag,) if flag else ()
            context.page(reading, "\n".join(lines), label=f"{label}: {said}", flags=flags_)
    for kind, flag in (
        ("deleted", "tracked_changes"),
        ("inserted", "tracked_changes"),
        ("hidden", "hidden_text"),
        ("formulas", "formulas"),
    ):
        if walker.beside[kind]:
            reading.flag(flag)


def _heads(package: Package, hidden: frozenset[str], reading: Reading, context: Context) -> None:
    root = package.tree("styles.xml")
    for group in root if root is not None else ():
        if local(group) == "master-styles" and (text := OdfWalker(hidden).walk(group)):
            context.page(reading, text, label="页眉页脚 headers and footers")


def _hidden(root: Element | None) -> Iterator[str]:
    """Yield the styles that do not show what they are set on: words, sheets and slides."""
    for style in root.iter() if root is not None else ():
        if local(style) == "style":
            for properties in style:
                display = attribute(properties, "display")
                if display in ("none", "false") or attribute(properties, "visibility") == "hidden":
                    yield attribute(style, "name")


def _properties(package: Package, reading: Reading) -> None:
    root = package.tree("meta.xml", 4 << 20)
    for element in root.iter() if root is not None else ():
        name = local(element)
        if name == "document-statistic":
            for key, value in element.attrib.items():
                reading.note(key.rpartition("}")[2], value)
        elif name == "user-defined":
            reading.note(f"custom_{attribute(element, 'name')}", element.text or "")
        elif not len(element):
            reading.note(name, element.text or "")
    if any(name.startswith(("Basic/", "Scripts/")) for name in package.named):
        reading.flag("macros")
