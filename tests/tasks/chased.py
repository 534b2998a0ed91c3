"""A house whose clocks are chased: made once a file, copied for each test."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from appraisal import acts
from appraisal.commission import NoticeKind
from appraisal.desk import Desk
from storage.catalogue import notices as rows
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from tests.services.mail import Mailbox
from tests.tasks.life import open_house
from tests.tasks.sent import CLERK, NUMBER, OFFICER, case_house, draft

FILES = {"a.txt": b"one", "b.txt": b"two"}
AGENCY = {"contacts": [{"name": "周静", "email": "agency@a.example"}]}
SENT = "2026-08-30T10:00:00+08:00"
ACCEPTED = "2026-08-31T09:00:00+08:00"
DUE = date(2026, 10, 16)


def at(custody: Custody, moment: str | date, **more: Any) -> Custody:
    """Return the house as it is when its clock says so, with other settings."""
    text = f"{moment.isoformat()}T18:00:00+08:00" if isinstance(moment, date) else moment
    chosen = custody.settings.model_copy(update=more)
    return replace(custody, clock=lambda: datetime.fromisoformat(text), settings=chosen)


def mailing(box: Mailbox) -> dict[str, Any]:
    """Return settings by which mails go to a box."""
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_security": "none",
        "smtp_from": "notices@bureau.example",
        "notice_email": "officer@b.example",
        "escalation_email": "head@b.example",
        "public_url": "https://queue.example",
    }


def accept(
    custody: Custody, number: str = NUMBER, exhibits: Sequence[str] = (), *, told: bool = True
) -> Desk:
    """Draft, send and accept a commission; the party is told of the period, unless it is not."""
    then = at(custody, ACCEPTED)
    draft(at(custody, "2026-08-29T09:00:00+08:00"), *exhibits, number=number)
    desk, package = Desk(then), fingerprint_bytes(b"a package")
    desk.step(number, acts.dispatch(package, OFFICER, SENT))
    desk.step(number, acts.accept(CLERK, ACCEPTED, package.sha256))
    if told:
        desk.step(number, acts.notify(NoticeKind.PERIOD, "当事人", "告知1号", OFFICER, ACCEPTED))
    return desk


def make_house(folder: Path) -> Path:
    """Make a house with a case, an agency and a commission that was accepted; return its home."""
    with case_house(folder, FILES, AGENCY) as opened:
        accept(opened)
    return folder / "home"


@contextmanager
def copied(home: Path, folder: Path) -> Iterator[Custody]:
    """Open a copy of a house."""
    with open_house(shutil.copytree(home, folder / "home")) as opened:
        yield opened


def states(custody: Custody, **wanted: str) -> Counter[str]:
    """Count the notices on record by their state."""
    with custody.read() as session:
        return Counter(row["state"] for row in rows.listed(session, **wanted, limit=1000))


def recipients(box: Mailbox) -> list[str]:
    """Return to whom the mails went, in their order."""
    return [str(each["To"]) for each in box.got]
