"""A bureau with two agencies and commissions in every standing, on a day that does not move.

Everything is made by the steps that people take, each at its own time, without Prefect: the case
comes in, commissions go out, agencies answer. Who signs in has the password ``PASSWORD``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from appraisal import acts
from appraisal.accounts import Account, Identity, Role, new_account
from appraisal.agency_desk import AgencyDesk
from appraisal.checks import check_opinion
from appraisal.desk import Desk
from appraisal.opinion import Opinion
from storage.custody import Custody
from storage.nouns import Person
from tasks import claims, dispatching, judging, receiving, settling, storing
from tasks.accounts import Accounts
from tasks.chasing import chase_day
from tasks.reading import shared_pool
from tasks.supplying import build_supplement
from tests.appraisal.made import IDENTITY, agency_fields, brief_fields, opinion_fields
from tests.house import CASE_NO, make_bundle

NOW = datetime.fromisoformat("2026-03-10T09:20:00+08:00")
"""The day on which the pages are looked at: a Tuesday."""
PASSWORD = "曲线 walnut 渡口 lantern 47"
OFFICER = Person("李明", "31000101", "某市市场监督管理局")
FILES = {
    "反应釜温度曲线.csv": "时间,温度\n0,20\n60,85\n".encode(),
    "客户名单及报价（2025）.txt": "甲公司 3.20\n乙公司 3.35\n".encode(),
    "被控方工艺规程.txt": "升温至85度，保温六十分钟\n".encode(),
    "离职员工电脑提取清单.txt": b"E:\\recipe\\v7.xlsx\n",
}
LOGINS = {
    "zhoujing": ("周静", Role.AGENCY_ADMIN, "SJ"),
    "hegong": ("何工", Role.AGENCY_MEMBER, "SJ"),
    "wuyue": ("吴越", Role.AGENCY_ADMIN, "HX"),
    "liming": ("李明", Role.OFFICER, ""),
    "shenxiaoji": ("审小计", Role.AUDITOR, ""),
}


def number(index: int) -> str:
    """Return the number of one of the commissions."""
    return f"沪市监鉴委〔2026〕{index}号"


@dataclass
class World:
    """The installation, and which commission is for what."""

    custody: Custody
    digests: dict[int, str] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """Return the bureau's desk."""
        return Desk(self.custody)

    def at(self, text: str) -> Custody:
        """Return the installation at another time (``03-09 10:00`` of 2026)."""
        moment = datetime.fromisoformat(f"2026-{text}:00+08:00")
        return replace(self.custody, clock=lambda: moment)

    def agency(self, text: str, agency: str = "SJ", who: str = "周静") -> AgencyDesk:
        """Return an agency's desk at a time."""
        return AgencyDesk(Desk(self.at(text)), agency, Person(who, "SJ-07", "申江鉴定中心"))

    def send(self, index: int, at: str, agency: str = "SJ", **changes: Any) -> str:
        """Draft a commission and send it out; return its number."""
        name, custody = number(index), self.at(at)
        choice = changes.pop("exhibits", ("E0001", "E0002"))
        brief = brief_fields(
            case_no=CASE_NO,
            commission_no=name,
            agency_id=agency,
            materials=[{"exhibit": each, "side": _SIDES.get(each, "其他")} for each in choice],
            **changes,
        )
        Desk(custody).draft(brief, OFFICER, custody.now())
        made = dispatching.dispatch(custody, name, by="李明", at=None)
        self.digests[index] = made["package_digest"]
        return name


_SIDES = {"E0001": "权利人", "E0002": "权利人", "E0003": "被控方"}
FRESH, PHONE, KEYS = 21, 22, 23
"""Commissions that wait to be acknowledged: for the desk, the phone, and the keyboard alone."""
PLAIN = 24
"""And one for a browser without scripts."""
WAITING = 25
"""One that nobody touches."""
LARGE, EXTENDING, TWICE = 18, 19, 20
"""Under way; waiting for a large opinion, for an extension; received, for a double click."""
NEWS, SUPPLIED = 26, 27
"""One that is sent while somebody looks at the queue; one whose supplement has come."""
RECEIVED, RUNNING, PAUSED, LATE, BACK, CLOSED, DECLINED, FOREIGN = 11, 12, 13, 14, 15, 16, 17, 31


def made_world(custody: Custody, folder: Path, moving: Callable[[], timedelta]) -> World:
    """Make it all; afterwards the installation's clock goes on from ``NOW``.

    Args:
        custody: a fresh installation.
        folder: where the bundle is written.
        moving: how long ago the pages were opened.
    """
    world = World(replace(custody, clock=lambda: NOW + moving()))
    _take_in(custody, make_bundle(folder / "bundle", files=FILES))
    _agencies(world)
    _waiting(world)
    _under_way(world)
    _ended(world)
    _people(world)
    for day in ("02-24", "02-26", "03-09"):
        chase_day(world.at(f"{day} 08:00"))
    return world


