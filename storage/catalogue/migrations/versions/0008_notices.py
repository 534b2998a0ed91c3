"""Notices about clocks: what waits, was given, skipped or void; days of chasing; whom to tell."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "notice",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("event_index", _WHOLE, nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("commission_no", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.Column("settled_at", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_event_index", "notice", ["event_index"])
    op.create_index("ix_notice_state", "notice", ["state", "channel"])
    op.create_index("ix_notice_recipient", "notice", ["channel", "recipient", "event_index"])
    op.create_index("ix_notice_subject", "notice", ["subject", "event_index"])
    op.create_index("ix_notice_commission", "notice", ["commission_no", "event_index"])
    op.create_index("ix_notice_case", "notice", ["case_id", "event_index"])
    op.create_table(
        "notice_run",
        sa.Column("day", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_notice_run")),
    )
    op.create_table(
        "notice_contact",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.PrimaryKeyConstraint("subject", "role", name=op.f("pk_notice_contact")),
    )
    op.create_table(
        "notice_attempt",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("attempts", _WHOLE, nullable=False),
        sa.Column("next_at", sa.String(40), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notice_attempt")),
    )
