"""What an event says to a person: one line, Chinese first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from storage.event import Action, CustodyEvent


def tell(event: CustodyEvent) -> str:
    """Return one line that says what happened in an event."""
    story = _STORIES.get(event.action)
    return story(event.details) if story else event.purpose


def _received(d: Mapping[str, Any]) -> str:
    return (
        f"收到证据包“{d['bundle_name']}”，{d['files']} 个文件 {d['bytes']} 字节，"
        f"清单摘要 {d['received_digest'][:16]}… / received"
    )


def _stored(d: Mapping[str, Any]) -> str:
    digest = d["fingerprint"]["digests"]["sha256"]
    version = d["object"]["version_id"]
    pinned = f"，版本 {version}" if version else ""
    return f"原件写入存储并回读核对，SHA-256 {digest[:16]}…{pinned} / stored, read back"


def _read(d: Mapping[str, Any]) -> str:
    confidence = d["confidence"]
    sure = f"，置信度 {confidence / 10:.1f}%" if confidence is not None else ""
    return f"识读为文本（非证据）：{d['media_type']}，{d['pages']} 页，{d['state']}{sure} / read"


def _commission(d: Mapping[str, Any]) -> str:
    return f"委托 {d['commission_no']}：{d['transition']['kind']} → {d['state']}"


def _package(what: str) -> Callable[[Mapping[str, Any]], str]:
    def say(d: Mapping[str, Any]) -> str:
        return f"{what}（委托 {d['commission_no']}，包摘要 {d['package_digest'][:16]}…）"

    return say


def _hold(d: Mapping[str, Any]) -> str:
    if d["state"] == "set":
        return f"保全：{d['reason']} / legal hold set"
    return f"解除保全（另一人：{d['with']}）：{d['reason']} / legal hold released"


def _disposed(d: Mapping[str, Any]) -> str:
    if d["state"] == "decided":
        return f"决定处置（另一人：{d['with']}）：{d['reason']} / disposal decided"
    left = f"，{len(d['left'])} 个未能移除" if d["left"] else ""
    return f"处置完毕：移除 {d['removed']} 个对象{left} / disposed of"


def _alert(d: Mapping[str, Any]) -> str:
    if "closes" in d:
        return f"警报关闭：{d['reason']} / alert closed"
    return f"警报：{d['message']} / alert"


_STORIES: dict[Action, Callable[[Mapping[str, Any]], str]] = {
    Action.RECEIVED: _received,
    Action.ACCESSIONED: lambda d: f"登记入库，共 {d['exhibits']} 件 / accessioned",
    Action.STORED: _stored,
    Action.RECEIPTED: lambda d: f"出具收据 {d['receipt_sha256'][:16]}… / receipt issued",
    Action.READ: _read,
    Action.VERIFIED: lambda d: f"核验：{d['summary']} / verified",
    Action.PACKAGED: _package("制作工作副本并装包 / packaged"),
    Action.RELEASED: _package("移交鉴定机构 / released"),
    Action.ACKNOWLEDGED: _package("鉴定机构确认收到 / acknowledged"),
    Action.RETURNED: _package("鉴定意见交回 / returned"),
    Action.COMMISSION: _commission,
    Action.HOLD: _hold,
    Action.DISPOSED: _disposed,
    Action.ALERT: _alert,
    Action.DRILLED: lambda d: f"恢复演练：{d['summary']} / drilled",
    Action.OVERDUE: lambda d: f"委托 {d['commission_no']} 逾期，期限 {d['due']} / overdue",
}
