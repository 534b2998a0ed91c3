"""A watcher with no engine behind it, and how a test sees what it did."""

from pathlib import Path
from typing import Any

from storage.custody import Custody
from tasks import claims


class Taken:
    """Stands where the ingest flow is started: keeps count, and fails where it is told to."""

    def __init__(self, house: Custody) -> None:
        self.house = house
        self.names: list[str] = []
        self.failing: dict[str, Exception] = {}

    def __call__(self, accession: str) -> dict[str, Any]:
        place = claims.place(self.house, accession)
        self.names.append(place.claim.name)
        if place.claim.name in self.failing:
            raise self.failing[place.claim.name]
        claims.finish(self.house, accession)
        return {"accession": accession, "state": "accepted", "folder": "receipts"}


def rejected(unit: Path) -> list[str]:
    folder = unit / "rejected"
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []
