"""Alembic's entry: runs on the connection that ``migrate.upgrade`` hands over."""

from alembic import context

from storage.catalogue import journal, tables  # noqa: F401 - both register their tables
from storage.catalogue.database import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=False,
)
context.run_migrations()
