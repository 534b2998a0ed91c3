"""Pages in their order: the first answers of a frequent word are found without sorting them all."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The label of a page is no part of it: it may be longer than an index can hold."""
    by = "" if op.get_bind().dialect.name == "sqlite" else ' COLLATE "C"'
    op.execute(f"CREATE INDEX ix_page_text_order ON page_text (exhibit_id{by}, part{by}, page)")
