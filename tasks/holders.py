"""Holders: the custody of one case as its recorded events tell it (RULES CU-03, CU-04).

The events are read from the log's journal and compared with their own chains and with the
journal's count of them; that they are those of the signed log is what ``custody verify`` shows.
"""

from __future__ import annotations

from storage.catalogue import handovers, queries
from storage.custody import Custody
from storage.event import decode
from storage.fold import CaseCustody, fold


def case_custody(custody: Custody, case: str) -> CaseCustody:
    """Return who holds every exhibit of a case, by identifier or number.

    Raises:
        NotFoundError: there is no such case.
        IntegrityError: a recorded event can no longer be read.
    """
    with custody.read() as session:
        found = queries.find_case(session, case)["case_id"]
        counts, last = handovers.chain_ends(session, found)
        entries = handovers.leaves(session, handovers.custody_indexes(session, found, last))
        return fold(found, ((index, decode(leaf)) for index, leaf in entries), counts)
