"""Who asks: the dependencies by which every route learns the identity behind a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from appraisal.accounts import Identity, Scope
from appraisal.agency_desk import AgencyDesk
from appraisal.desk import Desk
from storage.custody import Custody


def custody_of(request: Request) -> Custody:
    """Return the installation that the application serves."""
    found: Custody = request.app.state.custody
    return found


def signed_in(request: Request) -> Identity:
    """Return who is signed in with a browser session; others are sent to the sign-in page."""
    raise HTTPException(401)


def may(scope: Scope) -> Callable[[Request], Identity]:
    """Return a dependency of API routes: a bearer token of that scope, or a browser session."""

    def identity(request: Request) -> Identity:
        raise HTTPException(401)

    return identity


def agency_desk(custody: Custody, identity: Identity) -> AgencyDesk:
    """Return the desk of the agency that somebody acts for."""
    return AgencyDesk(Desk(custody), identity.agency_id, identity.person)


House = Annotated[Custody, Depends(custody_of)]
SignedIn = Annotated[Identity, Depends(signed_in)]
