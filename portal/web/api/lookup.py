"""From the identifier in an address to the commission that an agency knows by its number."""

from __future__ import annotations

from appraisal.agency_desk import AgencyDesk
from storage.catalogue import commission_ids
from storage.errors import NotFoundError


def number_of(desk: AgencyDesk, commission_id: str) -> str:
    """Return the number of one of the agency's commissions.

    Raises:
        NotFoundError: there is none; another agency's is not told apart from that.
    """
    with desk.desk.custody.read() as session:
        numbers = commission_ids.numbers_of(session, commission_id)
    for number in numbers:
        try:
            return desk.commission(number).commission_no
        except NotFoundError:
            continue
    raise NotFoundError(
        f"没有委托{commission_id} there is no commission {commission_id}",
        remedy="see the list of your commissions",
    )
