"""A commission that was sent out, made by the real steps without cell and engine."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appraisal.desk import Desk
from storage.custody import Custody
from storage.nouns import Person
from tasks import dispatching
from tests.appraisal.made import agency_fields
from tests.house import brief_for
from tests.tasks.life import open_house
from tests.tasks.proof_made import CASE_NO, take_case

NUMBER = "沪市监鉴委〔2026〕77号"
OFFICER = Person("李明", "31000101", "执法一队")
CLERK = Person("周静", "acc-7", "申江鉴定中心")
FILES = {
    "名单.txt": "甲方客户名单".encode(),
    "图纸.bin": random.Random(1).randbytes(9_000_001),
    "机密配方.txt": b"not sent",
}


@contextmanager
def case_house(
    folder: Path,
    files: Mapping[str, bytes] = FILES,
    agency: Mapping[str, Any] | None = None,
    **more: Any,
) -> Iterator[Custody]:
    """Open a house with one case and one agency."""
    with open_house(folder / "home", **more) as custody:
        take_case(custody, folder / "bundle", CASE_NO, files)
        Desk(custody).add_agency(agency_fields(**(agency or {})), OFFICER)
        yield custody


def draft(custody: Custody, *exhibits: str, number: str = NUMBER) -> None:
    """Draft a commission about exhibits of the case."""
    brief = brief_for(CASE_NO, number, *(exhibits or ("E0001", "E0002")))
    Desk(custody).draft(brief, OFFICER, custody.now())


def send(custody: Custody, *exhibits: str, number: str = NUMBER) -> dict[str, Any]:
    """Draft and dispatch a commission."""
    draft(custody, *exhibits, number=number)
    return dispatching.dispatch(custody, number, by="", at=None)
