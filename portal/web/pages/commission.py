"""One commission: where it stands, its clocks explained, its material, its history, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from appraisal.access import access_until, require_access
from appraisal.accounts import Identity
from appraisal.agency_desk import AgencyDesk
from appraisal.clocks import CLOCK_NAMES, CLOCK_STATE_NAMES, Clock
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.happened import FATE_NAMES
from appraisal.queue import row_of
from appraisal.rules import RuleSet, Unit
from appraisal.states import STANDING_NAMES
from appraisal.step import Kind
from appraisal.turnaround import Due
from portal.web.identity import SignedIn
from portal.web.pages.acting import ACTS, DONE, acts_of, form_texts
from portal.web.pages.lines import address_of, ended_tone, stops, tone_of, unit_of
from portal.web.pages.particulars import sent_material
from portal.web.pages.problems import status_of
from portal.web.pages.render import page
from portal.web.pages.route import pages
from portal.web.pages.who import AgencyAtWork
from portal.web.words import Pair
from storage.digest import Fingerprint
from storage.errors import CustodyError, NotFoundError, StateError
from tasks import handing_out

router = pages()
_SETTLE: Pair = (
    "按委托要求退还、留存或销毁材料，并记录处置",
    "return, keep or destroy the material as commissioned, and record it",
)


@router.get("/commission")
def commission(
    request: Request, desk: AgencyAtWork, identity: SignedIn, number: str = "", done: str = ""
) -> Response:
    """Show one commission of the agency."""
    return agency_page(request, desk, identity, number, done=done)


@router.post("/commission/{act}")
async def act(request: Request, desk: AgencyAtWork, identity: SignedIn, act: str) -> Response:
    """Take one step; what is refused comes back with what was entered."""
    form = form_texts(await request.form())
    return await run_in_threadpool(_acted, request, desk, identity, act, form)


def _acted(
    request: Request, desk: AgencyDesk, identity: Identity, act: str, form: dict[str, str]
) -> Response:
    number = form.get("number", "")
    if act not in ACTS:
        raise NotFoundError(
            "没有这一步 there is no such step", remedy="请打开委托页面 open the commission"
        )
    desk.commission(number)
    try:
        _require_seen(desk, number, form.get("step", ""))
        ACTS[act](desk, number, form)
    except CustodyError as error:
        return agency_page(request, desk, identity, number, failure=error, failed=act, entered=form)
    return RedirectResponse(address_of(number) + "&" + urlencode({"done": act}), 303)


def _require_seen(desk: AgencyDesk, number: str, untrusted: str) -> None:
    """Tell of a step that somebody else took since the page was opened; one's own are no news.

    Raises:
        StateError: there is such a step; the page that comes back shows it.
    """
    steps = desk.desk.history(number).steps
    if not (untrusted.isascii() and untrusted.isdigit() and len(untrusted) < 8):
        return
    mine = desk.actor.id or desk.actor.name
    if any((each.actor.id or each.actor.name) != mine for each in steps[int(untrusted) :]):
        raise StateError(
            "页面打开之后，他人在该委托中办理了新的步骤，本次未提交 somebody else has taken a step "
            "since the page was opened; yours was not taken",
            remedy="请看“经过”，核对后再提交 look at the history, check, and send it again",
        )


def agency_page(
    request: Request,
    desk: AgencyDesk,
    identity: Identity,
    number: str,
    *,
    done: str = "",
    failure: CustodyError | None = None,
    failed: str = "",
    entered: Mapping[str, str] | None = None,
) -> Response:
    """Return the page of one commission as its agency sees it."""
    found = desk.commission(number)
    return page(
        request,
        "commission.html",
        identity,
        status=status_of(failure) if failure else 200,
        done=DONE.get(done),
        failure=failure,
        failed=failed,
        entered=entered or {},
        acts=acts_of(desk, found),
        fetchable=_fetchable(desk.desk, found),
        can_return=Kind.RETURN_OPINION in desk.allowed(number),
        opinion_address=address_of(number, "/commission/opinion"),
        history=desk.steps(number),
        missing=desk.missing(number),
        home="/queue",
        **shown(desk.desk, found) | _left_to_do(found),
    )


def _left_to_do(found: Commission) -> dict[str, Pair]:
    """Return the agency's own next step, where what it holds outlasts the commission."""
    return {} if found.is_open or not found.unsettled else {"next_step": _SETTLE}


def shown(desk: Desk, found: Commission) -> dict[str, Any]:
    """Return what the page of a commission shows to whoever may see it."""
    rules, today = desk.rules(found), desk.today()
    row = row_of(found, today, rules, desk.calendar)
    return {
        "found": found,
        "standing": STANDING_NAMES[row.standing],
        "tone": tone_of(row.live) if row.live else ended_tone(found.state),
        "stops": stops(found),
        "clocks": [TimeLimit.of(each, found, rules) for each in row.clocks],
        "live": TimeLimit.of(row.live, found, rules) if row.live else None,
        "next_step": row.next_step,
        "extension": rules.extension,
        "files": files_of(desk, found),
        "until": access_until(found, desk.custody.settings.access_days),
        "fates": FATE_NAMES,
        "undecided": found.undecided_recusals[0].appraiser if found.undecided_recusals else "",
        "unsettled": _unsettled(found),
    }


def _fetchable(desk: Desk, found: Commission) -> bool:
    """Whether the agency may fetch the files today."""
    try:
        require_access(found, desk.today(), desk.custody.settings.access_days)
    except StateError:
        return False
    return True


def _unsettled(found: Commission) -> list[tuple[str, str]]:
    """Return number and name of the material whose fate is not on record."""
    waiting = {each.rpartition("/")[2] for each in found.unsettled}
    return [each for each in sent_material(found) if each[0] in waiting]


@dataclass(frozen=True)
class Sent:
    """One file that was sent: how it is asked for, its name, its digests, and where it is."""

    which: str
    name: str
    fingerprint: Fingerprint
    address: str


def files_of(desk: Desk, found: Commission) -> dict[str, Sent]:
    """Return the files of a commission, by how each is asked for."""
    base = f"/api/v1/commissions/{found.brief.commission_id}/files"
    return {
        each["which"]: Sent(
            each["which"],
            each["name"],
            Fingerprint.from_json(each["fingerprint"]),
            f"{base}/{each['which']}",
        )
        for each in handing_out.files_of(desk.custody, found.commission_no)
    }


@dataclass(frozen=True)
class TimeLimit:
    """One clock as the page shows it."""

    name: Pair
    state: Pair
    tone: str
    due: Due
    days_left: int | None
    unit: Unit
    ended: str

    @classmethod
    def of(cls, clock: Clock, found: Commission, rules: RuleSet) -> TimeLimit:
        """Return a clock with its words."""
        return cls(
            CLOCK_NAMES[clock.name],
            CLOCK_STATE_NAMES[clock.state],
            tone_of(clock),
            clock.due,
            clock.days_left,
            unit_of(clock, found, rules),
            clock.ended,
        )
