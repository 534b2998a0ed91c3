"""From what the desk knows of a commission to what the interface shows of it."""

from __future__ import annotations

from typing import Any

from appraisal.agency_desk import AgencyDesk
from appraisal.clocks import CLOCK_NAMES, CLOCK_STATE_NAMES, Clock
from appraisal.commission import STATE_NAMES, Commission
from appraisal.happened import Supplement
from appraisal.material import Material
from appraisal.matters import MATTER_NAMES, MATTER_NAMES_EN
from appraisal.queue import QueueRow
from appraisal.states import STANDING_NAMES
from appraisal.step import KIND_NAMES, Kind
from portal.web.api.commission_models import CommissionSummary, CommissionView
from tasks.handing_out import files_of

PREFIX = "/api/v1"
STEP_NAMES: dict[Kind, str] = {
    Kind.RECEIVE: "acknowledge",
    Kind.ACCEPT: "accept",
    Kind.DECLINE: "decline",
    Kind.START: "start",
    Kind.REQUEST_SUPPLEMENT: "request-supplement",
    Kind.RECEIVE_SUPPLEMENT: "receive-supplement",
    Kind.EXTEND: "extend",
    Kind.RETURN_OPINION: "uploads",
    Kind.CORRECT: "correct",
    Kind.TERMINATE: "terminate",
    Kind.REQUEST_RECUSAL: "request-recusal",
    Kind.DECIDE_RECUSAL: "decide-recusal",
    Kind.MATERIAL: "material",
}
"""The last part of the address at which a step is taken."""


def address(commission: Commission, *parts: str) -> str:
    """Return an address below a commission's."""
    return "/".join((f"{PREFIX}/commissions/{commission.brief.commission_id}", *parts))


def summary(row: QueueRow) -> CommissionSummary:
    """Return a commission as a line of a listing."""
    return CommissionSummary.model_validate(_summary(row))


def whole(desk: AgencyDesk, row: QueueRow) -> CommissionView:
    """Return a commission as a whole."""
    found = row.commission
    number = found.commission_no
    return CommissionView.model_validate(
        {
            **_summary(row),
            **{key: getattr(found, key) for key in _SAME},
            "brief": _brief(found),
            "package_digest": found.package_digest,
            "files": [_file(found, each) for each in files_of(desk.desk.custody, number)],
            "clocks": [_clock(each) for each in row.clocks],
            "allowed": [_allowed(found, each) for each in desk.allowed(number)],
            "missing": [each._asdict() for each in desk.missing(number)],
            "material_list": [_material(each) for each in found.materials],
            "appraisers": list(found.appraisers),
            "supplements": [_supplement(each) for each in found.supplements],
            "extensions": [
                {**each.as_json(), "days": each.limit.length, "unit": each.limit.unit.value}
                for each in found.extensions
            ],
            "recusals": [each.as_json() for each in found.recusals],
            "opinions": [
                {**each.as_json(), "opinion_no": each.opinion.opinion_no} for each in found.returned
            ],
            "history": [each.as_json() for each in desk.steps(number)],
        }
    )


_SAME = ("received_at", "decided_at", "effective_date", "late_since", "ended_at", "end_reason")


def _summary(row: QueueRow) -> dict[str, Any]:
    found, live = row.commission, row.live
    state, standing = found.state, row.standing
    zh, en = row.next_step
    return {
        "commission_id": found.brief.commission_id,
        "commission_no": found.commission_no,
        "case_no": found.case_no,
        "client": found.brief.client,
        "state": _words(state.value, STATE_NAMES[state]),
        "standing": _words(standing.value, STANDING_NAMES[standing]),
        "open": found.is_open,
        "matters": [each.type.value for each in found.brief.matters],
        "materials": len(found.materials),
        "sent_at": found.sent_at,
        "clock": live.name if live else "",
        "due": live.due.date.isoformat() if live else "",
        "provisional": bool(live and live.provisional),
        "days_left": live.days_left if live else None,
        "next_zh": zh,
        "next_en": en,
        "href": address(found),
    }


def _words(code: str, words: tuple[str, str]) -> dict[str, str]:
    return {"code": code, "zh": words[0], "en": words[1]}


def _clock(clock: Clock) -> dict[str, Any]:
    zh, en = CLOCK_NAMES[clock.name]
    state = CLOCK_STATE_NAMES[clock.state][0]
    return {**clock.as_json(), "name_zh": zh, "name_en": en, "state_zh": state}


def _allowed(commission: Commission, kind: Kind) -> dict[str, str]:
    name = STEP_NAMES[kind]
    zh, en = KIND_NAMES[kind]
    return {"step": name, "zh": zh, "en": en, "href": address(commission, name)}


def _file(commission: Commission, row: dict[str, Any]) -> dict[str, Any]:
    href = address(commission, "files", row["which"])
    return {**row, "href": href, **row["fingerprint"]}


def _brief(commission: Commission) -> dict[str, Any]:
    brief = commission.brief
    matters = [
        {
            **each.as_json(),
            "type_zh": MATTER_NAMES[each.type],
            "type_en": MATTER_NAMES_EN[each.type],
        }
        for each in brief.matters
    ]
    contact = f"{brief.contact.name} {brief.contact.phone}".strip()
    return {**brief.as_json(), "contact": contact, "matters": matters}


def _material(line: Material) -> dict[str, Any]:
    return {**line.as_json(), "file": line.payload_name, **line.fingerprint.as_json()}


def _supplement(asked: Supplement) -> dict[str, Any]:
    return {
        **asked.as_json(),
        "supplied": [_material(each) for each in asked.supplied],
        "package_digest": asked.package.sha256 if asked.package else "",
    }
