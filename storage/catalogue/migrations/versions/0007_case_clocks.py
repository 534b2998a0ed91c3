"""A case's own clocks, when its appraisals were at work, and the year's notices that were loaded.

Appraisals on record before have no rows until a rebuild; no case has a clock of its own before.
"""

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
    op.create_table(
        "calendar_year",
        sa.Column("event_index", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("year", _WHOLE, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("loaded_at", sa.String(40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_index", name=op.f("pk_calendar_year")),
    )
