"""The demonstration: one invented case from the drop folder to the appraiser and back.

Nothing is shown that is not done: real bundles are dropped, real flows run, the packages are
checked with the tools of the operating system, and at the end a byte is changed on a copy.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from appraisal import acts
from deploy.sample.authority import SampleAuthority, serving
from deploy.sample.opinion import make_opinion
from portal.acting import moment, person
from portal.anchors import print_run
from portal.commands import agencies, appraisal, cases, holding, proof, searching
from portal.commissions import print_opinion
from portal.demo_intake import take_bundles
from portal.demo_proof import prove_to_others
from portal.demo_queue import PageAgency, by_client, served
from portal.preparing import prepare
from portal.show import cell, console, line
from storage import openssl
from storage.catalogue import queries
from storage.custody import current
from storage.errors import HostError, IntegrityError
from storage.settings import relocate, settings
from tasks.filled import read_fields
from tasks.open_handovers import open_handovers
from tasks.reading import shared_pool
from tasks.supplying import build_supplement

SAMPLES = Path(__file__).resolve().parents[1] / "deploy" / "sample"
_MARK = ".demo"
CASE = "沪浦市监案〔2026〕0123号"
SUPPLEMENT = "E0006"
IDENTITY, NON_PUBLIC = "浦市监鉴委〔2026〕017号", "浦市监鉴委〔2026〕018号"


def run_demo(folder: Path) -> None:
    """Tell the whole story in a fresh workspace at ``folder``; an earlier demo is replaced.

    Raises:
        HostError: the folder holds something that no demo made.
        IntegrityError: something that must hold did not.
    """
    started = time.monotonic()
    _clear(folder)
    # What the demo drops is whole.
    relocate(folder, settle_seconds="0")
    _head("一、准备工作区", "The workspace")
    # Marked before anything is made: a demo that was stopped half-way can be run again.
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    prepare()
    _intake(folder)
    _look()
    sent = _send(folder)
    _check_with_other_tools(Path(sent[IDENTITY]["package"]))
    _work(folder)
    _anchor(folder)
    _prove(folder)
    _where_to_look(folder, time.monotonic() - started)


def _head(zh: str, en: str) -> None:
    console.rule(f"[bold]{zh}[/]  {en}", align="left")


def _clear(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise HostError(
            f"{folder} holds something that is not a demo's",
            remedy="name another folder: ./custody demo --folder FOLDER",
        )
    for each in (folder, _copy_of(folder)):
        shutil.rmtree(each, ignore_errors=True)


def _copy_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-tampered")


def _intake(folder: Path) -> None:
    _head("二、执法单位投递证据包", "An enforcement unit drops bundles")
    take_bundles(folder, CASE)


def _look() -> None:
    _head("三、案件、检索、保管链", "The case, search, chain of custody")
    cases.case_show(CASE)
    searching.search(CASE, "客户名单")
    cases.history(f"{CASE}/E0001")


def _send(folder: Path) -> dict[str, dict[str, Any]]:
    from flows.dispatch import dispatch_commission

    _head("四、委托鉴定", "Commissions go out")
    desk = appraisal.open_desk()
    for name in ("agency-hengjian.yaml", "agency-zhijian.yaml"):
        desk.add_agency(read_fields(shared_pool(), SAMPLES / name), person(""))
    agencies.agency_list()
    sent = {}
    for name in ("commission-identity.yaml", "commission-non-public.yaml"):
        drafted = desk.draft(read_fields(shared_pool(), SAMPLES / name), person(""), moment(""))
        number = drafted.commission_no
        sent[number] = dispatch_commission(number, "", "")
        line(f"[green]✓[/] {cell(number)} → {cell(sent[number]['agency'])}")
        line(f"  SHA-256 {sent[number]['package_digest']}（印在委托书上 printed on the letter）")
    return sent


def _check_with_other_tools(package: Path) -> None:
    """Check a package as an agency without this software would."""
    _head("五、鉴定机构用通用工具核对", "The agency checks with the system's own tools")
    folder = package.parent / "unpacked"
    folder.mkdir()
    shutil.unpack_archive(package, folder)
    (bag,) = folder.iterdir()
    for command in (
        ["sha256sum", "--quiet", "-c", "checks/sha256sums.txt"],
        ["b3sum", "--quiet", "-c", "checks/b3sums.txt"],
        ["cksum", "-a", "sm3", "--quiet", "--check", "checks/sm3sums.txt"],
    ):
        done = subprocess.run(command, cwd=bag, capture_output=True, text=True, check=False)
        if done.returncode:
            raise IntegrityError(f"{' '.join(command)}: {done.stdout}{done.stderr}".strip())
        line(f"[green]✓[/] {' '.join(command)}")
    shutil.rmtree(folder)


def _work(folder: Path) -> None:
    """Two agencies work through the real queue: one on its pages, one by its client."""
    from flows.turnaround import track_turnaround

    _head("六、受理、补充、鉴定意见", "Acceptance, supplement, opinion")
    desk = appraisal.open_desk()
    identity, non_public = desk.commission(IDENTITY), desk.commission(NON_PUBLIC)
    with served() as address:
        line(f"委托队列 the queue: {cell(address)}")
        with PageAgency(address, identity.agency_id, "panyue", "潘越") as agency:
            agency.take(identity, folder)
            agency.ask(identity, "请补充权利人与被控方的往来邮件")
            _supply()
            agency.take_supplement(identity, SUPPLEMENT, folder)
            pdf, told = _opinion(folder, identity.package_digest)
            agency.give(identity, pdf, told)
        by_client(address, non_public, "zhijian-client", "自动接收", folder)
    back = desk.commission(IDENTITY).returned[-1]
    findings = [each.as_json() for each in back.findings]
    print_opinion({"findings": findings, "exhibits": [back.exhibit_id]})
    desk.step(IDENTITY, acts.close(person(""), moment("")))
    later = date.fromisoformat(moment("")[:10]) + timedelta(days=75)
    line(f"75 天后 in 75 days ({later})，另一委托仍未交回意见 the other one is still open:")
    appraisal.overdue(later.isoformat())
    track_turnaround()
    _hand_over()


def _supply() -> None:
    """Send the supplement out as a package of its own, with its own digest."""
    sent = build_supplement(current(), IDENTITY, [{"exhibit": SUPPLEMENT}], person(""))
    line(f"[green]✓[/] {IDENTITY} 补充材料另行装包 the supplement is a package of its own")
    line(f"  SHA-256 {sent['package_digest']}")


def _hand_over() -> None:
    """Seal an original, hand it over with two acknowledgements, and say who holds what."""
    people = {"by": "孙保管", "second": "周保管"}
    holding.seal_renew(f"{CASE}/E0001", "封-0001", **people)
    holding.seal_break(f"{CASE}/E0001", "封-0001", reason="检察机关查验", **people)
    holding.seal_renew(f"{CASE}/E0001", "封-0002", **people)
    holding.handover_release(
        [f"{CASE}/E0001"],
        to="陈检察官",
        to_unit="浦东新区人民检察院",
        by="孙保管",
        purpose="移送审查",
        place="证据保管中心",
        seal_no="封-0002",
    )
    (waiting,) = open_handovers(current(), 0)
    holding.handover_receive(waiting["handover_no"], by="陈检察官", seal_no="封-0002")
    holding.holders(CASE)


def _opinion(folder: Path, digest: str) -> tuple[Path, dict[str, Any]]:
    fields = read_fields(shared_pool(), SAMPLES / "opinion.yaml")
    fields["package_digest_stated"] = digest
    fields["issued_at"] = moment("")[:10]
    fields["materials_listed"].append(SUPPLEMENT)
    pdf = folder / "opinion.pdf"
    make_opinion(pdf, fields)
    return pdf, fields


def _anchor(folder: Path) -> None:
    """Have the log stamped by an authority that lives as long as this takes."""
    from flows.anchor import anchor_log

    line("日志由时间戳机构加盖时间戳（演示用，openssl 临时生成）/ the log is time-stamped:")
    authority = SampleAuthority(folder / "authority")
    authority.make()
    with serving(authority.reply) as url:
        _configure(folder, authority.write_settings(url))
        print_run(anchor_log())
        prove_to_others(f"{CASE}/E0001", folder)
    _configure(folder, "")
    for reply in sorted((folder / "objects" / "anchors").glob("*/*.tsr")):
        note, trusted = reply.with_name("checkpoint"), authority.certificates
        openssl.run(["ts", "-verify", "-in", reply, "-data", note, "-CAfile", trusted])
        line(f"[green]✓[/] openssl ts -verify -in {cell(reply.name)} -data checkpoint")


def _configure(folder: Path, authorities: str | Path) -> None:
    """Open the workspace again, with these authorities and no witness to ask."""
    current().database.close()
    current.cache_clear()
    relocate(folder, timestamp_authorities=authorities, witnesses="")


def _prove(folder: Path) -> None:
    _head("七、核验", "Verification")
    proof.verify(CASE)
    _head("八、在副本上改动一个字节", "One byte is changed, on a copy")
    copy = _copy_of(folder)
    shutil.copytree(folder, copy)
    victim = copy / "objects" / _key_of("E0001")
    victim.chmod(0o644)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    line(f"改动 changed: {cell(victim)}")
    if _refused(lambda: _verify_in(copy)):
        line("[green]✓[/] 核验指出了这一件，且仅此一件 it names that item and no other")
    else:
        raise IntegrityError("the changed byte was not noticed")


def _key_of(label: str) -> str:
    with current().read() as session:
        return str(queries.find_exhibit(session, f"{CASE}/{label}")["object"]["key"])


def _verify_in(copy: Path) -> list[str]:
    from portal.verification import print_report
    from tasks.verifying import verify_case

    report = verify_case(settings().model_copy(update={"home": copy}), CASE)
    print_report(report, only_wrong=True)
    return [item.label for item in report.items if item.result.value != "ok"]


def _refused(check: Callable[[], list[str]]) -> bool:
    return len(check()) == 1


def _where_to_look(folder: Path, seconds: float) -> None:
    _head("九、去哪里看", "Where to look")
    line(f"收据 receipts:      {cell(folder)}/drop/pudong-01/receipts/")
    line(f"退回 refusals:      {cell(folder)}/drop/pudong-01/rejected/")
    line(f"委托书 letters:     {cell(folder)}/packages/")
    line(f"日志 custody log:   {cell(folder)}/objects/log/  (C2SP tlog-tiles)")
    line(f"公钥 public key:    {cell(folder)}/keys/log.pub")
    line(f"再试 try:           CUSTODY_HOME={cell(folder)} ./custody case list")
    line(
        f"Prefect 界面 UI:    PREFECT_HOME={cell(folder)}/prefect .venv/bin/prefect server start, "
        "then http://127.0.0.1:4200"
    )
    line(f"[bold green]完成 done[/] · {seconds:.0f} s")
