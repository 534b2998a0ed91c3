"""A house that has lived: small bundles taken through the real steps, without an engine.

Every kind of event comes from the function that records it in earnest; only Prefect, which keeps
no record, is left out.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from appraisal import acts
from appraisal.accounts import Role, new_account
from appraisal.desk import Desk
from deploy.sample.authority import SampleAuthority, serving
from deploy.sample.opinion import make_opinion
from portal.web.sessions import Sessions
from storage.catalogue import kept
from storage.catalogue.database import Database
from storage.custody import Custody, database_url, init_custody, open_custody
from storage.directory import DirectoryStore
from storage.nouns import Person, case_id
from storage.settings import Settings
from storage.workspace import Workspace
from tasks import (
    case_clock_steps,
    chasing,
    claims,
    dispatching,
    disposing,
    drilling,
    fixity,
    giving,
    giving_back,
    handing,
    judging,
    need_to_know,
    reading,
    receiving,
    recomputing,
    releasing,
    rereading,
    returning,
    sealing,
    settling,
    storing,
    sweeping,
)
from tasks.accounts import Accounts
from tasks.alerting import close_alert
from tasks.anchoring import record_cosignatures
from tasks.bundle import Answer
from tasks.handing_out import open_package, record_download
from tasks.reader.cell import CellPool
from tasks.releasing import Decision
from tasks.repair_sources import open_sources
from tasks.repairing import repair
from tasks.rotating import rotate_key
from tests.appraisal.made_notice import notice_text
from tests.house import CASE_NO, lay_out, make_bundle
from tests.services.rgw import free_port
from tests.services.witness import running_witness
from tests.tasks.anchoring_made import Anchored

SAMPLES = Path(__file__).resolve().parents[2] / "deploy/sample"
OTHER_NO = "沪市监案〔2026〕0778号"
CASE = case_id(CASE_NO)
OFFICER = Person("张伟", unit="执法稽查科")


@contextmanager
def open_house(home: Path, **more: Any) -> Iterator[Custody]:
    """Make (or open) a house and close it again."""
    chosen = Settings(home=home, **more)
    if home.exists():
        init_custody(chosen)
    else:
        lay_out(chosen)
    custody = open_custody(chosen)
    try:
        yield custody
    finally:
        custody.database.close()


def copy_of(made: Path, home: Path, **more: Any) -> AbstractContextManager[Custody]:
    """Open a copy of a house that was made once for many tests; the first stays as it was."""
    shutil.copytree(made, home, symlinks=True)
    return open_house(home, **more)


def copied(folder: Path, to: Path) -> Path:
    """Copy a bundle: the same that is dropped once more."""
    return Path(shutil.copytree(folder, to))


def zipped(folder: Path) -> Path:
    """Pack a bundle's folder as a .zip beside it."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(folder.iterdir()):
            archive.write(each, each.name)
    return path


def take(custody: Custody, pool: CellPool, path: Path, *, in_place: bool = True) -> Answer:
    """Take one bundle in, step by step as the flow does."""
    claim = claims.claim_bundle(custody, path, "pudong-01", in_place=in_place)
    return go_on(custody, pool, claim.accession)


def go_on(custody: Custody, pool: CellPool, accession: str) -> Answer:
    """Ingest a claim, whatever was done of it already."""
    arrival = receiving.look(custody, accession)
    taken = receiving.take_files(custody, accession, arrival.files)
    bundle = receiving.receive(custody, arrival, [taken])
    verdict = judging.judge(custody, pool, bundle)
    stored = storing.move_originals(custody, verdict.shelf, verdict.to_store)
    answer = settling.settle(custody, verdict, stored)
    reading.read_exhibits(custody, pool, answer.exhibits)
    claims.finish(custody, accession)
    return answer


def _brief(name: str, number: str, materials: list[tuple[str, str]]) -> dict[str, Any]:
    brief: dict[str, Any] = yaml.safe_load((SAMPLES / name).read_text())
    brief["case_no"], brief["commission_no"] = CASE_NO, number
    brief["materials"] = [{"exhibit": exhibit, "side": side} for exhibit, side in materials]
    return brief


