"""What routes ask for: who acts, at which agency's desk, on which commission.

The three scopes are one dependency each, so that a route names what it takes: to look, to
download, to act. Accounts of the bureau have no agency and no queue here.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Path
from fastapi.security import HTTPBearer

from appraisal.accounts import Identity, Scope
from appraisal.agency_desk import AgencyDesk
from portal.web.api.values import CommissionId
from portal.web.identity import House, agency_desk, may

reads, downloads, acts = may(Scope.READ), may(Scope.DOWNLOAD), may(Scope.ACT)
bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="An API token of an account of the agency, with the scopes read, download, act.",
)
"""Only describes the scheme; who asks is found by the dependencies above."""

Reader = Annotated[Identity, Depends(reads)]
Downloader = Annotated[Identity, Depends(downloads)]
Actor = Annotated[Identity, Depends(acts)]


def _desk(custody: House, identity: Identity) -> AgencyDesk:
    if not identity.agency_id:
        raise HTTPException(
            403, "此接口仅供鉴定机构使用 this interface is for the accounts of agencies"
        )
    return agency_desk(custody, identity)


def reading_desk(custody: House, identity: Reader) -> AgencyDesk:
    """Return the desk of an agency whose account may look."""
    return _desk(custody, identity)


def downloading_desk(custody: House, identity: Downloader) -> AgencyDesk:
    """Return the desk of an agency whose account may download."""
    return _desk(custody, identity)


def acting_desk(custody: House, identity: Actor) -> AgencyDesk:
    """Return the desk of an agency whose account may act."""
    return _desk(custody, identity)


ReadingDesk = Annotated[AgencyDesk, Depends(reading_desk)]
DownloadingDesk = Annotated[AgencyDesk, Depends(downloading_desk)]
ActingDesk = Annotated[AgencyDesk, Depends(acting_desk)]
CommissionPath = Annotated[
    CommissionId,
    Path(
        description="The commission's ASCII identifier, `commission_id` of the listing.",
        examples=["2026-77-3f2a9c10"],
    ),
]
