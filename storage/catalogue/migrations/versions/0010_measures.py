"""What was measured of commissions: figures need not fold every history again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply; it fills itself as figures are asked for."""
    op.create_table(
        "commission_measure",
        sa.Column("commission_no", sa.String(64), nullable=False),
        sa.Column("last_index", _WHOLE, nullable=False),
        sa.Column("basis", sa.String(64), nullable=False),
        sa.Column("first", sa.String(10), nullable=False),
        sa.Column("last", sa.String(10), nullable=False),
        sa.Column("rule_id", sa.String(64), nullable=False),
        sa.Column("agency_id", sa.String(64), nullable=False),
        sa.Column("matters", sa.String(255), nullable=False),
        sa.Column("sent", sa.String(10), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("undecided_late", sa.Boolean(), nullable=False),
        sa.Column("accept_days", _WHOLE, nullable=True),
        sa.Column("net_days", _WHOLE, nullable=True),
        sa.Column("supplements", _WHOLE, nullable=False),
        sa.Column("repeats", sa.String(64), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("commission_no", name=op.f("pk_commission_measure")),
    )
