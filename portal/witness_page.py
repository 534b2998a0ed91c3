"""The one page of a witness: what it is, whom it watches, what it saw last. Chinese first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from storage.clock import stamp
from storage.cosignature import CosignatureVerifier
from storage.names import display
from storage.note import encode_base64
from storage.witness_state import Row, origin_hash

_STYLE = (
    "body{font-family:sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;line-height:1.6}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3rem .6rem;"
    "text-align:left;overflow-wrap:anywhere}code{overflow-wrap:anywhere}.bad{color:#a00}"
)
_WHAT = (
    "本机是证据保管日志的独立见证方。日志每次发布检查点，须向本机证明新日志完整包含旧日志；"
    "证明成立，本机才附签时间与签名。日志此后若被回退、改写或分叉，凭本机签名即可发现。"
    "本机看不到任何证据内容，只看到条数和哈希值。",
    "This machine is an independent witness of custody logs. Whenever a log publishes a "
    "checkpoint, it must prove here that the new log contains all of the old one; only then is "
    "the checkpoint cosigned, with the time. A log that is later rolled back, rewritten or forked "
    "is shown by these cosignatures. The witness sees no evidence, only counts and hashes.",
)


def page(
    verifier: CosignatureVerifier,
    rows: Mapping[str, Row | None],
    evidence: Sequence[str],
    zone: str,
) -> str:
    """Return the page's HTML.

    Args:
        verifier: the witness's public key.
        rows: the last cosigned checkpoint of each log.
        evidence: names of files that prove a log's misbehaviour.
        zone: time zone of the times shown.
    """
    body = "".join(_row(origin, row, zone) for origin, row in rows.items())
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>见证方 witness {_text(verifier.name)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>保管日志见证方 <small>Witness</small></h1><p><strong>{_text(verifier.name)}</strong>"
        f'</p><p>{_WHAT[0]}</p><p lang="en">{_WHAT[1]}</p>'
        f"<p>公钥 public key: <code>{_text(str(verifier))}</code></p>{_alarm(evidence)}"
        "<table><thead><tr><th>日志 log</th><th>条数 entries</th><th>根哈希 root</th>"
        f"<th>见证时间 cosigned at</th></tr></thead><tbody>{body}</tbody></table></body></html>\n"
    )


def _row(origin: str, row: Row | None, zone: str) -> str:
    if row is None:
        cells = ("—", "—", "尚未见证 nothing cosigned yet")
    else:
        when = stamp(datetime.fromtimestamp(row.time, UTC), zone)
        cells = (str(row.checkpoint.size), encode_base64(row.checkpoint.root), when)
    shown = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
    name = _text(origin)
    if row is not None:
        name = f'<a href="{origin_hash(origin)}/checkpoint">{name}</a>'
    return f"<tr><td>{name}</td>{shown}</tr>"


def _alarm(evidence: Sequence[str]) -> str:
    if not evidence:
        return ""
    names = "".join(f"<li><code>{_text(name)}</code></li>" for name in evidence)
    return (
        '<div class="bad"><p><strong>发现分叉：有日志对同一条数签署了两个不同的根哈希，'
        "证据文件保存在本机 evidence 目录。 Fork found: a log signed two roots of one size; "
        f"the proof lies in this witness's evidence folder.</strong></p><ul>{names}</ul></div>"
    )


def _text(value: str) -> str:
    return escape(display(value))
