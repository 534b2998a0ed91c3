"""Identifiers of commissions; uploads under way, and answers that are given once more."""

import sqlalchemy as sa
from alembic import op

from storage.nouns import case_id

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    _identifiers()
    _uploads()


def _identifiers() -> None:
    """Name the commissions that are on record already."""
    table = op.create_table(
        "commission_identifier",
        sa.Column("commission_id", sa.String(64), nullable=False),
        sa.Column("commission_no", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint(
            "commission_id", "commission_no", name=op.f("pk_commission_identifier")
        ),
    )
    known = op.get_bind().execute(sa.text("SELECT commission_no FROM commission")).scalars()
    rows = [{"commission_id": case_id(each), "commission_no": each} for each in known]
    if rows:
        op.bulk_insert(table, rows)


def _uploads() -> None:
    op.create_table(
        "upload",
        sa.Column("upload_id", sa.String(32), nullable=False),
        sa.Column("agency_id", sa.String(64), nullable=False),
        sa.Column("commission_no", sa.String(64), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("particulars_sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("expires_at", sa.String(40), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_agency_id", "upload", ["agency_id"])
    op.create_index("ix_upload_expires_at", "upload", ["expires_at"])
    op.create_index("ix_upload_commission", "upload", ["commission_no", "state"])
    op.create_table(
        "api_answer",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("step", _WHOLE, nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_api_answer")),
    )
    op.create_index("ix_api_answer_created_at", "api_answer", ["created_at"])