def appraise(custody: Custody, folder: Path) -> None:
    """Two commissions: one with a supplement and an opinion, one that becomes overdue."""
    desk = Desk(custody)
    for name in ("agency-hengjian.yaml", "agency-zhijian.yaml"):
        desk.add_agency(yaml.safe_load((SAMPLES / name).read_text()), OFFICER)
    now = custody.now()
    sides = [("E0001", "权利人"), ("E0002", "被控方")]
    first = desk.draft(_brief("commission-identity.yaml", "鉴〔2026〕1号", sides), OFFICER, now)
    second = desk.draft(
        _brief("commission-non-public.yaml", "鉴〔2026〕2号", sides[:1]), OFFICER, now
    )
    agent = Person("陆明远", unit="鉴定机构")
    for each in (first, second):
        sent = dispatching.dispatch(custody, each.commission_no, by="", at=None)
        desk.step(each.commission_no, acts.accept(agent, custody.now(), sent["package_digest"]))
        if each is first:
            digest = sent["package_digest"]
            _fetch(custody, each.commission_no)
    number = first.commission_no
    desk.step(number, acts.request_supplement("往来邮件", agent, custody.now()))
    desk.step(number, acts.receive_supplement([f"{CASE}/E0003"], agent, custody.now(), ""))
    pdf, particulars = _opinion(folder, number, digest)
    outcome = returning.collect(custody, number, str(pdf), str(particulars), by="", at=None)
    assert outcome["exhibits"]
    later = replace(custody, clock=lambda: datetime.fromisoformat(now) + timedelta(days=120))
    sweeping.chase(later, (date.fromisoformat(now[:10]) + timedelta(days=119)).isoformat())
    chasing.chase_notices(later)


def _fetch(custody: Custody, number: str) -> None:
    """Let a member of the agency sign in for the first time and fetch the package."""
    accounts = Accounts(custody)
    made = new_account("luming", "陆明远", Role.AGENCY_MEMBER, agency_id="hengjian")
    account = accounts.set_password(accounts.add(made), "钎焊 ladder 黄浦 orchid")
    Sessions(custody).begin(account, "link", "127.0.0.1")
    package = open_package(custody, number)
    person = Person(account.name, id=account.account_id)
    record_download(custody, number, person, file=package)
    record_download(custody, number, person, file=package, whole=True)


def _opinion(folder: Path, number: str, digest: str) -> tuple[Path, Path]:
    fields = yaml.safe_load((SAMPLES / "opinion.yaml").read_text())
    fields |= {"commission_no": number, "package_digest_stated": digest}
    fields["materials_listed"] = ["E0001", "E0002", "E0003"]
    fields["issued_at"] = str(date.today())
    pdf, particulars = folder / "opinion.pdf", folder / "opinion.yaml"
    make_opinion(pdf, fields)
    particulars.write_text(json.dumps(fields, ensure_ascii=False, default=str))
    return pdf, particulars


def live(custody: Custody, pool: CellPool, folder: Path) -> None:
    """Make every kind of event that the ordinary steps make."""
    one = make_bundle(folder / "one", "B1", {"a.txt": "甲方客户名单".encode(), "b.txt": b"quote"})
    take(custody, pool, one)
    two = make_bundle(folder / "two", "B2", {"c.txt": "往来邮件".encode()}, secrecy="商业秘密")
    take(custody, pool, zipped(two), in_place=False)
    take(custody, pool, copied(two, folder / "again"))
    bad = make_bundle(folder / "bad", "B3", {"d.txt": b"d"})
    right = folder / "right.yaml"
    (bad / "manifest.yaml").rename(right)
    (bad / "manifest.yaml").write_text("nothing: right\n")
    _decide(custody, pool, take(custody, pool, bad), right)
    appraise(custody, folder)
    _keep_time(custody)
    _hand_over(custody, folder)
    reading.read_exhibits(custody, pool, [f"{CASE}/E0001"], again=True)
    _expand(custody, pool, folder)
    sweeping.audit(custody, CASE)
    _anchor(custody, folder)
    _look_after(custody, pool, folder)


def _keep_time(custody: Custody) -> None:
    """Clocks of the case, a period that they leave out, and a year's notice that is loaded."""
    for name in ("case_handling", "preservation"):
        case_clock_steps.start(custody, CASE, name, when="", document="立案1号", by=OFFICER)
    case_clock_steps.exclude(custody, CASE, "hearing", when="", document="听证1号")
    recomputing.load_notice(custody, notice_text(), OFFICER)
    case_clock_steps.resume(custody, CASE, "hearing", when="", document="听证2号")
    case_clock_steps.end(custody, CASE, "preservation", when="", document="决1号", outcome="解除")


def _expand(custody: Custody, pool: CellPool, folder: Path) -> None:
    """A container in a container; all of it, and one part alone, are read again."""
    held = {
        "held.zip": archived({"in.zip": archived({"密.txt": "技术秘密".encode()}), "x.txt": b"x"})
    }
    (exhibit,) = take(custody, pool, make_bundle(folder / "held", "B9", held)).exhibits
    reading.read_exhibits(custody, pool, [exhibit], again=True)
    rereading.read_again(custody, pool, exhibit, rereading.Selection(part="0/0"))


