"""Two cases, two agencies, and commissions of their own for the tests of the desk."""

from pathlib import Path

from appraisal import acts
from appraisal.agency_desk import AgencyDesk
from appraisal.commission import Commission
from appraisal.desk import Desk
from storage.custody import Custody
from storage.digest import Fingerprint
from storage.nouns import Person
from tasks.reader.cell import CellPool
from tests.appraisal import made
from tests.house import CASE_NO, brief_for, make_bundle
from tests.tasks.life import OTHER_NO, open_house, take

OFFICER = Person("李明", unit="执法一队")
ZHOU, WANG = Person("周静", unit="申江鉴定中心"), Person("王工", unit="申江鉴定中心")
DIGEST = made.PACKAGE.sha256


def furnished(folder: Path, pool: CellPool) -> Path:
    """Make a house with two cases and two agencies; each test works on its own commission."""
    with open_house(folder / "home") as custody:
        take(custody, pool, make_bundle(folder / "one"))
        take(custody, pool, make_bundle(folder / "two", "B2", {"x.txt": b"x"}, OTHER_NO))
        desk = Desk(custody)
        desk.add_agency(made.agency_fields(), OFFICER)
        desk.add_agency(made.agency_fields(agency_id="HJ", name="恒鉴"), OFFICER)
    return folder / "home"


_numbers = iter(range(1, 1000))


def sent(house: Custody, point: str = "", agency: str = "SJ") -> str:
    """Send a commission about a secret point of its own; return its number."""
    number = f"鉴委〔2026〕{next(_numbers)}号"
    draft(house, number, point or number, agency)
    desk = Desk(house)
    desk.step(number, acts.dispatch(made.PACKAGE, OFFICER, house.now()))
    return number


def draft(house: Custody, number: str, point: str, agency: str = "SJ") -> Commission:
    matter = {
        "type": "非公知性",
        "question": "密点是否不为相关人员普遍知悉和容易获得",
        "secret_points": [point],
        "reference_date": "2025-11-03",
    }
    brief = brief_for(CASE_NO, number, "E0001", "E0002", matters=[matter], agency_id=agency)
    return Desk(house).draft(brief, OFFICER, house.now())


def agency(house: Custody, who: Person = ZHOU, agency_id: str = "SJ") -> AgencyDesk:
    return AgencyDesk(Desk(house), agency_id, who)


def accepted(house: Custody) -> str:
    number = sent(house)
    agency(house).accept(number, DIGEST)
    return number


def supply(
    house: Custody, number: str, exhibit: str, package: Fingerprint | None = None
) -> Commission:
    """Hand over an exhibit that was asked for, without building its package."""
    desk = Desk(house)
    found = desk.commission(number)
    lines = desk.materials(found.case_no, {"materials": [{"exhibit": exhibit}]})
    which = len(found.supplements)
    (step,) = acts.supply_supplement(lines, which, OFFICER, house.now(), package)
    return desk.step(number, step)
