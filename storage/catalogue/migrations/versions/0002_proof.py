"""What proves the log to others, and who holds what: tables of the proof."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "log_head", sa.Column("last_at", sa.String(40), server_default="", nullable=False)
    )
    op.create_table(
        "log_tail",
        sa.Column("subject", sa.String(96), nullable=False),
        sa.Column("count", _WHOLE, nullable=False),
        sa.Column("seq", _WHOLE, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_log_tail")),
    )
    op.create_table(
        "log_key",
        sa.Column("index", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_log_key")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("log_epoch")))
    op.create_table(
        "fixity",
        sa.Column("object_key", sa.String(255), nullable=False),
        sa.Column("label", sa.String(96), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("accession", sa.String(32), nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("event_index", _WHOLE, nullable=False),
        sa.Column("last_at", sa.String(40), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("checked_index", _WHOLE, nullable=True),
        sa.Column("disposed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_fixity")),
    )
    op.create_index("ix_fixity_due", "fixity", ["disposed", "last_at"])
    op.create_index(op.f("ix_fixity_case_id"), "fixity", ["case_id"])
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.String(40), nullable=False),
        sa.Column("event_index", _WHOLE, nullable=False),
        sa.Column("closed_at", sa.String(40), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_subject"), "alert", ["subject"])
    op.create_index(op.f("ix_alert_case_id"), "alert", ["case_id"])
    op.create_table(
        "legal_hold",
        sa.Column("hold_id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.String(40), nullable=False),
        sa.Column("released_at", sa.String(40), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.Column("released_with", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_case_id"), "legal_hold", ["case_id"])
    op.create_table(
        "handover",
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("exhibits", sa.JSON(), nullable=False),
        sa.Column("giver", sa.JSON(), nullable=False),
        sa.Column("addressee", sa.JSON(), nullable=False),
        sa.Column("receiver", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("released_at", sa.String(40), nullable=False),
        sa.Column("released_index", _WHOLE, nullable=False),
        sa.Column("closed_at", sa.String(40), nullable=False),
        sa.Column("closed_index", _WHOLE, nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_case_id"), "handover", ["case_id"])
    op.create_index(op.f("ix_handover_closed_at"), "handover", ["closed_at"])
    op.create_table(
        "anchor",
        sa.Column("event_index", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("algorithm", sa.String(16), nullable=False),
        sa.Column("gen_time", sa.String(40), nullable=False),
        sa.Column("object", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_index", name=op.f("pk_anchor")),
    )
    op.create_index(op.f("ix_anchor_size"), "anchor", ["size"])
