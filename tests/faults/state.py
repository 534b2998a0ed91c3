"""Everything that an ingest leaves behind, in a form in which two runs can be compared.

Left out is what must differ: times, hashes over times, and the root folder. Nothing else is: what
is there twice, half there or beside its place makes the states of two runs differ.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text

from storage.directory import DirectoryLogStore
from storage.event import Action, CustodyEvent, decode
from storage.findings import LogCheck
from storage.log import LogReader
from storage.policy import load_policy
from storage.s3 import S3Store
from storage.settings import Settings
from storage.stores import open_stores
from storage.workspace import Workspace
from tasks.verifying import verify_case

_OF_ITS_TIME = re.compile(
    rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d|Z)?|(?<=receipt-)[0-9a-f]{64}"
)
_HASHES_OVER_TIMES = {
    "previous",
    "receipt_sha256",
    "received_at_hash",
    "root",
    "checkpoint",
    "hash",
    "version_id",
}
_TIMED_COLUMNS = {"frontier", "last_at", "leaf", "leaf_hash", "published", "hash"}
_FAR = 2_500_000_000
"""A time that is reached by no file but one whose retention ends then."""
_TIMED_FILES = {"receipt.pdf", "checkpoint", "last-head", "log.key", "log.pub", "policy.json"}


def timeless(root: Path, value: Any) -> Any:
    """Return a JSON value without what depends on when and where."""
    text = json.dumps(value, ensure_ascii=False).replace(str(root), "ROOT").encode()
    return _without_hashes(json.loads(_OF_ITS_TIME.sub(b"*", text)))


def _without_hashes(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "*" if key in _HASHES_OVER_TIMES and each else _without_hashes(each)
            for key, each in value.items()
        }
    return [_without_hashes(each) for each in value] if isinstance(value, list) else value


def check_log(home: Path, chosen: Settings | None = None) -> LogCheck:
    """Walk the published log, trusting the key alone."""
    workspace = Workspace(home)
    ring = load_policy(workspace).ring
    if chosen is None or chosen.store == "directory":
        return LogReader(DirectoryLogStore(home / "objects"), ring).check()
    return LogReader(open_stores(chosen, workspace)[1], ring).check()


def events_of(home: Path) -> list[CustodyEvent]:
    """Return the published events."""
    return [decode(leaf) for _, leaf in check_log(home).entries]


def state_of(root: Path, chosen: Settings | None = None) -> dict[str, Any]:
    """Return the state of the house ``home`` below a root, and of the bundle beside it.

    ``chosen`` are its settings if it has servers.

    Raises:
        AssertionError: the log or a case in it does not verify.
    """
    home = root / "home"
    chosen = chosen or Settings(home=home)
    check = check_log(home, chosen)
    assert check.ok, check.findings
    events = [decode(leaf) for _, leaf in check.entries]
    for case in {event.case for event in events if event.case}:
        report = verify_case(chosen, case)
        assert report.ok, report
    return {
        "events": [timeless(root, event.as_json()) for event in events],
        "files": _by_name(_files(root)),
        "objects": _by_name(_objects(root, chosen)),
        "rows": _rows(root, _server_tables(chosen) if chosen.database else _tables(home)),
    }


def _by_name(files: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    """Name files without the digests of receipts; of two with one name, the second is numbered."""
    found: dict[str, Any] = {}
    for name, value in files:
        short = _OF_ITS_TIME.sub(b"*", name.encode()).decode()
        while short in found:
            short += "+"
        found[short] = value
    return found


def _files(root: Path) -> Iterator[tuple[str, Any]]:
    """Yield every file and folder by its path: mode, content as far as it is of no time, and
    whether its retention is to last.
    """
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name.startswith("home/custody.sqlite"):
            continue
        mode = oct(path.stat().st_mode)
        kept = path.stat().st_mtime > _FAR
        if path.is_dir():
            yield name, mode
        else:
            yield name, [mode, _content(root, path, path.read_bytes()), kept]


def _objects(root: Path, chosen: Settings) -> Iterator[tuple[str, Any]]:
    """Yield every object of a server: its content, its number of versions, its retention."""
    if chosen.store == "directory":
        return
    store, _ = open_stores(chosen, Workspace(chosen.home))
    assert isinstance(store, S3Store)
    for room in ("accessions", "cases", "incoming", "quarantine"):
        for key in store.keys(room):
            ref = store.find(key)
            assert ref is not None
            with store.open(ref) as stream:
                content = _content(root, Path(key), stream.read())
            yield key, [content, len(store.bucket.versions(key)), bool(ref.retain_until)]


def _content(root: Path, path: Path, data: bytes) -> Any:
    if path.name in _TIMED_FILES or "/log/tile/" in str(path):
        return bool(data)
    if path.name.startswith("receipt"):
        return timeless(root, json.loads(data))
    if path.suffix == ".md":
        text = _OF_ITS_TIME.sub(b"*", data).decode()
        return re.sub(r"\n[A-Za-z0-9+/]{43}=\n\n— \S+ \S+", "", text)
    return hashlib.sha256(data).hexdigest()


Rows = Iterator[tuple[str, list[dict[str, Any]]]]


def _tables(home: Path) -> Rows:
    with closing(sqlite3.connect(home / "custody.sqlite")) as database:
        database.row_factory = sqlite3.Row
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            yield table, [dict(row) for row in database.execute(f'SELECT * FROM "{table}"')]


def _server_tables(chosen: Settings) -> Rows:
    engine = create_engine(chosen.database)
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
            yield table, [dict(row) for row in rows]
    engine.dispose()


def _rows(root: Path, tables: Rows) -> dict[str, list[Any]]:
    """Return the rows of every table; numbers that the database gives and paces left out."""
    found: dict[str, list[Any]] = {}
    for table, untimed in tables:
        if not table.startswith(("sqlite_", "page_fts_", "stage_pace")):
            rows = [
                {
                    key: _parsed(value)
                    for key, value in row.items()
                    if key not in _TIMED_COLUMNS and (table, key) != ("page_text", "id")
                }
                for row in untimed
            ]
            found[table] = sorted((timeless(root, row) for row in rows), key=json.dumps)
    return found


def _parsed(value: Any) -> Any:
    """Return a column's value; JSON is taken apart."""
    if isinstance(value, bytes):
        return value.hex()
    return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Name what differs between two states, one line each."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted({*one, *other}):
            if key not in one or key not in other:
                found.append(
                    f"{at}/{key}: only {'undisturbed' if key in one else 'after the kill'}"
                )
            else:
                found += differences(one[key], other[key], f"{at}/{key}")
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [each for n, (a, b) in pairs for each in differences(a, b, f"{at}[{n}]")]
    return [] if one == other else [f"{at}: {_short(one)} != {_short(other)}"]


def _short(value: Any) -> str:
    return f"{len(value)} of them" if isinstance(value, list) else repr(value)


def receipts_on_record(home: Path) -> set[str]:
    """Return the digests of the receipts that published events name."""
    return {
        event.details["receipt_sha256"]
        for event in events_of(home)
        if event.action is Action.RECEIPTED
    }


def receipts_given(home: Path) -> set[str]:
    """Return the digests of the receipts that lie in the drop folder."""
    found = (home / "drop").rglob("receipt.json")
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
