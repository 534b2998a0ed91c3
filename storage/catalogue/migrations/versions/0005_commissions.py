"""Commissions are listed by what is due, without folding their history."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = ("dispatched", "received", "accepted", "paused", "opinion_returned")


def upgrade() -> None:
    """Apply: the table is made anew, and filled from the steps as a rebuild would."""
    connection = op.get_bind()
    old = connection.execute(
        sa.text("SELECT commission_no, case_id, agency_id, state, steps FROM commission")
    ).all()
    op.drop_table("commission")
    table = op.create_table(
        "commission",
        sa.Column("commission_no", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("agency_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("steps", _WHOLE, nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("clock", sa.String(16), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.Column("sent_at", sa.String(40), nullable=False),
        sa.Column("last_at", sa.String(40), nullable=False),
        sa.Column("last_index", _WHOLE, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("commission_no", name=op.f("pk_commission")),
    )
    op.create_index(op.f("ix_commission_case_id"), "commission", ["case_id"])
    op.create_index(
        "ix_commission_agency_due", "commission", ["agency_id", "open", "due", "commission_no"]
    )
    op.create_index("ix_commission_agency_last", "commission", ["agency_id", "last_index"])
    op.create_index("ix_commission_due", "commission", ["open", "due", "commission_no"])
    op.create_index("ix_commission_last", "commission", ["last_index"])
    for number, case_id, agency_id, state, steps in old:
        known = {"commission_no": number, "case_id": case_id, "agency_id": agency_id}
        row = {**known, "state": state, "steps": steps, **_told(connection, number, state)}
        connection.execute(sa.insert(table), row)


def _told(connection: sa.Connection, number: str, state: str) -> dict[str, Any]:
    """Return what the steps of a commission tell; its due date is known at its next step."""
    found = connection.execute(
        sa.text(
            "SELECT event_index, body FROM commission_step WHERE commission_no = :n ORDER BY step"
        ),
        {"n": number},
    ).all()
    bodies = [(index, json.loads(b) if isinstance(b, str) else b) for index, b in found]
    brief = bodies[0][1]["data"]["brief"]
    named = (number, brief.get("case_no", ""), brief.get("client", ""))
    sent = [body["at"] for _, body in bodies if body["kind"] == "dispatch"]
    return {
        "open": state in _OPEN,
        "due": "" if state in _OPEN else "9999-12-31",
        "clock": "",
        "paused": state == "paused",
        "extended": False,
        "corrected": False,
        "sent_at": sent[-1] if sent else "",
        "last_at": bodies[-1][1]["at"],
        "last_index": bodies[-1][0],
        "words": " ".join(named).casefold(),
    }
