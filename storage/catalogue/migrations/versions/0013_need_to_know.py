"""Need-to-know lists of cases; a case gets the highest mark of secrecy of its bundles."""

import sqlalchemy as sa
from alembic import op

from storage.nouns import higher_secrecy

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "case_reader",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("event_index", _WHOLE, nullable=False),
        sa.Column("since", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "account_id", name=op.f("pk_case_reader")),
    )
    op.create_index(op.f("ix_case_reader_account_id"), "case_reader", ["account_id"])
    _raise_marks(op.get_bind())


def _raise_marks(connection: sa.Connection) -> None:
    """Before, the first bundle's mark stood; now, as in a rebuild, the highest does."""
    case = sa.table("case", sa.column("case_id", sa.String), sa.column("secrecy", sa.String))
    accession = sa.table(
        "accession", sa.column("case_id", sa.String), sa.column("details", sa.JSON)
    )
    marks = dict(connection.execute(sa.select(case.c.case_id, case.c.secrecy)).tuples().all())
    raised = dict(marks)
    for case_id, details in connection.execute(
        sa.select(accession.c.case_id, accession.c.details).where(accession.c.case_id.is_not(None))
    ):
        mark = (details.get("manifest") or {}).get("secrecy", "")
        raised[case_id] = higher_secrecy(raised.get(case_id, ""), mark)
    for case_id, mark in raised.items():
        if case_id in marks and marks[case_id] != mark:
            change = sa.update(case).where(case.c.case_id == case_id).values(secrecy=mark)
            connection.execute(change)
