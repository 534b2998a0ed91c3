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
    first = d.get("released_from")
    released = f"（由被退回的 {first} 转来）" if first else ""
    return (
        f"收到证据包“{d['bundle_name']}”{released}，{d['files']} 个文件 {d['bytes']} 字节，"
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
    claims = "、".join(f"{each['algorithm']} {each['verified']}" for each in d.get("claims", ()))
    how = f"{d['pages']} 页，{d['state']}{sure}" + (f"，取证哈希 {claims}" if claims else "")
    how += _unlocked(d)
    return f"识读为文本（非证据）：{d['media_type']}，{how} / read"


def _unlocked(d: Mapping[str, Any]) -> str:
    by = d.get("unlocked", {}).get("by", {})
    return f"，以 {by.get('name', '')} 提供的密码打开" if by else ""


def _expanded(d: Mapping[str, Any]) -> str:
    what = f"{d['format']}，" if d["scope"] == "whole" else "其中部分重新识读，"
    states = "、".join(f"{state} {count}" for state, count in sorted(d["states"].items()))
    how = f"{what}{states}{_unlocked(d)}"
    return f"展开为 {d['parts']} 个部分（{how}；非证据）/ expanded into parts"


def _commission(d: Mapping[str, Any]) -> str:
    told = d.get("told")
    if told is None:
        return f"委托 {d['commission_no']}：{d['transition']['kind']} → {d['state']}"
    return f"委托 {d['commission_no']}：{told['zh']} → {d['state']} / {told['en']}"


def _package(what: str) -> Callable[[Mapping[str, Any]], str]:
    def say(d: Mapping[str, Any]) -> str:
        parts = [
            f"委托 {d['commission_no']}",
            f"第 {d['supplement']} 次补充" if d.get("supplement") else "",
            f"包摘要 {d['package_digest'][:16]}…" if d["package_digest"] else "",
        ]
        return f"{what}（{'，'.join(filter(None, parts))}）"

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


def _repaired(d: Mapping[str, Any]) -> str:
    if d["state"] == "republished":
        return f"由数据库重新公布日志 {d['entries']} 条：{d['reason']} / log published again"
    names = "、".join(each["label"] for each in d["objects"][:3])
    more = f" 等 {len(d['objects'])} 个对象" if len(d["objects"]) > 3 else ""
    if d["state"] == "begun":
        return f"发现字节损坏或缺失，开始由副本修复：{names}{more}，{d['reason']} / repair begun"
    if not d["objects"]:
        return f"没有副本可供修复：{len(d['left'])} 个对象 / no copy found, not repaired"
    kept = sum(each["damaged"] is not None for each in d["objects"])
    aside = f"，损坏字节另存 {kept} 份" if kept else ""
    left = f"，{len(d['left'])} 个未能修复" if d["left"] else ""
    where = "、".join(sorted({each["source"] for each in d["objects"]}))
    return f"由副本修复并回读核对：{names}{more}（{where}）{aside}{left} / repaired"


def _handover(package: Callable[[Mapping[str, Any]], str], what: str) -> Callable[[Any], str]:
    """Tell a hand-over of originals; what carries no number of one speaks of a package."""

    def say(d: Mapping[str, Any]) -> str:
        if "handover_no" not in d:
            return package(d)
        seals = sorted(set((d.get("seal_after") or {}).values()) - {""})
        parts = [
            f"移交给 {_person(d['to'])}" if "released" in what else "",
            f"封条 {'、'.join(seals)}" if seals else "",
            f"代签：{d['on_behalf']}" if d.get("on_behalf") else "",
            str(d.get("condition", "")),
        ]
        told = "，".join(filter(None, parts))
        return f"交接单 {d['handover_no']}{'：' if told else ''}{told} / {what}"

    return say


def _person(d: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (d.get("unit", ""), d.get("name", ""))))


def _seal(d: Mapping[str, Any], zh: str, en: str) -> str:
    people = "、".join(_person(each) for each in d["persons"])
    why = f"，{d['reason']}" if d.get("reason") else ""
    return f"{zh} {d['number']}（{people}）{why} / {en}"


