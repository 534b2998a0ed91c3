"""The forecast of an ingest: what lies in the bundle and how long it may take, before it begins."""

from __future__ import annotations

from dataclasses import dataclass

from storage.custody import Custody
from tasks.expecting import expected
from tasks.receiving import look
from tasks.stages import STAGES


@dataclass(frozen=True)
class Forecast:
    """Documents, their bytes, and the seconds expected; None where a stage was never seen."""

    documents: int
    size: int
    seconds: float | None


def forecast(custody: Custody, accession: str) -> Forecast | None:
    """Return what an ingest may take; None for one that goes on from the record.

    Raises:
        InputError: the bundle is gone.
        TransientError: a folder of it cannot be read at this moment.
    """
    arrival = look(custody, accession)
    if arrival.on_record:
        return None
    documents, size = len(arrival.files), sum(each.size for each in arrival.files)
    known = expected(custody, documents, size)
    return Forecast(documents, size, sum(known.values()) if len(known) == len(STAGES) else None)
