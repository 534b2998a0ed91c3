"""Migrations: brings a database of any earlier version to this one, forwards only."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from storage.catalogue import search
from storage.catalogue.database import Database
from storage.catalogue.versions import newer

_FOLDER = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database) -> None:
    """Bring tables and search index to the newest version; does nothing when they are.

    Raises:
        HostError: the database is of a version that this software does not know.
    """
    with database.write() as session:
        connection = session.connection()
        current = MigrationContext.configure(connection).get_current_revision()
        known = ScriptDirectory.from_config(_config())
        if current is not None and current not in {
            each.revision for each in known.walk_revisions()
        }:
            raise newer(current)
        if current != known.get_current_head():
            command.upgrade(_config(connection), "head")
        search.bring_up_to_date(session)