def _accessed(d: Mapping[str, Any]) -> str:
    if d["phase"] == "begun":
        what = f"部分 {d['part']}" if "part" in d else "原件"
        return f"查阅{what}，调取号 {d['access']}，写入 {d['file']} / original exported"
    return f"调取号 {d['access']} 结果：{d['outcome']} / outcome"


def _downloaded(d: Mapping[str, Any]) -> str:
    what = f"委托 {d['commission_no']} 的 {d['name']}（SHA-256 {d['sha256'][:16]}…）"
    if d["phase"] == "begun":
        return f"开始下载{what} / download begun"
    return f"下载完毕{what} / download ended"


def _overdue(d: Mapping[str, Any]) -> str:
    if "handover_no" in d:
        return f"交接 {d['handover_no']} 于 {d['released_at']} 移交，至今无签收 / not received"
    return f"委托 {d['commission_no']} 逾期，期限 {d['due']} / overdue"


def _decided(d: Mapping[str, Any]) -> str:
    if d["kind"] == "release":
        return f"决定接收被退回的证据包，新编号 {d['accession']}：{d['reason']} / released"
    return f"原始字节退还提交单位（{d['files']} 个文件）：{d['reason']} / given back, copy kept"


def _account(d: Mapping[str, Any]) -> str:
    kinds = {
        "created": ("建立账户", "account made"),
        "changed": ("更改账户", "account changed"),
        "disabled": ("停用账户", "account disabled"),
        "enabled": ("启用账户", "account enabled"),
        "reset": ("作废密码并发一次性链接", "password forgotten, one-time link given"),
        "signed_out": ("结束全部会话", "signed out everywhere"),
        "password_set": ("设置密码", "password set"),
        "token_created": ("建立接口令牌", "API token made"),
        "token_revoked": ("吊销接口令牌", "API token revoked"),
    }
    zh, en = kinds.get(d["kind"], (d["kind"], d["kind"]))
    token = f" {d['token']['token_id']}" if "token" in d else ""
    return f"{zh} {d['account']['login']}（{d['account']['role']}）{token} / {en}"


def _need_to_know(d: Mapping[str, Any]) -> str:
    why = f"，{d['reason']}" if d["reason"] else ""
    if d["kind"] == "withdrawn":
        return f"{d['login']} 移出知悉范围{why} / no longer needs to know"
    return f"{d['login']} 列入知悉范围{why} / needs to know"


def _sign_in(d: Mapping[str, Any]) -> str:
    if d["kind"] == "signed_in":
        return f"登录（{d['means']}，{d['address']}） / signed in"
    if d["kind"] == "signed_out":
        return "退出 / signed out"
    whom = f"，账户 {d['account_id']}" if d["account_id"] else ""
    return f"拒绝 {d['count']} 次：{d['reason']}（{d['address']}{whom}） / refused"


def _clock(d: Mapping[str, Any]) -> str:
    what, english = _CLOCK_WORDS[d["kind"]]
    data = d["data"]
    day = data.get("moment") or data["day"]
    due = "，".join(f"{each['number']} 期限 {each['date']}" for each in d["due"])
    paper = f"，{data['document']}" if data["document"] else ""
    void = "（登记有误，作废）" if data.get("void") else ""
    told = f"{d['title']}（{d['number']}）{what}：{day}{paper}{void}"
    return f"{told}{'；' if due else ''}{due} / {english}"


_CLOCK_WORDS = {
    "started": ("起算", "clock started"),
    "extended": ("延长", "clock extended"),
    "excluded": ("期间开始，不计入期限", "excluded period begins"),
    "resumed": ("期间结束，恢复计算", "excluded period ends"),
    "ended": ("结束", "clock ended"),
}