def archived(members: dict[str, bytes]) -> bytes:
    """Return a zip archive of these members; equal at any time."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return data.getvalue()


def _decide(custody: Custody, pool: CellPool, refused: Answer, right: Path) -> None:
    """A refused bundle is released, refused again and released for good; one is given back."""
    first = releasing.release(custody, refused.accession, Decision("王", "再看"))
    go_on(custody, pool, first)
    second = releasing.release(custody, first, Decision("王", "核实", right))
    go_on(custody, pool, second)
    again = make_bundle(right.parent / "worse", "B4", {"e.txt": b"e"})
    (again / "manifest.yaml").write_text("nothing: right\n")
    giving_back.give_back(custody, take(custody, pool, again).accession, by="王", reason="单位索回")


def _anchor(custody: Custody, folder: Path) -> None:
    """Timestamps of an authority that answers, none of one that does not; a witness."""
    authority = SampleAuthority(folder / "authority")
    authority.make()
    known = {"name": "tsa", "certificates": str(authority.folder / "ca.pem")}
    log = custody.log.reader().ring.current
    with (
        serving(authority.reply) as url,
        running_witness(folder / "witness", log) as (address, vkey),
    ):
        dead = f"http://127.0.0.1:{free_port()}/"
        changes = {
            "timestamp_authorities": json.dumps(
                [{**known, "url": url}, {**known, "name": "dead", "url": dead}]
            ),
            "witnesses": json.dumps([{"url": address, "vkey": vkey}]),
        }
        asking = replace(custody, settings=custody.settings.model_copy(update=changes))
        Anchored(asking).run()
        record_cosignatures(asking, custody.log.checkpoint_text())


def _hand_over(custody: Custody, folder: Path) -> None:
    """A seal renewed, originals there and back again, one still under way, one given out."""
    one, two = f"{CASE}/E0001", f"{CASE}/E0002"
    persons = (OFFICER, Person("李娜", unit=OFFICER.unit))
    sealing.renew_seal(custody, one, "F1", persons)
    sealing.break_seal(custody, one, "F1", persons, "鉴定取样")
    said = handing.Circumstances(custody.now(), "移送审查", "上海")
    addressee = Person("王五", unit="市公安局")
    number = handing.release(custody, [one, two], custody.receiver(), addressee, said)
    handing.receive(custody, number, addressee, said)
    handing.give_back(custody, number, "", said)
    giving.export(custody, f"{CASE}/E0003", folder / "given.txt", OFFICER, "阅卷")


def _look_after(custody: Custody, pool: CellPool, folder: Path) -> None:
    """A sweep that finds a mismatch, a repair, a drill, holds, a case disposed of."""
    other = take(
        custody,
        pool,
        make_bundle(
            folder / "old", "B1", {"o.txt": b"old", "o.zip": archived({"p.txt": b"p"})}, OTHER_NO
        ),
    )
    victim = next((custody.workspace.objects / f"cases/{other.case}/originals").iterdir())
    shutil.copyfile(victim, folder / "copy")
    victim.chmod(0o644)
    victim.write_bytes(b"no")
    plan = fixity.plan_sweep(custody)
    wrong = [each for part in plan.parts for each in fixity.sweep_part(custody, part)]
    copies = open_sources(custody.settings, [str(folder / "copy")])
    assert repair(custody, OTHER_NO, copies, by="王", reason="磁盘坏道").ok
    with custody.read() as session:
        (alert,) = [each for each in kept.list_alerts(session) if each["kind"] == "fixity"]
    assert len(wrong) == 1
    close_alert(custody, alert["alert_id"], by="王", reason="从备份恢复")
    drilling.drill(custody, sample=2)
    Accounts(custody).add(new_account("liming", "李明", Role.OFFICER))
    need_to_know.put_on_list(custody, CASE, "liming", reason="承办人", by=OFFICER)
    disposing.set_hold(custody, CASE, by="王", reason="诉讼")
    disposing.set_hold(custody, OTHER_NO, by="王", reason="复议")
    disposing.release_hold(custody, OTHER_NO, by="王", second="李", reason="结案")

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(days=366 * custody.settings.retention_years)

    old = replace(custody, clock=clock, objects=DirectoryStore(custody.workspace.objects, clock))
    digest = disposing.list_disposal(old, OTHER_NO).digest
    disposing.dispose(old, OTHER_NO, by="王", second="李", reason="期满", digest=digest)
    rotate_key(custody, OFFICER, "例行轮换")
    sweeping.audit(custody, CASE)


def rows_of(chosen: Settings) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table of a house's database, tables of SQLite's own left out."""
    from sqlalchemy import inspect, text

    database = Database.open(database_url(chosen, Workspace(chosen.home)))
    with database.read() as session:
        connection = session.connection()
        names = [
            name
            for name in inspect(connection).get_table_names()
            if not name.startswith(("page_fts", "sqlite_"))
        ]
        found = {
            name: [dict(row) for row in session.execute(text(f'SELECT * FROM "{name}"')).mappings()]
            for name in sorted(names)
        }
    database.close()
    return found
