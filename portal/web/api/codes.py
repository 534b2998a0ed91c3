"""The words of every problem in Chinese and English, and its HTTP status."""

from __future__ import annotations

from typing import NamedTuple

from storage.errors import (
    BusyError,
    ConflictError,
    CustodyError,
    HostError,
    InputError,
    IntegrityError,
    NotFoundError,
    StateError,
    TransientError,
)


class Told(NamedTuple):
    """A kind of problem: status, title and next step in both languages."""

    status: int
    title_zh: str
    title_en: str
    remedy_zh: str
    remedy_en: str


CODES: dict[str, Told] = {
    "invalid_request": Told(
        422,
        "请求不符合接口说明",
        "The request is not as described",
        "请按所列各处更正后重试",
        "correct what is listed and try again",
    ),
    "invalid": Told(
        422,
        "内容不符合要求",
        "What was handed in cannot be used as it is",
        "请更正后重试",
        "correct it and try again",
    ),
    "unauthorized": Told(
        401,
        "令牌缺失、错误或已过期",
        "No token, or one that is wrong or has expired",
        "请使用有效的令牌；令牌由机构管理员签发",
        "use a valid token; the agency's administrator issues them",
    ),
    "forbidden": Told(
        403,
        "该令牌无此权限",
        "The token may not do this",
        "请使用具有相应权限的令牌",
        "use a token with the scope that is needed",
    ),
    "not_found": Told(
        404,
        "没有此项",
        "There is no such thing",
        "请查看本机构的委托列表",
        "see the list of your commissions",
    ),
    "method": Told(
        405,
        "不支持此方法",
        "The method is not allowed here",
        "请查看接口说明",
        "see the description of the interface",
    ),
    "state": Told(
        409,
        "当前状态不允许此操作",
        "Not allowed in the present state",
        "请先查看委托的当前状态和可执行的步骤",
        "look at the commission's state and the steps that are allowed",
    ),
    "conflict": Told(
        409,
        "与现有记录冲突",
        "It conflicts with what is on record",
        "请重新查看后再操作",
        "look again before you go on",
    ),
    "digest_mismatch": Told(
        409,
        "校验值不一致",
        "The digest does not match",
        "请重新下载或重新发送并核对，不一致的文件不要使用",
        "download or send it again and compare; do not use what differs",
    ),
    "key_reused": Told(
        409,
        "同一幂等键用于不同的请求",
        "The idempotency key was used for another request",
        "请为每个新请求使用新的幂等键",
        "use a new key for every new request",
    ),
    "in_progress": Told(
        409,
        "相同的请求正在处理",
        "The same request is being worked on",
        "请稍候再以同一幂等键重试",
        "try again with the same key in a moment",
    ),
    "wrong_offset": Told(
        409,
        "续传位置不符",
        "The upload goes on at another offset",
        "请从所示位置继续发送",
        "send the rest from the offset that is told",
    ),
    "incomplete": Told(
        409,
        "上传尚未完整",
        "The upload is not complete",
        "请从所示位置继续发送",
        "send the rest from the offset that is told",
    ),
    "upload_open": Told(
        409,
        "已有另一份上传",
        "Another upload is under way",
        "请先完成或取消该上传",
        "finish or remove that upload first",
    ),
    "upload_busy": Told(
        409,
        "上传正由另一请求处理",
        "Another request is working on the upload",
        "请待其结束后查询续传位置",
        "wait for it to end, then ask for the offset",
    ),
    "upload_ended": Told(
        409,
        "上传已结束",
        "The upload has ended",
        "请重新申报上传",
        "announce the opinion again",
    ),
    "too_many_uploads": Told(
        409,
        "同时进行的上传过多",
        "Too many uploads are under way",
        "请先完成或取消其中之一",
        "finish or remove one of them first",
    ),
    "expired": Told(
        410,
        "上传已过期",
        "The upload has expired",
        "请重新申报并重新发送",
        "announce the opinion again and send it anew",
    ),
    "too_large": Told(
        413,
        "文件过大",
        "Too large",
        "请减小文件，或与委托人联系",
        "send fewer bytes, or ask the client",
    ),
    "wrong_type": Told(
        415,
        "文件类型不符",
        "Not of the right type",
        "请发送经签章的PDF",
        "send the signed opinion as a PDF",
    ),
    "range": Told(
        416,
        "所求范围超出文件",
        "The range lies outside of the file",
        "请按文件长度重新请求",
        "ask for a range within the file's length",
    ),
    "rate": Told(
        429,
        "请求过于频繁",
        "Too many requests",
        "请稍候再试",
        "wait as long as Retry-After says",
    ),
    "defect": Told(
        500,
        "系统内部错误",
        "A defect of this software",
        "请稍后重试；如仍出现请告知委托人",
        "try again later; if it stays, tell the client",
    ),
    "busy": Told(
        503,
        "系统繁忙",
        "Busy or not reachable just now",
        "请稍候重试",
        "send the same request again in a moment",
    ),
    "host": Told(
        503,
        "服务器故障",
        "Something is wrong with the server",
        "请告知委托人的系统管理员",
        "tell the client's administrator",
    ),
    "disk_full": Told(
        507,
        "服务器磁盘空间不足",
        "The server's disk is full",
        "已收到的部分仍保留，请稍后续传",
        "what came is kept; go on later",
    ),
}
_BY_FAMILY: tuple[tuple[type[CustodyError], str], ...] = (
    (NotFoundError, "not_found"),
    (InputError, "invalid"),
    (ConflictError, "conflict"),
    (StateError, "state"),
    (IntegrityError, "digest_mismatch"),
    (HostError, "host"),
)
_BY_STATUS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method",
    409: "state",
    413: "too_large",
    415: "wrong_type",
    416: "range",
    422: "invalid",
    429: "rate",
    503: "busy",
}
_CHINESE = {
    "missing": "缺少",
    "extra_forbidden": "不应有此项",
    "string_pattern_mismatch": "格式不符",
    "string_too_long": "过长",
    "string_too_short": "不能为空",
    "string_type": "应为文字",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "json_invalid": "不是有效的JSON",
    "greater_than_equal": "过小",
    "less_than_equal": "过大",
    "enum": "不在可选范围",
    "literal_error": "不在可选范围",
}


def code_of(error: CustodyError) -> str:
    """Return the code of an error of the house: its own, or that of its family."""
    own = error.facts.get("code")
    if own in CODES:
        return str(own)
    if error.transient:
        return "busy"
    return next((code for kind, code in _BY_FAMILY if isinstance(error, kind)), "defect")


def is_for_outsiders(error: CustodyError) -> bool:
    """Whether an error's words may leave the house: not those about its machines and paths."""
    inside = isinstance(error, HostError | TransientError) and not isinstance(error, BusyError)
    return not inside or error.facts.get("code") in CODES


def code_of_status(status: int) -> str:
    """Return the code of a refusal that is known by its HTTP status alone."""
    return _BY_STATUS.get(status, "defect" if status >= 500 else "invalid")


def in_chinese(kind: str) -> str:
    """Return what a validation error of pydantic's kind means, in Chinese."""
    return _CHINESE.get(kind, "不符合要求")
