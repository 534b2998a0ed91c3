"""How agencies and suggestions are shown on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from appraisal.agency import REGISTER_NAMES, STATUS_NAMES, Agency
from appraisal.agency_parts import ACCREDITATION_FIELDS, CONTACT_FIELDS, SECRECY_FIELDS
from appraisal.directory import Changes
from appraisal.matters import MATTER_NAMES
from appraisal.suggest import PART_NAMES, WEIGHTS, Suggestion
from portal.show import cell, line, table


def print_agencies(found: Iterable[Agency]) -> None:
    """Print one line an agency."""
    rows = [
        (
            each.agency_id,
            each.name,
            "、".join(MATTER_NAMES[matter] for matter in each.scope),
            "、".join(REGISTER_NAMES[register.type] for register in each.registers),
            STATUS_NAMES[each.status],
        )
        for each in found
    ]
    table("鉴定机构 agencies", ("编号", "名称", "业务范围", "名册", "状态"), rows)


def print_agency(agency: Agency, day: date) -> None:
    """Print everything on record about an agency, and what holds on a day."""
    status = STATUS_NAMES[agency.status]
    line(f"[bold]{cell(agency.agency_id)} {cell(agency.name)}[/] · {status} {agency.status.value}")
    if agency.status_reason:
        line(f"  状态原因 reason: {cell(agency.status_reason)}")
    line(f"  {cell(agency.credit_code)} · {cell(agency.province)} · {cell(agency.rule_set)}")
    line(f"  同时承办上限 capacity: {agency.capacity or '未申报 not stated'}")
    for matter in agency.scope:
        fields = "、".join(agency.scope_fields.get(matter.value, ())) or "不限 any field"
        line(f"  {MATTER_NAMES[matter]}：{cell(fields)}")
    registers = [
        (REGISTER_NAMES[r.type], r.no, _period(r.valid_from, r.valid_to), _mark(r.valid_on(day)))
        for r in agency.registers
    ]
    table(f"名册 registers · {day}", ("名册", "编号", "有效期", "当日有效"), registers)
    people = [
        (
            *(p.name, p.licence_no, p.field, f"{p.title}{'（高级）' if p.senior else ''}"),
            *(_period(p.valid_from, p.valid_to), _mark(p.valid_on(day))),
        )
        for p in agency.appraisers
    ]
    heads = ("姓名", "执业证号", "专业", "职称", "有效期", "当日有效")
    table(f"鉴定人 appraisers · {day}", heads, people)
    _print_values("认可认证 accreditation", agency.accreditation, ACCREDITATION_FIELDS)
    held = "、".join(agency.accredited_on(day)) or "无 none"
    line(f"  当日有效 in force on {day}: {held}")
    _print_values("保密协议 secrecy agreement", agency.secrecy_agreement, SECRECY_FIELDS)
    line(f"  当日有效 in force on {day}: {_mark(agency.bound_on(day))}")
    line(f"利益冲突 conflicts: {cell('、'.join(agency.conflicts)) or '无 none declared'}")
    for contact in agency.contacts:
        told = " · ".join(contact[key] for key in CONTACT_FIELDS if key in contact)
        line(f"联系人 contact: {cell(told)}")
    line(f"加密公钥 encryption key: {cell(agency.encryption_key) or '无 none'}")


def print_changes(changes: Changes) -> None:
    """Print what an import did."""
    words = (
        ("新增 added", changes.added),
        ("更新 changed", changes.changed),
        ("未变 unchanged", changes.unchanged),
    )
    for word, names in words:
        line(f"[green]✓[/] {word}: {len(names)} {cell('、'.join(names))}".rstrip())


def print_suggestion(found: Suggestion, day: date) -> None:
    """Print the ranking with its points, and why each of the others was left out."""
    heads = [f"{PART_NAMES[name][0]} /{most}" for name, most in WEIGHTS.items()]
    rows = [
        (
            *(str(rank), f"{each.agency.agency_id} {each.agency.name}", f"{float(each.points):g}"),
            *(f"{float(part.points):g}（{part.zh}）" for part in each.parts),
        )
        for rank, each in enumerate(found.fitting, 1)
    ]
    title = f"可委托的机构 agencies that fit · {day}"
    table(title, ("名次", "机构", "总分 /100", *heads), rows)
    for fit in found.fitting:
        for caution in fit.cautions:
            name = cell(fit.agency.agency_id)
            line(f"[yellow]![/] {name}: {cell(caution.zh)} {cell(caution.en)}")
    for left in found.left_out:
        line(f"[red]✗[/] {cell(left.agency.agency_id)} {cell(left.agency.name)}")
        for reason in left.reasons:
            more = "（写明例外理由可委托 with override_reason）" if reason.waivable else ""
            line(
                f"    [{reason.code}] {cell(reason.zh)} · {cell(reason.en)}{more}".replace(
                    "[", "\\[", 1
                )
            )
    if not found.fitting:
        line("没有可委托的机构 no agency fits")


def _print_values(title: str, values: dict[str, str], labels: dict[str, str]) -> None:
    told = "，".join(f"{zh} {values[key]}" for key, zh in labels.items() if key in values)
    line(f"{title}: {cell(told) or '无 none'}")


def _period(start: str, end: str) -> str:
    return f"{start or '…'} — {end or '…'}" if start or end else "未注明"


def _mark(holds: bool) -> str:
    return "是 yes" if holds else "否 no"
