"""What containers hold (expansions, parts, the text of parts); ingests under way, their pace."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    _parts()
    _doing()


def _parts() -> None:
    op.add_column(
        "page_text", sa.Column("part", sa.String(255), server_default="", nullable=False)
    )
    op.create_table(
        "expansion",
        sa.Column("event_index", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("exhibit_id", sa.String(80), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("members", _WHOLE, nullable=False),
        sa.Column("member_bytes", _WHOLE, nullable=False),
        sa.Column("parts", _WHOLE, nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_index", name=op.f("pk_expansion")),
    )
    op.create_index(op.f("ix_expansion_exhibit_id"), "expansion", ["exhibit_id"])
    op.create_index(op.f("ix_expansion_case_id"), "expansion", ["case_id"])
    op.create_table(
        "part",
        sa.Column("exhibit_id", sa.String(80), nullable=False),
        sa.Column("part", sa.String(255), nullable=False),
        sa.Column("parent", sa.String(255), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("claimed", _WHOLE, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("pages", _WHOLE, nullable=False),
        sa.Column("members", _WHOLE, nullable=False),
        sa.Column("member_bytes", _WHOLE, nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("exhibit_id", "part", name=op.f("pk_part")),
    )
    op.create_index(op.f("ix_part_sha256"), "part", ["sha256"])
    op.create_index("ix_part_case_state", "part", ["case_id", "state"])


def _doing() -> None:
    op.create_table(
        "doing",
        sa.Column("accession", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(255), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("accession", name=op.f("pk_doing")),
    )
    op.create_index(op.f("ix_doing_unit"), "doing", ["unit"])
    op.create_table(
        "stage_pace",
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("stage", name=op.f("pk_stage_pace")),
    )