def _calendar(d: Mapping[str, Any]) -> str:
    if d["state"] == "loaded":
        return f"载入{d['year']}年节假日安排（{d['document']}），摘要 {d['digest'][:16]}… / loaded"
    if "open_clocks" in d:
        return (
            f"按{d['year']}年节假日安排核对计时中的期限{d['open_clocks']}项，变动{d['changed']}项 "
            "/ all due dates computed again"
        )
    moved = "，".join(
        f"{each['subject'] if not each['number'] else each['number']} {each['title']} "
        f"{each['old']['date']} → {each['new']['date']}"
        for each in d["clocks"]
    )
    return f"按{d['year']}年节假日安排重新计算：{moved} / due dates computed again"


def _notice(d: Mapping[str, Any]) -> str:
    state = d["state"]
    if state == "chased":
        return f"核对全部期限，{d['day']} / clocks chased"
    if state == "contact":
        who = d["address"] or "取消"
        return f"{d['subject']} 的提醒收件人（{d['role']}）：{who} / whom to tell"
    if "notice" not in d:
        words = _NOTICE_WORDS[state]
        return f"提醒 {d['key'][:8]}… {words[0]}：{d['channel']} {d['recipient']} / {words[1]}"
    told, words = d["notice"], _NOTICE_WORDS[state]
    number = told["commission_no"] or told["case_no"]
    what = f"{number} {told['title'][0]}，期限 {told['due']}"
    return f"提醒 {d['key'][:8]}… {words[0]}：{what}，{told['channel']} / {words[1]}"


_NOTICE_WORDS = {
    "due": ("应发", "notice due"),
    "sent": ("已送达", "notice delivered"),
    "skipped": ("略过", "notice skipped"),
    "void": ("作废", "notice void"),
    "given_up": ("未能送达", "notice given up"),
}


_STORIES: dict[Action, Callable[[Mapping[str, Any]], str]] = {
    Action.RECEIVED: _received,
    Action.ACCESSIONED: lambda d: f"登记入库，共 {d['exhibits']} 件 / accessioned",
    Action.STORED: _stored,
    Action.KEPT: lambda d: f"另存 {len(d['files'])} 个文件（{d['role']}）/ kept beside the items",
    Action.RECEIPTED: lambda d: f"出具收据 {d['receipt_sha256'][:16]}… / receipt issued",
    Action.QUARANTINED: lambda d: (
        f"退回隔离，问题 {d['mistakes']} 处 / refused, kept in quarantine"
    ),
    Action.DECIDED: _decided,
    Action.READ: _read,
    Action.EXPANDED: _expanded,
    Action.VERIFIED: lambda d: f"核验：{d['summary']} / verified",
    Action.PACKAGED: _package("制作工作副本并装包 / packaged"),
    Action.RELEASED: _handover(_package("移交鉴定机构 / released"), "released"),
    Action.ACKNOWLEDGED: _handover(_package("鉴定机构确认收到 / acknowledged"), "received"),
    Action.SEALED: lambda d: _seal(d, "封存，封条", "sealed"),
    Action.UNSEALED: lambda d: _seal(d, "启封，原封条", "seal broken"),
    Action.ACCESSED: _accessed,
    Action.RETURNED: _package("鉴定意见交回 / returned"),
    Action.COMMISSION: _commission,
    Action.ALERT: _alert,
    Action.HOLD: _hold,
    Action.DISPOSED: _disposed,
    Action.REPAIRED: _repaired,
    Action.DRILLED: lambda d: f"恢复演练：{d['summary']} / drilled",
    Action.OVERDUE: _overdue,
    Action.CLOCK: _clock,
    Action.CALENDAR: _calendar,
    Action.NOTICE: _notice,
    Action.ACCOUNT: _account,
    Action.SIGN_IN: _sign_in,
    Action.TIMESTAMPED: lambda d: (
        f"时间戳机构 {d['authority']} 为 {d['size']} 条签发时间戳（{d['algorithm']}），"
        f"{d['gen_time']} / time-stamped"
    ),
    Action.COSIGNED: lambda d: (
        f"见证方 {d['witness']} 附签 {d['size']} 条，{d['gen_time']} / cosigned by a witness"
    ),
    Action.DOWNLOADED: _downloaded,
    Action.NEED_TO_KNOW: _need_to_know,
    Action.ANCHOR_FAILED: lambda d: f"时间戳或见证未取得：{d['message']} / not anchored",
}
