"""Routes of the steps that an agency takes; what may be taken when is the desk's to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header

from appraisal.commission import Commission
from appraisal.happened import Fate
from appraisal.step import Kind
from portal.web.api.deps import ActingDesk, CommissionPath
from portal.web.api.lookup import number_of
from portal.web.api.once import once
from portal.web.api.problem_models import problems
from portal.web.api.problems import ProblemRoute
from portal.web.api.shapes import STEP_NAMES, summary
from portal.web.api.step_models import (
    AcceptanceForm,
    Acknowledgement,
    CorrectionForm,
    ExtensionForm,
    GoingOn,
    IdempotencyKey,
    MaterialForm,
    ReasonForm,
    RecusalDecision,
    RecusalRequest,
    StartForm,
    StepTaken,
    SupplementReceipt,
    SupplementRequest,
)
from portal.web.api.values import Form

router = APIRouter(prefix="/commissions/{commission_id}", route_class=ProblemRoute, tags=["steps"])
Key = Annotated[
    IdempotencyKey | None,
    Header(
        alias="Idempotency-Key",
        description="What the caller calls this request: sent again with the same key, it is "
        "answered the same and not carried out twice (kept for seven days).",
        examples=["accept-2026-77-3f2a9c10"],
    ),
]
_STEP: dict[str, Any] = {"responses": problems(404, 409)}


class StepRequest:
    """One step that is being asked for: on which commission, by whom, under which key."""

    def __init__(self, desk: ActingDesk, commission_id: CommissionPath, key: Key = None) -> None:
        """Find the commission; another agency's is not found."""
        self.desk, self.key = desk, key
        self.number = number_of(desk, commission_id)

    def take(self, kind: Kind, form: Form, act: Callable[[], Commission]) -> StepTaken:
        """Take the step, once."""

        def tell(after: Commission) -> dict[str, Any]:
            row = self.desk.row(after.commission_no, self.desk.desk.today())
            taken = StepTaken(
                step=STEP_NAMES[kind],
                at=after.last_at,
                number=after.steps,
                commission=summary(row),
            )
            return taken.model_dump(mode="json")

        custody, said = self.desk.desk.custody, form.model_dump(mode="json")
        answer = once(custody, self.desk, self.key or "", self.number, kind, said, act, tell)
        return StepTaken.model_validate(answer)


Asked = Annotated[StepRequest, Depends()]


@router.post(
    "/acknowledge", operation_id="acknowledgePackage", summary="Acknowledge receipt", **_STEP
)
def acknowledge(asked: Asked, form: Acknowledgement) -> StepTaken:
    """Acknowledge the package by repeating its digest; another one ends the step (AP-07)."""
    return asked.take(
        Kind.RECEIVE, form, lambda: asked.desk.receive(asked.number, form.package_digest)
    )


@router.post("/accept", operation_id="acceptCommission", summary="Accept", **_STEP)
def accept(asked: Asked, form: AcceptanceForm) -> StepTaken:
    """Accept; the due date that follows is recorded with the step. Late is told, not refused."""
    digest = form.package_digest or ""
    return asked.take(Kind.ACCEPT, form, lambda: asked.desk.accept(asked.number, digest))


@router.post("/decline", operation_id="declineCommission", summary="Decline", **_STEP)
def decline(asked: Asked, form: ReasonForm) -> StepTaken:
    """Decline with the reason (JAG art. 15)."""
    return asked.take(
        Kind.DECLINE,
        form,
        lambda: asked.desk.decline(asked.number, form.reason, form.document),
    )


@router.post("/start", operation_id="startWork", summary="Begin the work", **_STEP)
def start(asked: Asked, form: StartForm) -> StepTaken:
    """Record that the work begins, and who does it."""
    return asked.take(Kind.START, form, lambda: asked.desk.start(asked.number, form.appraisers))


