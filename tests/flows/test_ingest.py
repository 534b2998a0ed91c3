"""Ingest end to end: what is accepted is whole, what is refused is kept and explained."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter

from storage.catalogue import queries, search
from storage.custody import Custody
from storage.event import Action, decode
from tasks.verifying import verify_case
from tests.house import FILES, events, make_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
Ingest = Callable[..., dict[str, Any]]


def reasons(house: Custody) -> set[str]:
    return {reason["code"] for reason in events(house, Action.QUARANTINED)[-1].details["reasons"]}


def test_an_accepted_bundle_is_whole(house: Custody, ingest: Ingest, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    outcome = ingest(bundle)
    assert outcome["state"] == "accepted"
    receipt = json.loads((Path(outcome["folder"]) / "receipt.json").read_text())
    assert (Path(outcome["folder"]) / "receipt.pdf").read_bytes().startswith(b"%PDF")
    assert {item["path"]: item["digests"]["sha256"] for item in receipt["items"]} == {
        path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()
    }
    for item in receipt["items"]:
        key = f"cases/{outcome['case']}/originals/{item['digests']['sha256']}"
        assert (house.workspace.objects / key).read_bytes() == FILES[item["path"]]
    assert sorted(path.name for path in bundle.iterdir()) == [*sorted(FILES), "manifest.yaml"]
    assert verify_case(house.settings, "沪市监案〔2026〕0777号").ok
    with house.read() as session:
        (hit,) = search.search(session, outcome["case"], "客户名单")
        assert hit.exhibit_id.endswith("E0001")
        (gbk,) = search.search(session, outcome["case"], "报价")
        assert gbk.exhibit_id.endswith("E0002")


def test_the_received_event_comes_before_everything(
    house: Custody, ingest: Ingest, tmp_path: Path
) -> None:
    """FP-01."""
    ingest(make_bundle(tmp_path / "bundle"))
    order = [decode(leaf).action for _, leaf in house.log.reader().entries()]
    assert order == [
        Action.OPENED,
        Action.RECEIVED,
        Action.ACCESSIONED,
        *[Action.STORED] * 3,
        Action.RECEIPTED,
        *[Action.READ] * 3,
    ]


def test_the_same_bundle_twice_is_taken_once(
    house: Custody, ingest: Ingest, tmp_path: Path
) -> None:
    """IN-11."""
    first = ingest(make_bundle(tmp_path / "one"))
    second = ingest(make_bundle(tmp_path / "two"))
    assert second["state"] == "duplicate"
    folder = Path(second["folder"])
    assert first["accession"] in (folder / "DUPLICATE.md").read_text()
    kept = json.loads((folder / "receipt.json").read_text())
    assert kept["accession"] == first["accession"]
    assert len(events(house, Action.STORED)) == 3
    assert len(events(house, Action.DUPLICATE)) == 1


def test_the_same_number_with_other_content_is_quarantined(
    house: Custody, ingest: Ingest, tmp_path: Path
) -> None:
    """IN-11."""
    ingest(make_bundle(tmp_path / "one"))
    outcome = ingest(make_bundle(tmp_path / "two", files={"a.txt": b"other"}))
    assert outcome["state"] == "quarantined"
    assert reasons(house) == {"bundle_number_taken"}


def _spoil(change: Callable[[str], str]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        manifest = folder / "manifest.yaml"
        manifest.write_text(change(manifest.read_text()))

    return spoil


def _wrong_digest(text: str) -> str:
    return text.replace("path: a.txt\n", f"path: a.txt\n  digest: sha256:{'0' * 64}\n")


SPOILED: dict[str, Callable[[Path], Any]] = {
    "no manifest": lambda folder: (folder / "manifest.yaml").unlink(),
    "two manifests": lambda folder: (folder / "manifest.yml").write_text("x: y"),
    "malformed manifest": _spoil(lambda text: text + "\n  - [unclosed"),
    "binary manifest": lambda folder: (folder / "manifest.yaml").write_bytes(os.urandom(900)),
    "unknown kind": _spoil(lambda text: text.replace("documentary", "paperwork", 1)),
    "one officer": _spoil(lambda text: text.replace('- {name: 李四, id: "310002"}\n', "")),
    "listed file missing": lambda folder: (folder / "b.txt").unlink(),
    "unlisted file": lambda folder: (folder / "extra.txt").write_text("x"),
    "digest mismatch": _spoil(_wrong_digest),
    "symbolic link": lambda folder: (folder / "link").symlink_to("/etc/passwd"),
    "pipe": lambda folder: os.mkfifo(folder / "pipe"),
    "name that is not UTF-8": lambda folder: Path(
        os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.txt")
    ).write_text("x"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_bundle_is_refused_and_kept(
    house: Custody, ingest: Ingest, tmp_path: Path, name: str
) -> None:
    """IN-01, IN-02."""
    bundle = make_bundle(tmp_path / "bundle")
    SPOILED[name](bundle)
    outcome = ingest(bundle, "pudong-01")
    assert outcome["state"] == "quarantined"
    text = (Path(outcome["folder"]) / "REJECTED.md").read_text()
    assert "未被接收" in text
    assert "What to do" in text
    assert reasons(house)
    assert events(house, Action.STORED) == []
    regular = [each for each in bundle.iterdir() if each.is_file() and not each.is_symlink()]
    kept = house.workspace.objects / "quarantine" / outcome["accession"] / "originals"
    for each in regular:
        assert (kept / hashlib.sha256(each.read_bytes()).hexdigest()).exists()
    assert ingest(make_bundle(tmp_path / "next", "B2"))["state"] == "accepted"


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil.txt", "a\\..\\evil.txt"])
def test_a_zip_with_unsafe_names_is_refused_whole(
    house: Custody, ingest: Ingest, tmp_path: Path, name: str
) -> None:
    outcome = ingest(_zip(tmp_path / "b.zip", {"manifest.yaml": b"x: y", name: b"evil"}))
    assert outcome["state"] == "quarantined"
    assert reasons(house) == {"unsafe_archive"}
    assert not list(tmp_path.rglob("evil.txt"))
    kept = house.workspace.objects / "quarantine" / outcome["accession"] / "originals"
    digest = hashlib.sha256((tmp_path / "b.zip").read_bytes()).hexdigest()
    assert (kept / digest).exists()


@pytest.mark.parametrize("top", ["", "bundle/"])
def test_a_zip_is_kept_with_its_members(
    house: Custody, ingest: Ingest, tmp_path: Path, top: str
) -> None:
    folder = make_bundle(tmp_path / "bundle")
    members = {f"{top}{each.name}": each.read_bytes() for each in folder.iterdir()}
    path = _zip(tmp_path / "b.zip", members)
    outcome = ingest(path)
    assert outcome["state"] == "accepted"
    report = verify_case(house.settings, outcome["case"])
    assert report.ok
    assert {item.label.rpartition("/")[2] for item in report.items} == {
        "container", "manifest_file", "E0001", "E0002", "E0003",
    }  # fmt: skip


def _encrypted_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_documents_that_cannot_be_read_are_taken_and_named(
    house: Custody, ingest: Ingest, tmp_path: Path
) -> None:
    files = {
        "empty.txt": b"",
        "locked.pdf": _encrypted_pdf(),
        "cut.pdf": b"%PDF-1.7\n1 0 obj\n<<",
        "unknown.bin": bytes(range(256)) * 4,
        "good.txt": "客户名单".encode(),
    }
    outcome = ingest(make_bundle(tmp_path / "bundle", files=files))
    assert outcome["state"] == "accepted"
    with house.read() as session:
        rows = queries.list_exhibits(session, outcome["case"])
    states = {row["item"]["path"]: row["reading"]["state"] for row in rows}
    assert states == {
        "empty.txt": "empty",
        "locked.pdf": "encrypted",
        "cut.pdf": "damaged",
        "unknown.bin": "unknown_type",
        "good.txt": "read",
    }
    assert all(row["reading"]["details"]["reason"] for row in rows if row["name"] != "good.txt")
    assert verify_case(house.settings, outcome["case"]).ok


def test_two_bundles_of_a_case_number_their_exhibits_in_order(
    house: Custody, ingest: Ingest, tmp_path: Path
) -> None:
    ingest(make_bundle(tmp_path / "one", "B1"))
    outcome = ingest(make_bundle(tmp_path / "two", "B2", {"d.txt": b"d", "a.txt": FILES["a.txt"]}))
    with house.read() as session:
        rows = queries.list_exhibits(session, outcome["case"])
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert verify_case(house.settings, outcome["case"]).ok
