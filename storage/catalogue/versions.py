"""Which version the tables of a database have, and whether this software may work on them.

Asked whenever an installation is opened, so without what migrates. A host that was forgotten in an
upgrade would go on recording by old rules; one that is ahead would write into tables that are not
there yet.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from storage.catalogue.database import Database
from storage.errors import HostError

_SCRIPTS = Path(__file__).parent / "migrations" / "versions"
_TABLE = "alembic_version"


def known_versions() -> list[str]:
    """Return the versions that this software knows, the newest last."""
    return sorted(path.name.partition("_")[0] for path in _SCRIPTS.glob("[0-9]*_*.py"))


def require_known(database: Database) -> None:
    """Refuse tables of another version; a database without any version is not looked at.

    Raises:
        HostError: the tables are newer than this software, or older.
    """
    with database.read() as session:
        if not inspect(session.connection()).has_table(_TABLE):
            return
        current = session.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()  # noqa: S608
    known = known_versions()
    if current is None or current == known[-1]:
        return
    if current not in known:
        raise newer(current)
    raise HostError(
        f"数据库的表版本较旧 the database is of an older version (tables {current}) than this "
        f"software ({known[-1]})",
        remedy="run 'custody init' to bring its tables up to date, after a backup "
        "(docs/runbook.md, Upgrade)",
    )


def newer(current: str) -> HostError:
    """Return the error of software that is older than the database."""
    return HostError(
        "数据库的表版本比本软件新，未做任何改动 "
        f"the database is of a newer version (tables {current}) than this software",
        remedy="install the newer version; there is no way back",
    )
