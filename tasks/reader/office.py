"""Word and PowerPoint files of 2007 and later: every XML part that holds words, and pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tasks.reader.claims import PICTURE_SUFFIX
from tasks.reader.job import Refused
from tasks.reader.ooxml import MAX_PART_BYTES, XML_FAULTS, Package
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.xmltext import Walker, attribute, local, switched_on, tree

__all__ = ["MAX_PART_BYTES", "add_pictures", "read_docx", "read_pptx"]

_NUMBER = re.compile(r"(\d+)\.xml$")
_PICTURE = re.compile(rf"(word|ppt|xl)/media/[^/]+{PICTURE_SUFFIX}", re.IGNORECASE)
_EMBEDDED = re.compile(r"(word|ppt|xl)/embeddings/[^/]+$")
_WORDS, _CHART_WORDS = frozenset({"t"}), frozenset({"t", "v"})
_COMMENT_WORDS = frozenset({"t", "text"})

_WORD_PARTS = (
    (re.compile(r"word/document\d*\.xml$"), "正文 body"),
    (re.compile(r"word/header\d*\.xml$"), "页眉 header"),
    (re.compile(r"word/footer\d*\.xml$"), "页脚 footer"),
    (re.compile(r"word/footnotes\.xml$"), "脚注 footnotes"),
    (re.compile(r"word/endnotes\.xml$"), "尾注 endnotes"),
    (re.compile(r"word/comments\.xml$"), "批注 comments"),
    (re.compile(r"word/glossary/document\.xml$"), "自动图文集 building blocks"),
    (re.compile(r"word/(diagrams/data\d*|charts/chart\d*)\.xml$"), "图示 diagram"),
)
_SLIDE_PARTS = (
    (re.compile(r"ppt/comments/[^/]+\.xml$"), "批注 comments"),
    (re.compile(r"ppt/(diagrams/data\d*|charts/chart\d*)\.xml$"), "图示 diagram"),
)
_SLIDE, _NOTES = re.compile(r"ppt/slides/slide\d+\.xml$"), re.compile(r"ppt/notesSlides/\w+\.xml$")
_PRESENTATION = "ppt/presentation.xml"


def read_docx(source: Source, context: Context) -> Reading:
    """Read a Word file: body, headers, notes, comments, text boxes, changes, hidden words."""
    reading = Reading()
    package = _package(source, reading)
    if package is None:
        return reading
    hidden = _hidden_styles(package)
    for pattern, label in _WORD_PARTS:
        for name in _matching(package, pattern):
            walker = Walker(_CHART_WORDS if "chart" in name else _WORDS, None, hidden)
            _part(package, name, _numbered(label, name), walker, reading, context)
    return _finished(package, "word/document.xml", reading, context)


def read_pptx(source: Source, context: Context) -> Reading:
    """Read a PowerPoint file: slides as they are shown, notes, comments, hidden slides marked."""
    reading = Reading()
    package = _package(source, reading)
    if package is None:
        return reading
    places = _places(package)
    for pattern, label in ((_SLIDE, "幻灯片 slide"), (_NOTES, "备注 notes")):
        names = _matching(package, pattern)
        for name in sorted(names, key=lambda name: places.get(name, len(places) + 1)):
            shown = f"{label} {places[name]}" if name in places else f"{label} (未列出 unlisted)"
            _part(package, name, shown, Walker(), reading, context)
    authors = dict(_authors(package))
    for pattern, label in _SLIDE_PARTS:
        for name in _matching(package, pattern):
            words = _COMMENT_WORDS if "comments" in name else _CHART_WORDS
            _part(package, name, _numbered(label, name), Walker(words, authors), reading, context)
    return _finished(package, _PRESENTATION, reading, context)


def _package(source: Source, reading: Reading) -> Package | None:
    try:
        return Package(source)
    except Refused:
        reading.state = "damaged"
        return None


def _finished(package: Package, main: str, reading: Reading, context: Context) -> Reading:
    """Add what all Office files have beside their words, and judge the whole."""
    if links := list(dict.fromkeys([*package.links(main), *package.links("word/settings.xml")])):
        context.page(reading, "\n".join(links), label="外部链接 external links")
    add_pictures(package, reading, context)
    package.properties(reading)
    if not any(page.text for page in reading.pages) and "part_not_read" in reading.flags:
        reading.state = "damaged"
    return reading


def _matching(package: Package, pattern: re.Pattern[str]) -> list[str]:
    names = [member.name for member in package.members if pattern.match(member.name)]
    return sorted(names, key=lambda name: (name.rpartition("/")[0], _number(name), name))


def _number(name: str) -> int:
    found = _NUMBER.search(name)
    return int(found[1][:9]) if found else 0


def _numbered(label: str, name: str) -> str:
    return f"{label} {_number(name)}" if _number(name) else label


def _part(
    package: Package,
    name: str,
    label: str,
    walker: Walker,
    reading: Reading,
    context: Context,
) -> None:
    try:
        root = tree(package.data(name))
        text = walker.walk(root)
    except XML_FAULTS:
        reading.flag("part_not_read")
        return
    # ECMA-376 part 1, 19.3.1.38: a slide that is not shown says so at its root.
    hidden = local(root) == "sld" and attribute(root, "show") in ("0", "false")
    if hidden:
        reading.flag("hidden_slides")
    if text or hidden:
        context.page(reading, text, label=label, flags=("hidden_slide",) if hidden else ())
    if walker.tracked:
        reading.flag("tracked_changes")
    for lines, said, flag in (
        (walker.deleted, "已删除 deleted", "deleted_text"),
        (walker.inserted, "已插入 inserted", "inserted_text"),
        (walker.hidden, "隐藏文字 hidden text", "hidden_text"),
    ):
        if lines:
            context.page(reading, "\n".join(lines), label=f"{label}: {said}", flags=(flag,))
    if walker.hidden:
        reading.flag("hidden_text")


def _hidden_styles(package: Package) -> frozenset[str]:
    """Return the character styles that hide their words."""
    root = package.tree("word/styles.xml", 16 << 20)
    found = set()
    for style in root if root is not None else ():
        if local(style) == "style" and attribute(style, "type") == "character":
            hides = (e for e in style.iter() if local(e) == "vanish" and switched_on(e))
            if next(hides, None) is not None:
                found.add(attribute(style, "styleId"))
    return frozenset(found)


def _places(package: Package) -> dict[str, int]:
    """Return which slide each slide part and notes part is, as the presentation orders them."""
    targets = {number: target for number, _, target, _ in package.relations(_PRESENTATION)}
    root = package.tree(_PRESENTATION, 16 << 20)
    places: dict[str, int] = {}
    for place, name in enumerate(_listed(root, targets), 1):
        places[name] = place
        for _, kind, target, _ in package.relations(name):
            if kind == "notesSlide":
                places[target] = place
    return places


def _listed(root: Element | None, targets: dict[str, str]) -> Iterator[str]:
    for each in root.iter() if root is not None else ():
        if local(each) == "sldId":
            # The plain ``id`` is a number of its own; the relation's has a namespace.
            wanted = next((v for k, v in each.attrib.items() if k.endswith("}id")), "")
            if wanted in targets:
                yield targets[wanted]


def _authors(package: Package) -> Iterator[tuple[str, str]]:
    for name in ("ppt/commentAuthors.xml", "ppt/authors.xml"):
        root = package.tree(name, 1 << 20)
        for each in root if root is not None else ():
            yield attribute(each, "id"), attribute(each, "name")


def add_pictures(package: Package, reading: Reading, context: Context) -> None:
    """Add the pictures and embedded files as parts."""
    for member in package.members:
        if _PICTURE.match(member.name) or _EMBEDDED.match(member.name):
            package.add_part(member, reading, context)
