"""The bureau's pages: every agency's commissions, and each of them to look at.

A commission in a case that the account need not know is answered like one that there is not
(ST-06).
"""

from __future__ import annotations

from fastapi import Request, Response

from appraisal.desk import Desk
from appraisal.missing import missing
from appraisal.told import history_lines
from portal.web.identity import Bureau, House
from portal.web.pages.commission import shown as commission_shown
from portal.web.pages.listing import Chosen, bureau_listing
from portal.web.pages.queue import shown
from portal.web.pages.render import page
from portal.web.pages.route import pages
from storage.errors import NotFoundError
from tasks import need_to_know

router = pages()
_ALL = "/officer/commissions"


@router.get(_ALL)
def commissions(
    request: Request,
    custody: House,
    identity: Bureau,
    q: str = "",
    standing: str = "",
    after: str = "",
    agency: str = "",
) -> Response:
    """Show every agency's commissions, the most urgent first."""
    chosen = Chosen.of(q, standing, after, agency)
    listing = bureau_listing(Desk(custody), chosen, identity.account_id)
    return page(request, "queue.html", identity, **shown(listing, _ALL, "/officer/commission"))


@router.get(f"{_ALL}/rows")
def rows(
    request: Request,
    custody: House,
    identity: Bureau,
    q: str = "",
    standing: str = "",
    after: str = "",
    agency: str = "",
    seen: str = "",
) -> Response:
    """Return the list alone; nothing if it is as the page shows it already."""
    chosen = Chosen.of(q, standing, after, agency)
    listing = bureau_listing(Desk(custody), chosen, identity.account_id)
    values = shown(listing, _ALL, "/officer/commission")
    if seen == values["version"]:
        return Response(status_code=204)
    return page(request, "rows.html", identity, **values)


@router.get("/officer/commission")
def commission(request: Request, custody: House, identity: Bureau, number: str = "") -> Response:
    """Show one commission, with its whole history and nothing to do."""
    desk = Desk(custody)
    history = desk.history(number)
    found = history.commission
    known = need_to_know.may_see_commission(custody, number, identity.account_id)
    if not found.sent_at or not known:
        raise NotFoundError(
            f"没有已发出的委托书{number} no commission {number} was sent",
            remedy="请查看列表 see the list",
        )
    return page(
        request,
        "commission.html",
        identity,
        done=None,
        failure=None,
        failed="",
        entered={},
        acts=[],
        fetchable=False,
        can_return=False,
        opinion_address="",
        history=history_lines(history.steps),
        missing=missing(found, desk.rules(found).appraisers),
        home=_ALL,
        agency_name=desk.agency(found.agency_id).name,
        **commission_shown(desk, found),
    )
