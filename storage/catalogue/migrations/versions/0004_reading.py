"""Search that knows Han of either script and English stems: other columns, another index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    _search()
    _alike()


def _search() -> None:
    """Make the index of this version, empty of version: ``migrate.upgrade`` fills it afterwards.

    Names of exhibits that were read become pages of their own; what else was not indexed before
    (metadata) is added when they are read again, or by a rebuild.
    """
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        for statement in _OLD_SQLITE:
            op.execute(statement)
    else:
        op.drop_index("ix_page_text_tokens", "page_text")
    op.add_column("page_text", sa.Column("words", sa.Text(), nullable=True))
    op.add_column("page_text", sa.Column("grams", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "search_index",
        sa.Column("id", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("version", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_index")),
    )
    op.execute("INSERT INTO search_index (id, version) VALUES (1, '')")
    op.execute(
        "INSERT INTO page_text (exhibit_id, case_id, part, page, label, origin, text, tokens)"
        " SELECT e.exhibit_id, e.case_id, '', 0, '', 'name', e.name, ''"
        " FROM exhibit e JOIN reading r ON r.exhibit_id = e.exhibit_id"
    )
    for statement in _SQLITE if sqlite else _POSTGRESQL:
        op.execute(statement)


def _alike() -> None:
    """Make the tables of likeness; readings on record before have no values to fill in."""
    op.create_table(
        "alike",
        sa.Column("exhibit_id", sa.String(80), nullable=False),
        sa.Column("part", sa.String(255), nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("number", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("weight", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("exhibit_id", "part", "method", "number", name=op.f("pk_alike")),
    )
    op.create_index("ix_alike_case_method", "alike", ["case_id", "method"])
    op.create_table(
        "alike_band",
        sa.Column("band", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("exhibit_id", sa.String(80), nullable=False),
        sa.Column("part", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("band", "exhibit_id", "part", name=op.f("pk_alike_band")),
        sqlite_with_rowid=False,
    )


_OLD_SQLITE = (
    "DROP TRIGGER page_text_ai",
    "DROP TRIGGER page_text_ad",
    "DROP TABLE page_fts",
)
_SQLITE = (
    # Units stand between spaces. This tokenizer splits at ASCII marks alone and knows no
    # alphabet, so that characters which are younger than SQLite are found as well.
    "CREATE VIRTUAL TABLE page_fts USING fts5(tokens, content='page_text', content_rowid='id',"
    " tokenize='ascii')",
    "INSERT INTO page_fts(page_fts) VALUES ('rebuild')",
    "CREATE TRIGGER page_text_ai AFTER INSERT ON page_text BEGIN"
    " INSERT INTO page_fts(rowid, tokens) VALUES (new.id, new.tokens); END",
    "CREATE TRIGGER page_text_ad AFTER DELETE ON page_text BEGIN"
    " INSERT INTO page_fts(page_fts, rowid, tokens) VALUES ('delete', old.id, old.tokens); END",
    "CREATE TRIGGER page_text_au AFTER UPDATE OF tokens ON page_text BEGIN"
    " INSERT INTO page_fts(page_fts, rowid, tokens) VALUES ('delete', old.id, old.tokens);"
    " INSERT INTO page_fts(rowid, tokens) VALUES (new.id, new.tokens); END",
)
_POSTGRESQL = (
    # No tsvector: it keeps 256 places of a word and 16,383 in all, and a page may be a long file.
    "CREATE INDEX ix_page_text_grams ON page_text USING gin (string_to_array(grams, ' '))",
)
