"""A commission: the brief, its material, and everything that has happened to it since.

The value is immutable and is only ever made by folding transitions (``appraisal.transitions``);
"overdue" is not a state but follows from the clocks on a day. (RULES: commission; AP-14.) Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appraisal.brief import Brief
from appraisal.happened import (
    FINAL_FATES,
    Consent,
    Correction,
    Granted,
    MaterialFate,
    Notice,
    NoticeKind,
    Recusal,
    Returned,
    Supplement,
)
from appraisal.material import Material
from appraisal.states import ENDED_STATES, OPEN_STATES, STATE_NAMES, WORKING_STATES, State
from storage.digest import Fingerprint

__all__ = [
    "ENDED_STATES",
    "OPEN_STATES",
    "STATE_NAMES",
    "Commission",
    "Granted",
    "Notice",
    "NoticeKind",
    "Returned",
    "State",
    "Supplement",
]


@dataclass(frozen=True)
class Commission:
    """One commission after ``steps`` transitions; times are RFC 3339, empty if not yet.

    ``returned`` holds every opinion that came back; the last one counts unless it was sent back.
    ``late_since`` is the due date that had passed when the agency accepted, empty if none had.
    ``rest`` counts the lines of material that a long draft, cut short, has still to list.
    """

    brief: Brief
    state: State
    steps: int
    last_at: str
    drafted_at: str
    materials: tuple[Material, ...] = ()
    package: Fingerprint | None = None
    sent_at: str = ""
    received_at: str = ""
    decided_at: str = ""
    effective_date: str = ""
    supplements: tuple[Supplement, ...] = ()
    extensions: tuple[Granted, ...] = ()
    returned: tuple[Returned, ...] = ()
    notices: tuple[Notice, ...] = ()
    ended_at: str = ""
    end_reason: str = ""
    end_document: str = ""
    started_at: str = ""
    late_since: str = ""
    appraisers: tuple[str, ...] = ()
    recusals: tuple[Recusal, ...] = ()
    corrections: tuple[Correction, ...] = ()
    consents: tuple[Consent, ...] = ()
    fates: tuple[MaterialFate, ...] = ()
    rest: int = 0

    @property
    def commission_no(self) -> str:
        """Return the number on the letter."""
        return self.brief.commission_no

    @property
    def case_no(self) -> str:
        """Return the case number."""
        return self.brief.case_no

    @property
    def agency_id(self) -> str:
        """Return the agency's identifier."""
        return self.brief.agency_id

    @property
    def package_digest(self) -> str:
        """Return the SHA-256 of the package that was sent, or nothing."""
        return self.package.sha256 if self.package else ""

    @property
    def is_open(self) -> bool:
        """Whether the work is with the agency or under check."""
        return self.state in OPEN_STATES

    @property
    def awaits_opinion(self) -> bool:
        """Whether an opinion may be returned now."""
        return self.state in WORKING_STATES

    @property
    def opinion(self) -> Returned | None:
        """Return the opinion that counts: the last, unless it was sent back."""
        last = self.returned[-1] if self.returned else None
        return None if last is None or last.sent_back else last

    @property
    def listed(self) -> tuple[Material, ...]:
        """Return every line of material that went out or is to go out, supplements at the end."""
        later = (line for each in self.supplements for line in each.supplied)
        return (*self.materials, *later)

    @property
    def exhibits(self) -> tuple[str, ...]:
        """Return every exhibit whose material went out, as ``<case_id>/E0001``, each once."""
        later = (
            name
            for each in self.supplements
            for name in (*(line.exhibit_id for line in each.supplied), *each.exhibits)
        )
        return tuple(dict.fromkeys((*(each.exhibit_id for each in self.materials), *later)))

    @property
    def brought(self) -> frozenset[str]:
        """Return the exhibits that are opinions and corrections of this commission."""
        opinions = {each.exhibit_id for each in self.returned}
        corrections = {each.exhibit_id for each in self.corrections if each.exhibit_id}
        return frozenset(opinions | corrections)

    @property
    def recused(self) -> frozenset[str]:
        """Return who may not sign (AP-11).

        Whoever the agency decided must withdraw; and whoever the brief asks to withdraw, unless
        the agency decided that there is no ground for it.
        """
        decided = [each for each in self.recusals if each.decided_at]
        refused = {each.appraiser for each in decided if not each.granted}
        return (frozenset(self.brief.recusal) - refused) | self.withdrawn_appraisers

    @property
    def withdrawn_appraisers(self) -> frozenset[str]:
        """Return whom the agency decided to replace; this binds whatever reason is given."""
        return frozenset(each.appraiser for each in self.recusals if each.granted)

    @property
    def undecided_recusals(self) -> tuple[Recusal, ...]:
        """Return the requests that the agency has not decided yet."""
        return tuple(each for each in self.recusals if not each.decided_at)

    @property
    def barred_by_brief(self) -> frozenset[str]:
        """Return whom the brief asks to withdraw and nobody has decided on, or asked again."""
        return frozenset(self.brief.recusal) - {each.appraiser for each in self.recusals}

    @property
    def unsettled(self) -> tuple[str, ...]:
        """Return the exhibits whose material was neither returned, destroyed nor consumed."""
        settled = {
            name for each in self.fates if each.fate in FINAL_FATES for name in each.exhibits
        }
        return tuple(each for each in self.exhibits if each not in settled)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "commission_no": self.commission_no,
            "state": self.state.value,
            "steps": self.steps,
            "rest": self.rest,
            "brief": self.brief.as_json(),
            "package": self.package.as_json() if self.package else None,
            "appraisers": list(self.appraisers),
            **{key: getattr(self, key) for key in _TEXTS},
            **{key: [each.as_json() for each in getattr(self, key)] for key in _PARTS},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Commission:
        """Rebuild from ``as_json``."""
        parts: dict[str, Any] = {
            key: tuple(map(kind.from_json, value[key])) for key, kind in _PARTS.items()
        }
        return cls(
            brief=Brief.from_json(value["brief"]),
            state=State(value["state"]),
            steps=value["steps"],
            rest=value["rest"],
            package=Fingerprint.from_json(value["package"]) if value["package"] else None,
            appraisers=tuple(value["appraisers"]),
            **{key: value[key] for key in _TEXTS},
            **parts,
        )


_TEXTS = (
    "last_at",
    "drafted_at",
    "sent_at",
    "received_at",
    "decided_at",
    "effective_date",
    "ended_at",
    "end_reason",
    "end_document",
    "started_at",
    "late_since",
)
_PARTS: dict[str, Any] = {
    "materials": Material,
    "supplements": Supplement,
    "extensions": Granted,
    "returned": Returned,
    "notices": Notice,
    "recusals": Recusal,
    "corrections": Correction,
    "consents": Consent,
    "fates": MaterialFate,
}
