"""Draws ``docs/house.svg``: the rooms, who stands at which door, what may import what.

Run as ``python -m deploy.house``; the same drawing on every run.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

FILE = Path(__file__).resolve().parents[1] / "docs/house.svg"
_WIDTH, _HEIGHT = 960, 640
_STYLE = """\
text{font-family:'Noto Sans CJK SC','WenQuanYi Zen Hei','PingFang SC','Microsoft YaHei',sans-serif;
fill:#1d2733}
.n{font-size:19px;font-weight:600}.z{font-size:14px}.e{font-size:12.5px;fill:#54616f}
.room{stroke:#8fa3b5;stroke-width:1.2}.who{fill:#fff;stroke:#b9c4ce;stroke-width:1.2}
.cell{fill:#fff3f0;stroke:#c4553b;stroke-width:1.4;stroke-dasharray:6 4}
.way{stroke:#54616f;stroke-width:1.6;fill:none;marker-end:url(#tip)}
"""
_ROOMS = (
    ("portal/", "门：命令行、网页、接口", "the doors: command line, pages, interface", "#eef3f8"),
    ("flows/", "流程：先做什么，后做什么", "what happens, in order (Prefect)", "#e3ecf4"),
    ("tasks/", "步骤：接收、判断、存放、读取", "the steps, each a plain function", "#d7e4ef"),
    (
        "appraisal/",
        "鉴定：送出与收回、期限",
        "work sent out and brought back, its clocks",
        "#cbdcea",
    ),
    (
        "storage/",
        "保管：原件、校验值、保管日志",
        "evidence at rest, and the proof of it",
        "#bdd3e6",
    ),
)
_PEOPLE = (
    (20, 76, "办案单位", "enforcement unit", "投递 → 回执", "drops, gets a receipt"),
    (20, 196, "案件承办人", "case officer", "委托、催办、延期", "commissions, watches clocks"),
    (760, 76, "鉴定机构", "appraisal agency", "材料包 → 意见书", "package out, opinion back"),
    (760, 196, "审计、检察、法院", "auditor and court", "脱离本软件核验", "verify without us"),
)


def drawing() -> str:
    """Return the picture as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'role="img" aria-label="The rooms of Zhenglian">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#54616f"/></marker></defs>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(480, 38, "n", "证链 Zhenglian", "middle"),
    ]
    for floor, (name, zh, en, colour) in enumerate(_ROOMS):
        parts += _room(64 + floor * 88, name, zh, en, colour)
    parts += _cell()
    for x, y, *words in _PEOPLE:
        parts += _person(x, y, *words)
    parts += _store()
    return "\n".join([*parts, "</svg>\n"])


def _room(y: int, name: str, zh: str, en: str, colour: str) -> list[str]:
    made = [
        f'<rect class="room" x="240" y="{y}" width="480" height="72" rx="6" fill="{colour}"/>',
        _text(262, y + 44, "n", name),
        _text(384, y + 32, "z", zh),
        _text(384, y + 53, "e", en),
    ]
    if name != "storage/":
        made.append(f'<path class="way" d="M480 {y + 73}v13"/>')
    return made


def _cell() -> list[str]:
    return [
        '<rect class="cell" x="606" y="246" width="104" height="60" rx="4"/>',
        _text(658, 267, "z", "reader/ 隔离室", "middle"),
        _text(658, 283, "e", "the cell: no net,", "middle"),
        _text(658, 298, "e", "no disk, no keys", "middle"),
    ]


def _person(x: int, y: int, zh: str, en: str, does_zh: str, does_en: str) -> list[str]:
    left = x < _WIDTH / 2
    start, end = (x + 181, 238) if left else (x - 1, 722)
    # Auditors read the log and the originals themselves; they need no door of ours.
    height = 462 if zh.startswith("审计") else 100
    return [
        f'<rect class="who" x="{x}" y="{y}" width="180" height="100" rx="10"/>',
        _text(x + 90, y + 26, "z", zh, "middle"),
        _text(x + 90, y + 44, "e", en, "middle"),
        _text(x + 90, y + 68, "z", does_zh, "middle"),
        _text(x + 90, y + 86, "e", does_en, "middle"),
        f'<path class="way" d="M{start} {y + 20}L{end} {height}"/>',
    ]


def _store() -> list[str]:
    boxes = (
        (150, "原件 originals", "一次写入 written once"),
        (380, "保管日志 custody log", "只增、签名 append-only, signed"),
        (610, "目录 catalogue", "可由前两者重建 rebuildable"),
    )
    made = []
    for x, name, what in boxes:
        made += [
            f'<path class="way" d="M480 490L{x + 100} 533"/>',
            f'<rect class="who" x="{x}" y="536" width="200" height="64" rx="6"/>',
            _text(x + 100, 562, "z", name, "middle"),
            _text(x + 100, 584, "e", what, "middle"),
        ]
    return made


def _text(x: int, y: int, style: str, words: str, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


if __name__ == "__main__":
    FILE.write_text(drawing(), "utf-8")