def _take_in(custody: Custody, bundle: Path) -> None:
    """Take a bundle in by the plain functions that the flow's tasks call; nothing is read."""
    with claims.taking(custody, bundle, "", in_place=True) as claim:
        arrival = receiving.look(custody, claim.accession)
        taken = receiving.take_files(custody, claim.accession, arrival.files)
        received = receiving.receive(custody, arrival, [taken.packed()])
        verdict = judging.judge(custody, shared_pool(), received)
        stored = storing.move_originals(custody, verdict.shelf, verdict.to_store)
        settling.settle(custody, verdict, storing.gather([stored]))
        claims.finish(custody, claim.accession)


def _agencies(world: World) -> None:
    world.desk.add_agency(agency_fields(), OFFICER)
    other = agency_fields(
        agency_id="HX",
        name="华夏数据司法鉴定所",
        credit_code="52310000MJ49000002",
        contacts=[{"name": "吴越", "phone": "021-5550177"}],
    )
    world.desk.add_agency(other, OFFICER)


def _waiting(world: World) -> None:
    for index in (FRESH, PHONE, KEYS, PLAIN, WAITING):
        world.send(index, f"03-09 10:{index}")
    for index in (RECEIVED, TWICE):
        world.send(index, f"03-04 15:{index}", exhibits=("E0001",))
        world.agency("03-05 09:00").receive(number(index), world.digests[index])
    world.send(LATE, "02-09 09:30", exhibits=("E0002",))
    world.send(FOREIGN, "03-06 09:30", agency="HX", matters=[_INTEGRITY], exhibits=("E0004",))


_INTEGRITY = {
    "type": "电子数据真实性完整性",
    "question": "提取清单所列文件自提取以来是否被修改",
}


def _accepted(world: World, index: int, sent: str, accepted: str, **changes: Any) -> AgencyDesk:
    name = world.send(index, sent, **changes)
    desk = world.agency(accepted)
    desk.receive(name, world.digests[index])
    desk.accept(name)
    return desk


def _under_way(world: World) -> None:
    matters = [IDENTITY]
    exhibits = ("E0001", "E0003")
    _accepted(world, RUNNING, "02-02 09:00", "02-03 11:00", matters=matters, exhibits=exhibits)
    world.agency("02-04 09:00").start(number(RUNNING), ["陈工", "何工"])
    for index in (LARGE, EXTENDING):
        sent = f"03-02 11:{index}"
        _accepted(world, index, sent, "03-03 11:00", matters=matters, exhibits=exhibits)
    _accepted(world, PAUSED, "02-24 10:00", "02-25 10:00", matters=matters, exhibits=exhibits)
    what = "请提供被控方工艺规程的原始电子文件，以及反应釜的型号。"
    world.agency("03-02 16:10").request_supplement(number(PAUSED), what)
    _accepted(world, SUPPLIED, "02-24 11:00", "02-25 11:00", matters=matters, exhibits=exhibits)
    world.agency("03-03 16:10").request_supplement(number(SUPPLIED), "请提供提取清单。")
    build_supplement(world.at("03-05 09:00"), number(SUPPLIED), [{"exhibit": "E0004"}], OFFICER)
    _accepted(world, BACK, "01-15 10:00", "01-16 10:00", exhibits=("E0001",))
    _return(world, BACK, "03-06 17:00", seal=False)


def _return(world: World, index: int, at: str, **changes: Any) -> None:
    name, custody = number(index), world.at(at)
    desk = Desk(custody)
    found = desk.commission(name)
    told = opinion_fields(
        commission_no=name,
        issued_at=f"2026-{at[:5]}",
        materials_listed=[each.number for each in found.materials],
        package_digest_stated=world.digests[index],
        **changes,
    )
    told_opinion = Opinion.parse(told)
    findings = check_opinion(told_opinion, found, desk.agency("SJ"), custody.clock().date())
    exhibit = found.materials[0].exhibit_id
    actor = Person("周静", "SJ-07", "申江鉴定中心")
    desk.step(name, acts.return_opinion(told_opinion, exhibit, findings, actor, custody.now()))


def _ended(world: World) -> None:
    _accepted(world, CLOSED, "01-05 10:00", "01-06 10:00", exhibits=("E0002",))
    _return(world, CLOSED, "02-05 10:00")
    custody = world.at("02-09 10:00")
    Desk(custody).step(number(CLOSED), acts.close(OFFICER, custody.now()))
    world.send(DECLINED, "02-26 10:00", exhibits=("E0002",))
    why = "鉴定事项涉及的检测设备正在检定，无法在期限内完成。"
    world.agency("02-27 10:00").decline(number(DECLINED), why)


def _people(world: World) -> None:
    accounts = Accounts(world.custody)
    for login, (name, role, agency) in LOGINS.items():
        account = new_account(login, name, role, agency_id=agency, person_id=f"P-{login}")
        accounts.set_password(accounts.add(account), PASSWORD)


def identity_of(account: Account, agency_name: str = "") -> Identity:
    """Return the identity of an account, for tests that go past the sign-in page."""
    return Identity(account.account_id, account.name, account.role, account.agency_id, agency_name)
