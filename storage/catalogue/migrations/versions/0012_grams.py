"""What PostgreSQL's index of pages holds becomes numbers, and long texts leave the rows.

Numbers are compared in a fraction of the time, whatever the collation, so the index of a million
pages is made in minutes. Rows without their texts are few pages of the disk: what the index gives
is put in order without reading them.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_POSTGRESQL = (
    "DROP INDEX ix_page_text_grams",
    "ALTER TABLE page_text DROP COLUMN grams",
    "ALTER TABLE page_text ADD COLUMN grams integer[] NOT NULL DEFAULT '{}'",
    # Hardly anything of them is saved by compression, and each comparison would undo it.
    "ALTER TABLE page_text ALTER COLUMN grams SET STORAGE EXTERNAL,"
    " ALTER COLUMN tokens SET STORAGE EXTERNAL, ALTER COLUMN words SET STORAGE EXTERNAL",
    "ALTER TABLE page_text SET (toast_tuple_target = 128)",
    # No plan depends on what stands in them, and looking through them takes long.
    "ALTER TABLE page_text ALTER COLUMN grams SET STATISTICS 0,"
    " ALTER COLUMN text SET STATISTICS 0, ALTER COLUMN tokens SET STATISTICS 0,"
    " ALTER COLUMN words SET STATISTICS 0",
    # So all pages are put into the index again.
    "UPDATE search_index SET version = ''",
)


def upgrade() -> None:
    """Apply; SQLite's index stays."""
    if op.get_bind().dialect.name != "sqlite":
        for statement in _POSTGRESQL:
            op.execute(statement)
