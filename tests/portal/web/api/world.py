"""A house with a case, two agencies and their tokens, for the tests of the interface."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from appraisal import accounts
from appraisal.accounts import Account, Role, Scope
from appraisal.agency_desk import AgencyDesk
from appraisal.desk import Desk
from portal.web.app import create_app
from portal.web.security import QueueApp
from storage.custody import Custody
from storage.event import Action
from storage.nouns import Person, case_id
from tasks import dispatching
from tasks.accounts import Accounts
from tasks.reading import shared_pool
from tests.appraisal.made import agency_fields, opinion_fields
from tests.house import CASE_NO, brief_for, events, make_bundle, opened_house
from tests.portal.web.signing import HERE, bearer, make_token
from tests.tasks.life import take

OFFICER = Person("李明", unit="执法一队")
PDF = b"%PDF-1.7\n" + b"the opinion\n" * 40 + b"%%EOF\n"
API = "/api/v1"
_COUNT = itertools.count(1)


@dataclass
class World:
    """The house, its application, and one account and token for each of two agencies."""

    house: Custody
    desk: Desk
    app: QueueApp
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def send(self, agency: str = "SJ", number: str = "", **changes: Any) -> "Sent":
        """Draft a commission and send it to an agency."""
        number = number or f"沪市监鉴委〔2026〕{next(_COUNT)}号"
        # Two agencies may not have the same matter of a case at once.
        brief = brief_for(CASE_NO, number, "E0001", "E0002", agency_id=agency, **changes)
        for matter in brief["matters"]:
            matter["secret_points"] = [f"密点：{number}所附图纸"]
        self.desk.draft(brief, OFFICER, self.house.now())
        sent = dispatching.dispatch(self.house, number, by="", at=None)
        return Sent(self, agency, number, case_id(number), sent["package_digest"])

    def client(self, agency: str = "SJ", *scopes: Scope) -> TestClient:
        """Return a client that shows a token of an agency's account."""
        token = self.tokens[agency]
        if scopes:
            token = make_token(self.house, self.accounts[agency], *scopes)
        return self.visitor(bearer(token))

    def visitor(self, headers: Mapping[str, str] | None = None) -> TestClient:
        """Return a client with any headers; errors are answers, as outside."""
        return TestClient(
            self.app,
            base_url=HERE + API,
            headers=dict(headers or {}),
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def agency_desk(self, agency: str = "SJ") -> AgencyDesk:
        """Return an agency's desk, as its account acts."""
        account = self.accounts[agency]
        name = self.desk.agency(agency).name
        return AgencyDesk(self.desk, agency, Person(account.name, account.account_id, name))

    def steps(self, number: str, kind: str) -> int:
        """Return how many events of a kind of step a commission has."""
        return sum(
            each.details["commission_no"] == number and each.details["transition"]["kind"] == kind
            for each in events(self.house, Action.COMMISSION)
        )


@dataclass
class Sent:
    """A commission that was sent, and what its agency may do about it."""

    world: World
    agency: str
    number: str
    id: str
    digest: str

    @property
    def path(self) -> str:
        """Its address below the interface's."""
        return f"/commissions/{self.id}"

    def accepted(self) -> "Sent":
        """Accept it and begin the work."""
        desk = self.world.agency_desk(self.agency)
        desk.accept(self.number, self.digest)
        desk.start(self.number, ["陈工", "何工"])
        return self

    def particulars(self, **changes: Any) -> dict[str, Any]:
        """Return the particulars of a right opinion about it."""
        return opinion_fields(
            commission_no=self.number,
            agency_id=self.agency,
            issued_at=self.world.house.now()[:10],
            materials_listed=["E0001", "E0002"],
            package_digest_stated=f"sha256:{self.digest}",
            **changes,
        )


def new_account(house: Custody, login: str, agency: str) -> Account:
    """Put an account on record that nobody signs in to: it has tokens alone."""
    made = accounts.new_account(login, f"{login}的姓名", Role.AGENCY_ADMIN, agency_id=agency)
    Accounts(house).add(made)
    return made


@contextlib.contextmanager
def opened_world(home: Path) -> Iterator[World]:
    """Make a world at ``home``; this process works in it until the block ends."""
    with opened_house(home / "home") as house:
        take(house, shared_pool(), make_bundle(home / "bundle"))
        desk = Desk(house)
        desk.add_agency(agency_fields(), OFFICER)
        other = {"agency_id": "OT", "name": "另一鉴定中心", "credit_code": "52310000MJ49000002"}
        desk.add_agency(agency_fields(**other), OFFICER)
        world = World(house, desk, create_app(house))
        for agency in ("SJ", "OT"):
            account = new_account(house, f"{agency.lower()}-admin", agency)
            world.accounts[agency] = account
            world.tokens[agency] = make_token(house, account, days=90)
        yield world
