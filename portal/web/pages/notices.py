"""The notices about due dates that an agency, or the bureau, is given on its page."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from appraisal.accounts import Identity
from appraisal.chasing import BUREAU
from portal.web.identity import House, SignedIn
from portal.web.pages.lines import address_of
from portal.web.pages.render import page
from portal.web.pages.route import pages
from storage.custody import Custody
from tasks.chasing import notices_for

router = pages()
_TONES = {"before": "warn", "due": "warn", "lift": "warn", "overdue": "bad", "escalated": "bad"}


@router.get("/notices")
def notices(request: Request, custody: House, identity: SignedIn) -> Response:
    """Show the newest notices, the newest first."""
    one = "/commission" if identity.agency_id else "/officer/commission"
    found = [
        {
            **each,
            "address": address_of(each["commission_no"], one) if each["commission_no"] else "",
            "tone": _TONES.get(each["kind"], "work"),
        }
        for each in _given(custody, identity)
    ]
    return page(request, "notices.html", identity, notices=found)


def _given(custody: Custody, identity: Identity) -> list[dict[str, Any]]:
    if identity.agency_id:
        return notices_for(custody, identity.agency_id)
    return notices_for(custody, BUREAU, reader=identity.account_id)
