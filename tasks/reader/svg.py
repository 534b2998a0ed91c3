"""SVG drawings: the words in their XML, and the pictures that are packed into them.

Nothing is drawn and nothing fetched: scripts and references to other places are flagged, shapes
(among them letters that were turned into outlines) stay unread and are said to.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes
from xml.etree.ElementTree import Element, ParseError

from tasks.reader.job import Refused
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.xmltext import attribute, local, tree

MAX_BYTES = 64 << 20
_TEXTS: Final = frozenset({"text", "title", "desc", "flowPara", "p", "metadata"})
_LINES: Final = frozenset({"tspan", "textPath", "div", "p", "li", "text"})
_SHAPES: Final = frozenset({"path", "polygon", "polyline", "rect", "circle", "ellipse", "line"})
_DATA: Final = re.compile(r"\s*data:([\w.+/-]*)((?:;[^,;]*)*),(.*)", re.DOTALL)
_ELSEWHERE: Final = re.compile(r"\s*(?:https?:|ftp:|file:|//)", re.IGNORECASE)


def read_svg(source: Source, context: Context) -> Reading:
    """Read the words of a drawing as one page, and its pictures as pages of their own."""
    reading = Reading()
    try:
        root = _root(source)
    except (ParseError, ValueError, Refused):
        reading.state = "damaged"
        return reading
    for key in ("width", "height", "viewBox"):
        reading.note(key, root.get(key))
    names = [local(element) for element in root.iter()]
    if "script" in names:
        reading.flag("scripts")
    if any(_ELSEWHERE.match(attribute(each, "href")) for each in root.iter()):
        reading.flag("external_references")
    shapes = sum(name in _SHAPES for name in names)
    if shapes:
        reading.note("shapes", shapes)
        reading.flag("shapes_not_read")
    context.page(reading, "\n".join(_lines(root)))
    for index, _ in enumerate(_pictures(root)):
        label = f"图片 picture {index + 1}"
        context.part(reading, index, label, lambda index=index: picture(source, index))  # type: ignore[misc]
    return reading


def picture(source: Source, index: int) -> Source:
    """Return the picture ``index``, counted from 0, that is packed into a drawing."""
    found = _DATA.fullmatch(_pictures(_root(source))[index])
    if not found:
        raise Refused("没有这张图片。 There is no such picture.")
    try:
        packed = found[3].strip()
        if ";base64" in found[2].lower():
            data = base64.b64decode(re.sub(r"\s+", "", packed))
        else:
            data = unquote_to_bytes(packed)
    except (binascii.Error, ValueError) as error:
        raise Refused("图片已损坏。 The picture is damaged.") from error
    return Source(data, f"picture-{index + 1}")


def _root(source: Source) -> Element:
    if source.size > MAX_BYTES:
        raise Refused("图形过大。 The drawing is too large.")
    return tree(source.whole())


def _pictures(root: Element) -> list[str]:
    links = (attribute(each, "href") for each in root.iter() if local(each) in ("image", "feImage"))
    return [link for link in links if _DATA.fullmatch(link)]


def _lines(root: Element) -> list[str]:
    """Return the words, one line a text element or a positioned span in it."""
    lines: list[str] = []
    for element in root.iter():
        if local(element) in _TEXTS and local(element) != "metadata":
            lines += _lines_of(element)
    return lines


def _lines_of(element: Element) -> list[str]:
    lines = [element.text or ""]
    for part in element:
        begins = (
            part.get("x") is not None or part.get("y") is not None or local(part) in ("p", "li")
        )
        words = "".join(part.itertext()) if local(part) in _LINES or not len(part) else ""
        if begins:
            lines.append(words)
        else:
            lines[-1] += words
        lines[-1] += part.tail or ""
    return [joined for line in lines if (joined := " ".join(line.split()))]
