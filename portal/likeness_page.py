"""The page of two texts side by side: one HTML file that loads nothing and runs nothing.

Every text in it came from outside; it is escaped, and whatever hides or turns text is shown as
an escape. The page says what it is not: a finding.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from portal.pages import as_html
from storage.names import display
from tasks.likeness.method import AID_EN, AID_ZH, VERSION
from tasks.side_by_side import COMPARED, Piece, Row, Side, SideBySide, described

_STYLE = """
body{font:15px/1.6 "Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",sans-serif;
margin:1.5rem auto;max-width:80rem;padding:0 1rem;color:#1b1b1b;background:#fff}
.aid{border:2px solid #8a5a00;background:#fff6e0;padding:.6rem .9rem;font-weight:600}
table{border-collapse:collapse;width:100%;table-layout:fixed;margin:1rem 0}
th,td{border:1px solid #c9c9c9;padding:.35rem .6rem;vertical-align:top;text-align:left;
white-space:pre-wrap;overflow-wrap:anywhere}
.facts th:first-child{width:14rem}
tr.differs td{background:#fafafa}
.same{color:#4a4a4a}
mark{background:none;color:inherit}
mark.different{background:#ffd9d6;text-decoration:underline;text-decoration-thickness:2px}
mark.moved{background:#d7e8ff;text-decoration:underline dotted 2px}
code{overflow-wrap:anywhere;white-space:pre-wrap}
"""


def page(found: SideBySide) -> str:
    """Return the page as HTML."""
    return "".join(_page(found))


def _page(found: SideBySide) -> Iterator[str]:
    yield (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>文本比对 Comparison of texts</title><style>{_STYLE}</style></head><body>\n"
        "<h1>文本比对 Comparison of texts</h1>\n"
        f'<p class="aid">{AID_ZH}<br><span lang="en">{AID_EN}</span></p>\n'
    )
    yield from _facts(found)
    yield (
        '<p>图例 legend: <span class="same">相同 same</span> · '
        '<mark class="different">不同 different</mark> · '
        '<mark class="moved">对方文本中另处有之 stands elsewhere in the other</mark>。'
        "全角半角、大小写和空白不计。 Width, case and white space do not count.</p>\n"
        '<table class="texts"><thead><tr>'
        f"<th>{_label(found.one)}</th><th>{_label(found.other)}</th></tr></thead><tbody>\n"
    )
    yield from map(_row, found.rows)
    yield "</tbody></table>\n"
    text = json.dumps(described(), ensure_ascii=False, sort_keys=True, indent=1)
    yield (
        f"<h2>方法 Method</h2><p>版本 version {_text(VERSION)}；说明见 described in "
        f"docs/likeness.md</p>\n<pre><code>{_text(text)}</code></pre>\n</body></html>\n"
    )


def _facts(found: SideBySide) -> Iterator[str]:
    one, other = found.one, found.other
    yield '<table class="facts"><tbody>\n'
    yield _fact("", _label(one), _label(other))
    yield _fact("原件 original SHA-256", _text(one.sha256), _text(other.sha256))
    digests = one.transcript_sha256, other.transcript_sha256
    yield _fact("识读文本 transcript SHA-256", *map(_text, digests))
    yield _fact("字符 characters", *(_length(side) for side in (one, other)))
    yield _fact(
        "顺序一致的共同文字 common text, in the same order",
        _share(one.common),
        _share(other.common),
    )
    yield _fact("另处有之 stands elsewhere", _share(one.moved), _share(other.moved))
    numbers = (
        ("共同五字片段 common shingles (Jaccard)", _share(found.jaccard)),
        ("其估计 its estimate (MinHash)", _share(found.estimate)),
        ("图像距离 distance of images (PDQ, 256 bits)", _number(found.image_bits)),
        ("文件距离 distance of files (TLSH)", _number(found.file_distance)),
    )
    for name, value in numbers:
        yield f'<tr><th>{name}</th><td colspan="2">{value}</td></tr>\n'
    yield "</tbody></table>\n"


def _fact(name: str, one: str, other: str) -> str:
    return f"<tr><th>{name}</th><td>{one}</td><td>{other}</td></tr>\n"


def _label(side: Side) -> str:
    item = f"{side.exhibit_id}/{side.part}" if side.part else side.exhibit_id
    return f"{_text(display(item))} {_text(display(side.name))}"


def _length(side: Side) -> str:
    whole = side.compared < COMPARED
    cut = "" if whole else f"（只比对前 {COMPARED} 字 only the first are compared）"
    return f"{side.characters}；比对 compared {side.compared}{cut}"


def _share(value: int | None) -> str:
    return "—" if value is None else f"{value / 10:.1f}%"


def _number(value: int | None) -> str:
    return "—" if value is None else str(value)


def _row(row: Row) -> str:
    kind = "agrees" if row.same else "differs"
    cells = "".join(f"<td>{_cell(side)}</td>" for side in (row.one, row.other))
    return f'<tr class="{kind}">{cells}</tr>\n'


def _cell(pieces: Iterable[Piece]) -> str:
    return "".join(
        f'<span class="same">{_text(piece.text)}</span>'
        if piece.kind == "same"
        else f'<mark class="{piece.kind}">{_text(piece.text)}</mark>'
        for piece in pieces
    )


def _text(text: str) -> str:
    # A form feed stands between two pages of a transcript.
    return as_html(text.replace("\f", "\n"))
