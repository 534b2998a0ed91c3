"""A case's own clocks, when its appraisals were at work, and the year's notices that were loaded.

Appraisals on record before are filled in from the steps of their commissions, as a rebuild would.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "case_clock_step",
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("step", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("event_index", _WHOLE, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "step", name=op.f("pk_case_clock_step")),
    )
    op.create_table(
        "case_clock",
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("rule_id", sa.String(64), nullable=False),
        sa.Column("started", sa.String(10), nullable=False),
        sa.Column("ended", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_case_clock")),
    )
    op.create_index("ix_case_clock_ended", "case_clock", ["ended", "case_id"])
    op.create_table(
        "appraisal_period",
        sa.Column("commission_no", sa.String(64), nullable=False),
        sa.Column("begun_index", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("begun", sa.String(40), nullable=False),
        sa.Column("ended", sa.String(40), nullable=False),
        sa.Column("notified", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("commission_no", "begun_index", name=op.f("pk_appraisal_period")),
    )
    op.create_index("ix_appraisal_period_case_id", "appraisal_period", ["case_id"])
    fill(op.get_bind())
    op.create_table(
        "calendar_year",
        sa.Column("event_index", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("year", _WHOLE, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("loaded_at", sa.String(40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_index", name=op.f("pk_calendar_year")),
    )


def fill(connection: sa.Connection) -> None:
    """Put the appraisals on record in their rows."""
    steps = connection.execute(
        sa.text(
            "SELECT s.commission_no, c.case_id, s.event_index, s.body FROM commission_step s"
            " JOIN commission c ON c.commission_no = s.commission_no"
            " ORDER BY s.commission_no, s.step"
        )
    ).all()
    for number, case, index, body in steps:
        step = json.loads(body) if isinstance(body, str) else body
        kind, data, at = step["kind"], step["data"], step["at"]
        if kind in ("accept", "send_back"):
            stated = data.get("effective_date") if kind == "accept" else ""
            connection.execute(
                sa.text("INSERT INTO appraisal_period VALUES (:n, :i, :c, :b, '', '')"),
                {"n": number, "i": index, "c": case, "b": stated or at},
            )
        elif kind in ("return_opinion", "withdraw", "terminate"):
            _change(connection, number, "ended", at)
        elif kind == "notify" and data["notice"] == "period":
            _change(connection, number, "notified", str(data["document"])[:255])


def _change(connection: sa.Connection, number: str, name: str, value: str) -> None:
    rows = sa.table("appraisal_period", sa.column("commission_no"), sa.column(name))
    mine = (rows.c.commission_no == number, rows.c[name] == "")
    connection.execute(sa.update(rows).where(*mine).values({name: value}))
