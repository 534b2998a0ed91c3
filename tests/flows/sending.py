"""A case in custody and a commission about it, for the tests of what goes out and comes back."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appraisal import acts
from appraisal.desk import Desk
from portal.acting import accepting, moment, person
from storage.custody import Custody
from tests.appraisal.made import agency_fields, opinion_fields
from tests.house import CASE_NO, brief_for

NUMBER = "沪市监鉴委〔2026〕77号"


@dataclass
class Sending:
    """The desk of a house with one agency and one drafted commission."""

    house: Custody
    desk: Desk
    number: str = NUMBER

    def draft(self, at: str = "", number: str = NUMBER, *exhibits: str) -> None:
        """Draft a commission about exhibits of the case."""
        brief = brief_for(CASE_NO, number, *(exhibits or ("E0001", "E0002")))
        self.desk.draft(brief, person(""), moment(at))

    def dispatch(self, at: str = "", number: str = NUMBER) -> dict[str, Any]:
        """Send it out by the real flow."""
        from flows.dispatch import dispatch_commission

        return dispatch_commission(number, "", at)

    def accept(self, digest: str, at: str = "", number: str = NUMBER) -> None:
        """Accept it for the agency."""
        accepting(self.desk, number, digest, "", at)

    def close(self, reason: str = "") -> None:
        """Close it for the client."""
        self.desk.step(self.number, acts.close(person(""), moment(""), reason))

    def collect(self, folder: Path, **particulars: Any) -> dict[str, Any]:
        """Return an opinion with these particulars by the real flow."""
        from flows.collect import collect_opinion

        fields = opinion_fields(
            commission_no=self.number,
            issued_at=moment("")[:10],
            materials_listed=["E0001", "E0002"],
            **particulars,
        )
        folder.mkdir()
        (folder / "opinion.yaml").write_text(json.dumps(fields, ensure_ascii=False))
        (folder / "opinion.pdf").write_bytes(b"%PDF-1.7\nthe opinion\n%%EOF\n")
        return collect_opinion(
            self.number, str(folder / "opinion.pdf"), str(folder / "opinion.yaml")
        )


def opened_desk(house: Custody) -> Sending:
    """Return the desk of a house with the sample agency."""
    desk = Desk(house)
    desk.add_agency(agency_fields(), person(""))
    return Sending(house, desk)


def unpacked(package: Path, folder: Path) -> Path:
    """Unpack a package and return its bag."""
    shutil.unpack_archive(package, folder)
    (bag,) = folder.iterdir()
    return bag
