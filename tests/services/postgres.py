"""A real PostgreSQL for tests and benches, on loopback, in one temporary folder.

The server refuses to run as root, so root hands it to the user that Debian's package made.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.services.rgw import free_port


@dataclass(frozen=True)
class Postgres:
    """A running server, and the database that it was made with."""

    port: int
    control: tuple[str, ...] = ()
    """The command that controls it."""

    def url(self, database: str = "postgres") -> str:
        """Return the address for ``CUSTODY_DATABASE``."""
        return f"postgresql+psycopg://custody@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """Make an empty database, or a copy of another, and return its address."""
        import psycopg

        name = f"d{secrets.token_hex(6)}"
        address = f"host=127.0.0.1 port={self.port} user=custody dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return self.url(name)

    def restart(self, how: str = "immediate") -> None:
        """Stop it as a crash would, every connection lost, and start it again."""
        for order in (("-m", how, "stop"), ("start",)):
            subprocess.run(
                [*self.control, *order],
                cwd="/",
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise RuntimeError("PostgreSQL is not installed; run deploy/setup.sh test")
    return found[-1].parent


def _as_server(*command: str) -> list[str]:
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


@contextlib.contextmanager
def running_postgres(
    address: str = "",
    network: str = "",
    *,
    kept: Path | None = None,
    options: Sequence[str] = (),
) -> Iterator[Postgres]:
    """Start the server, yield it, stop everything.

    Further hosts reach it at ``address``, from a network, with a password. What is ``kept`` stays
    in that folder for the next time; ``options`` are settings (``shared_buffers=1GB``).
    """
    programs = _programs()
    if kept is None:
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
    else:
        folder = kept.resolve()
        folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", free_port()
    quiet: dict[str, int] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "custody", "-A", "trust"]
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-s"]
    listen = ",".join(filter(None, ("127.0.0.1", address)))
    # The path of a socket may not be long, and that of a folder of somebody's own may.
    sockets = f"-k {folder}" if kept is None else "-c unix_socket_directories="
    given = f"-p {port} {sockets} -c listen_addresses={listen} -c max_connections=80"
    given += "".join(f" -c {each}" for each in options)
    try:
        if not data.exists():
            subprocess.run(_as_server(*initdb, "-E", "UTF8"), cwd=folder, check=True, **quiet)
        if network:
            with (data / "pg_hba.conf").open("a") as file:
                file.write(f"host all all {network} scram-sha-256\n")
        start = [*control, "-l", str(folder / "log"), "-o", given]
        subprocess.run(_as_server(*start, "start"), cwd=folder, check=True, **quiet)
        try:
            yield Postgres(port, tuple(_as_server(*start)))
        finally:
            how = "immediate" if kept is None else "fast"
            subprocess.run(
                _as_server(*control, "-m", how, "-t", "600", "stop"),
                cwd=folder,
                check=False,
                **quiet,
            )
    finally:
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)
