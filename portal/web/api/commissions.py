"""Routes by which an agency looks at its commissions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from portal.web.api.commission_models import CommissionPage, CommissionView, StandingFilter
from portal.web.api.deps import CommissionPath, ReadingDesk
from portal.web.api.lookup import number_of
from portal.web.api.problem_models import problems
from portal.web.api.problems import ProblemRoute
from portal.web.api.shapes import summary, whole

router = APIRouter(route_class=ProblemRoute, tags=["commissions"])


@router.get(
    "/commissions",
    operation_id="listCommissions",
    summary="List the agency's commissions",
    responses=problems(),
)
def list_commissions(
    desk: ReadingDesk,
    standing: Annotated[
        StandingFilter, Query(description="Only these; `open`: what is still to be done.")
    ] = "open",
    text: Annotated[
        str,
        Query(
            max_length=100,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="Part of a number, a case number or a client's name.",
        ),
    ] = "",
    after: Annotated[
        str,
        Query(
            max_length=400,
            pattern="^[A-Za-z0-9_-]*$",
            description="`next` of the part before; empty: the first part.",
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=100, description="Rows at most.")] = 50,
) -> CommissionPage:
    """List commissions: open ones by their due date, others by their newest step."""
    page = desk.page(
        today=desk.desk.today(), standing=standing, text=text, after=after, limit=limit
    )
    return CommissionPage(
        commissions=[summary(each) for each in page.rows],
        next=page.next,
        total_open=page.total_open,
    )


@router.get(
    "/commissions/{commission_id}",
    operation_id="showCommission",
    summary="Look at a commission",
    response_model_by_alias=True,
    responses=problems(404),
)
def show(commission_id: CommissionPath, desk: ReadingDesk) -> CommissionView:
    """Return a commission: terms, clocks with each date explained, what may be done, history."""
    return whole(desk, desk.row(number_of(desk, commission_id), desk.desk.today()))
