"""Run one server inside a host, and restart it when its standard input says so."""

from __future__ import annotations

import json
import sys

from tests.hosts.lan import NETWORK
from tests.services.postgres import running_postgres
from tests.services.rgw import running_rgw

PASSWORD = "only-for-this-test"
DATABASES = ("custody", "prefect")


def main(which: str, address: str) -> None:
    """Serve until the input ends; each answer is one line."""
    if which == "postgres":
        import psycopg

        with running_postgres(address, NETWORK) as server:
            where = f"host=127.0.0.1 port={server.port} user=custody dbname=postgres"
            with psycopg.connect(where, autocommit=True) as connection:
                connection.execute(f"ALTER USER custody PASSWORD '{PASSWORD}'")
                for each in DATABASES:
                    connection.execute(f"CREATE DATABASE {each} TEMPLATE template0 ENCODING 'UTF8'")
            say({"port": server.port})
            for _ in sys.stdin:
                server.restart()
                say({"restarted": which})
        return
    with running_rgw(address) as gateway:
        say({"endpoint": gateway.endpoint, "key": gateway.access_key, "secret": gateway.secret_key})
        for _ in sys.stdin:
            gateway.restart()
            say({"restarted": which})


def say(value: dict[str, object]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
