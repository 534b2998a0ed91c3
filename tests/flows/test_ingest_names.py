"""A bundle whose files bear every hostile name goes through intake whole, and each is found."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.catalogue import queries
from storage.custody import Custody
from storage.event import Action
from storage.settings import Settings
from storage.spelling import percent, spell, unspell
from tasks.rebuilding import rebuild
from tasks.verifying import verify_case
from tests.house import CASE_NO, HEADER, ITEM, events
from tests.names_made import NAMES
from tests.tasks.test_rebuilding import comparable, copy_truth

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
Ingest = Callable[..., dict[str, Any]]
FOLDER = b"\xb5\xf7 \xb2\xe9\n".decode("utf-8", "surrogateescape")


def hostile_bundle(folder: Path) -> list[str]:
    """Write a bundle with each name at its root and in a folder that is not UTF-8 either."""
    (folder / FOLDER).mkdir(parents=True)
    paths = [*NAMES, *(f"{FOLDER}/{name}" for name in NAMES[:3])]
    lines = [
        ITEM.format(path=json.dumps(percent(path))).replace(
            f"name: {json.dumps(percent(path))}", f"name: 证据{number}"
        )
        for number, path in enumerate(paths)
    ]
    for path in paths:
        (folder / path).write_bytes(percent(path).encode())
    text = HEADER.format(number="B1", case_no=CASE_NO) + "".join(lines)
    (folder / "manifest.yaml").write_text(text)
    return paths


def test_every_name_goes_in_stays_apart_and_comes_out(
    house: Custody, ingest: Ingest, tmp_path: Path
) -> None:
    bundle = tmp_path / FOLDER / NAMES[2]
    paths = hostile_bundle(bundle)
    outcome = ingest(bundle)
    assert outcome["state"] == "accepted", outcome
    receipt = json.loads((Path(outcome["folder"]) / "receipt.json").read_text())
    kept = house.workspace.objects / "cases" / outcome["case"] / "originals"
    for path, item in zip(paths, receipt["items"], strict=True):
        assert unspell(item["path"]) == path
        data = percent(path).encode()
        assert item["digests"]["sha256"] == hashlib.sha256(data).hexdigest()
        assert (kept / item["digests"]["sha256"]).read_bytes() == data
    with house.read() as session:
        rows = queries.list_exhibits(session, outcome["case"])
    assert [row["item"]["path"] for row in rows] == [spell(path) for path in paths]
    stored = events(house, Action.STORED)
    assert [event.details["item"]["path"] for event in stored] == [spell(path) for path in paths]
    assert verify_case(house.settings, outcome["case"]).ok
    again = Settings(home=copy_truth(house.workspace.root, tmp_path / "again"))
    rebuild(again)
    rebuilt, lived = comparable(again), comparable(house.settings)
    for table in ("accession", "accession_intent", "exhibit"):
        assert rebuilt[table] == lived[table]
        assert lived[table]


def test_no_file_of_ours_bears_a_name_from_outside(
    house: Custody, ingest: Ingest, tmp_path: Path
) -> None:
    """What a bundle is called is at most hinted at, in letters, digits and underscores."""
    bundle = tmp_path / "=1+1\u202e<b>;-rf "
    hostile_bundle(bundle)
    assert ingest(bundle)["state"] == "accepted"
    ours = [path.relative_to(house.workspace.root) for path in house.workspace.root.rglob("*")]
    assert len(ours) > len(NAMES)
    for path in ours:
        assert str(path).isascii(), path
        assert not {part for part in path.parts if part in NAMES}
