"""The desk at which the people of an agency work, as a dependency of their pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from appraisal.agency_desk import AgencyDesk
from portal.web.identity import AgencyPerson, House, agency_desk


def _agency(custody: House, identity: AgencyPerson) -> AgencyDesk:
    return agency_desk(custody, identity)


AgencyAtWork = Annotated[AgencyDesk, Depends(_agency)]
"""The desk of the agency whose people are signed in; others are refused."""
