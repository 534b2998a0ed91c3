"""Turnaround of every agency, as the command writes it, inside the frame of the pages."""

from __future__ import annotations

from datetime import date

from fastapi import Request, Response
from markupsafe import Markup

from appraisal.desk import Desk
from appraisal.measuring import turnaround
from portal.figures_page import figures_content
from portal.web.identity import Bureau, House
from portal.web.pages.render import language_of, page
from portal.web.pages.route import pages
from portal.web.words import Language
from storage.errors import InputError

router = pages()


@router.get("/officer/figures")
def figures(
    request: Request, custody: House, identity: Bureau, since: str = "", until: str = ""
) -> Response:
    """Show the figures of a period; what is no date is told, and the whole time shown."""
    desk = Desk(custody)
    failure = None
    try:
        period = _day(since), _day(until)
        if period[0] and period[1] and period[0] > period[1]:
            raise InputError(
                "统计期首尾颠倒 the period ends before it begins",
                remedy="请互换 exchange the two dates",
            )
    except InputError as error:
        failure, period = error, (None, None)
    found = turnaround(desk, desk.today(), *period)
    language = "en" if language_of(request) is Language.EN else "zh-only"
    return page(
        request,
        "figures.html",
        identity,
        status=422 if failure else 200,
        failure=failure,
        since=since[:10],
        until=until[:10],
        # The page escapes what comes from outside, as the command's file must.
        body=Markup(figures_content(found, language)),  # noqa: S704
    )


def _day(untrusted: str) -> date | None:
    if not untrusted:
        return None
    try:
        return date.fromisoformat(untrusted)
    except ValueError as error:
        raise InputError("不是日期 this is no date", remedy="如 for example 2026-01-30") from error