@router.post(
    "/request-supplement",
    operation_id="requestSupplement",
    summary="Ask for more material",
    **_STEP,
)
def request_supplement(asked: Asked, form: SupplementRequest) -> StepTaken:
    """Ask the client for more material; the clock stops where the rules say so."""
    return asked.take(
        Kind.REQUEST_SUPPLEMENT,
        form,
        lambda: asked.desk.request_supplement(asked.number, form.what, form.document),
    )


@router.post(
    "/receive-supplement",
    operation_id="receiveSupplement",
    summary="Acknowledge more material",
    **_STEP,
)
def receive_supplement(asked: Asked, form: SupplementReceipt) -> StepTaken:
    """Acknowledge what the client supplied; the clock runs again."""
    digest = form.package_digest or ""
    return asked.take(
        Kind.RECEIVE_SUPPLEMENT,
        form,
        lambda: asked.desk.receive_supplement(asked.number, form.note, digest),
    )


@router.post(
    "/go-on-without",
    operation_id="goOnWithoutSupplement",
    summary="Go on without the material",
    **_STEP,
)
def go_on_without(asked: Asked, form: GoingOn) -> StepTaken:
    """Go on without what was asked for, and say why; the clock runs again."""
    return asked.take(
        Kind.RECEIVE_SUPPLEMENT,
        form,
        lambda: asked.desk.go_on_without(asked.number, form.note),
    )


@router.post("/extend", operation_id="extendLimit", summary="Extend the time limit", **_STEP)
def extend(asked: Asked, form: ExtensionForm) -> StepTaken:
    """Extend the time limit, before it ends (JAG art. 28; TT-03)."""
    return asked.take(
        Kind.EXTEND,
        form,
        lambda: asked.desk.extend(
            asked.number, form.days, form.approved_by, form.reason, form.document
        ),
    )


@router.post("/correct", operation_id="correctOpinion", summary="Correct an opinion", **_STEP)
def correct(asked: Asked, form: CorrectionForm) -> StepTaken:
    """Correct an opinion without changing its result (JAG art. 41)."""
    return asked.take(
        Kind.CORRECT,
        form,
        lambda: asked.desk.correct(asked.number, form.what, form.document, form.exhibit_id),
    )


@router.post("/request-recusal", operation_id="requestRecusal", summary="Ask for recusal", **_STEP)
def request_recusal(asked: Asked, form: RecusalRequest) -> StepTaken:
    """Put on record that an appraiser asks, or is asked, to withdraw (JAG art. 20)."""
    return asked.take(
        Kind.REQUEST_RECUSAL,
        form,
        lambda: asked.desk.request_recusal(
            asked.number, form.appraiser, form.reason, form.document
        ),
    )


@router.post("/decide-recusal", operation_id="decideRecusal", summary="Decide on recusal", **_STEP)
def decide_recusal(asked: Asked, form: RecusalDecision) -> StepTaken:
    """Decide whether an appraiser withdraws, and who takes over (JAG art. 21; AP-11)."""
    return asked.take(
        Kind.DECIDE_RECUSAL,
        form,
        lambda: asked.desk.decide_recusal(
            asked.number,
            form.appraiser,
            form.granted,
            form.reason,
            form.replacement,
            form.document,
        ),
    )


@router.post("/terminate", operation_id="terminateAppraisal", summary="Terminate", **_STEP)
def terminate(asked: Asked, form: ReasonForm) -> StepTaken:
    """End the appraisal without an opinion (终止鉴定)."""
    return asked.take(
        Kind.TERMINATE,
        form,
        lambda: asked.desk.terminate(asked.number, form.reason, form.document),
    )


@router.post(
    "/material", operation_id="recordMaterial", summary="Record the fate of material", **_STEP
)
def material(asked: Asked, form: MaterialForm) -> StepTaken:
    """Record what became of material: returned, destroyed, consumed or damaged (AP-13)."""
    return asked.take(
        Kind.MATERIAL,
        form,
        lambda: asked.desk.record_material(
            asked.number, Fate(form.fate), form.exhibits, form.note, form.document
        ),
    )
