"""Error pages: what happened and what to do, in both languages, in the look of every page.

Nobody sees a traceback; what was not foreseen is logged and told as such.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from appraisal.credentials import without_secrets
from portal.web.api.codes import is_for_outsiders
from portal.web.pages.kept import FORMS
from portal.web.pages.render import page
from portal.web.words import Pair
from storage.errors import (
    ConflictError,
    CustodyError,
    InputError,
    IntegrityError,
    NotFoundError,
    StateError,
    TransientError,
)

_STATUS: tuple[tuple[type[CustodyError], int], ...] = (
    (NotFoundError, 404),
    (InputError, 422),
    (ConflictError, 409),
    (StateError, 409),
    (IntegrityError, 422),
    (TransientError, 503),
)
_AGAIN: Pair = (
    "返回上一页检查后再试；您已提交的内容不会丢失或重复。",
    "Go back, check, and try again; nothing you sent is lost or done twice.",
)
_TITLES: dict[int, tuple[Pair, Pair]] = {
    400: (("无法理解这个请求", "The request was not understood"), _AGAIN),
    401: (
        ("请先登录", "Please sign in"),
        ("登录后再打开此页。", "Sign in, then open the page again."),
    ),
    403: (
        ("不允许这样做", "This is not allowed"),
        (
            "可能是页面打开太久，或者您的角色没有此权限。请重新打开页面；仍不行请联系本机构管理员。",
            "The page may have been open too long, or your role may not do this. Open the page "
            "again; if that does not help, ask your administrator.",
        ),
    ),
    404: (
        ("没有这个页面或委托", "There is no such page or commission"),
        (
            "请核对编号，或从委托列表中选择。鉴定机构只能看到本机构的委托。",
            "Check the number, or choose from the list. An agency sees its own commissions only.",
        ),
    ),
    405: (("不能这样打开", "It cannot be opened like this"), _AGAIN),
    409: (
        ("现在不能执行这一步", "This step is not possible now"),
        (
            "委托的状态可能刚刚改变。请打开该委托查看最新状态。",
            "The commission may just have changed. Open it to see how it stands.",
        ),
    ),
    413: (
        ("文件太大", "The file is too large"),
        (
            "请使用可续传的上传（需要浏览器脚本），或通过接口客户端提交。",
            "Use the resumable upload (it needs scripts), or the programming interface.",
        ),
    ),
    422: (("内容需要更正", "Something needs correction"), _AGAIN),
    429: (
        ("尝试过于频繁", "Too many attempts"),
        ("请稍等几分钟再试。", "Wait a few minutes, then try again."),
    ),
    500: (
        ("系统出错", "Something went wrong here"),
        (
            "这是系统的问题，不是您的问题；已经记录。请稍后再试，仍不行请联系委托人。",
            "This is our fault, not yours; it was recorded. Try again later; if that does not "
            "help, call the client.",
        ),
    ),
    503: (
        ("系统正忙", "The system is busy"),
        (
            "请稍后再试，同样的操作可能就会成功。",
            "Try again in a moment; the same step may succeed.",
        ),
    ),
}
_TOO_LATE: tuple[Pair, Pair] = (
    ("请先登录", "Please sign in"),
    (
        "登录已过期，没有收下任何内容。请在新窗口登录，再用浏览器的“后退”回到表单提交。",
        "Your session has ended and nothing was taken. Sign in in a new window, go back to the "
        "form and send it.",
    ),
)
"""For a form that is longer than what is taken from somebody who is not signed in."""
_LOG = logging.getLogger("zhenglian.pages")


def status_of(error: CustodyError) -> int:
    """Return the HTTP status that says who is at fault."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(request: Request, status: int, message: str = "", remedy: str = "") -> Response:
    """Return the page about what went wrong."""
    title, advice = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
    if status == 413 and _too_late(request):
        (title, advice), message = _TOO_LATE, ""
    onward = ("/", "返回首页", "To the start")
    if status == 401:
        onward = ("/sign-in", "登录", "Sign in")
    return page(
        request,
        "problem.html",
        getattr(request.state, "identity", None),
        status=status,
        title=title,
        advice=advice,
        message=message,
        remedy=remedy,
        onward=onward,
        at=request.app.state.custody.now(),
        code=status,
    )


def _too_late(request: Request) -> bool:
    nobody = getattr(request.state, "identity", None) is None
    return nobody and request.url.path.startswith(FORMS)


def tell(request: Request, error: Exception) -> Response:
    """Return the page for an error: a foreseen one with its own words, any other without.

    Who is not signed in goes to the sign-in page, and from there back.
    """
    if isinstance(error, CustodyError):
        status = status_of(error)
        if status == 500 or not is_for_outsiders(error):
            _LOG.error("%s", error, exc_info=error)
        if not is_for_outsiders(error):
            return problem(request, status)
        return problem(request, status, str(error), error.remedy)
    status = int(getattr(error, "status_code", 500))
    if status == 401:
        return to_sign_in(request)
    if status >= 500:
        _LOG.error("%s failed", without_secrets(request.url.path), exc_info=error)
        return problem(request, status)
    detail = str(getattr(error, "detail", "") or "")
    known = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    return problem(request, status, "" if detail == known else detail)


def to_sign_in(request: Request) -> Response:
    """Send somebody to the sign-in page, and from there back to the page that they look at."""
    asks = request.headers.get("HX-Request") is not None
    try:
        parts = urlsplit(request.headers.get("HX-Current-URL", "") if asks else str(request.url))
        after = parts.path + (f"?{parts.query}" if parts.query else "")
    except ValueError:
        after = ""
    address = "/sign-in"
    if request.method == "GET" and after not in ("", "/"):
        address += f"?next={quote(after)}"
    if asks:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
