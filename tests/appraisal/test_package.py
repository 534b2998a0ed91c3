"""Packages: other tools accept them, equal input gives equal bytes, a changed byte none (AP-07)."""

import csv
import io
import json
import subprocess
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import bagit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal.bag import BagWriter, check_list
from appraisal.bag_target import ZipTarget
from appraisal.material import Material, safe_suffix
from appraisal.package import material_csv
from storage.digest import fingerprint, fingerprint_bytes
from storage.errors import InputError, IntegrityError
from storage.spelling import spell
from tests.appraisal import made
from tests.appraisal.package_made import (
    CONTENT,
    INFO,
    MATERIALS,
    PROOFS,
    build,
    payloads,
)
from tests.names_made import NAMES


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    build(folder / "p.zip")
    subprocess.run(["unzip", "-q", "p.zip"], cwd=folder, check=True)
    return folder / INFO.name


def accepts(folder: Path, *command: str) -> bool:
    return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0


CHECKS = [
    ("sha256sum", "--strict", "-c", "checks/sha256sums.txt"),
    ("b3sum", "-c", "checks/b3sums.txt"),
    ("cksum", "-a", "sm3", "--check", "checks/sm3sums.txt"),
    ("sha256sum", "--strict", "-c", "manifest-sha256.txt"),
    ("sha256sum", "--strict", "-c", "tagmanifest-sha256.txt"),
]


@pytest.mark.parametrize("command", CHECKS, ids=lambda c: c[-1])
def test_ap_07_real_tools_accept_the_lists_and_find_a_change(unpacked, command) -> None:
    assert accepts(unpacked, *command)
    victim = unpacked / ("material.csv" if "tag" in command[-1] else "data/E0003.xlsx")
    whole = victim.read_bytes()
    victim.chmod(0o644)
    victim.write_bytes(whole[:-1] + b"x")
    assert not accepts(unpacked, *command)
    victim.write_bytes(whole)
    assert accepts(unpacked, *command)


def test_ap_07_a_bag_tool_validates_it(unpacked) -> None:
    bag = bagit.Bag(str(unpacked))
    bag.validate()
    assert bag.version_info == (1, 0)
    assert bag.algorithms == ["sha256"]
    assert bag.info["External-Identifier"] == INFO.commission_no
    assert "4 other exhibit(s)" in bag.info["Internal-Sender-Description"]
    total = sum(len(each) for each in CONTENT.values())
    assert bag.info["Payload-Oxum"] == f"{total}.3"
    assert sorted(bag.payload_files()) == ["data/E0001.pdf", "data/E0002", "data/E0003.xlsx"]
    (unpacked / "data/E0009").write_bytes(b"stowaway")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(unpacked)).validate()
    (unpacked / "data/E0009").unlink()


def test_every_file_is_in_every_list(unpacked) -> None:
    files = {str(each.relative_to(unpacked)) for each in unpacked.rglob("*") if each.is_file()}
    free = {each for each in files if each.startswith("checks/")}
    free |= {"manifest-sha256.txt", "tagmanifest-sha256.txt"}
    for name in ("sha256sums", "b3sums", "sm3sums"):
        text = (unpacked / f"checks/{name}.txt").read_text()
        assert all(each in text for each in files - free)
    tags = (unpacked / "tagmanifest-sha256.txt").read_text()
    outside = {each for each in files if not each.startswith("data/")} - {"tagmanifest-sha256.txt"}
    assert {line.split("  ")[1] for line in tags.splitlines()} == outside


def test_ap_02_the_list_has_its_columns_and_no_formula(unpacked) -> None:
    raw = (unpacked / "material.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert rows[0][2:7] == [
        "名称 name",
        "种类 kind",
        "数量 quantity",
        "性状 properties",
        "唯一标识 unique mark",
    ]
    assert rows[1][3] == "书证"
    assert rows[1][11] == MATERIALS[0].fingerprint.sha256
    assert rows[2][2] == "'=cmd|'/c calc'!A1"
    listed = json.loads((unpacked / "material.json").read_text())
    assert [Material.from_json(each) for each in listed] == MATERIALS
    assert json.loads((unpacked / "commission.json").read_text()) == INFO.commission
    assert json.loads((unpacked / "readings.json").read_text()) == list(INFO.readings)


@given(st.one_of(st.text(max_size=20), st.text("'=+-@\t\r x", max_size=6), st.sampled_from(NAMES)))
def test_no_cell_is_ever_a_formula_and_each_is_read_back(name) -> None:
    name = spell(name) or "x"
    rows = csv.reader(io.StringIO(material_csv(payloads([made.material(name=name)])), newline=""))
    next(rows)
    (row,) = rows
    assert all(not cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)
    assert row[2].removeprefix("'") == name


def test_the_proofs_and_readme_are_there(unpacked) -> None:
    for path, data in PROOFS:
        assert (unpacked / path).read_bytes() == data
    readme = (unpacked / "README.txt").read_text("utf-8-sig")
    for command in CHECKS[:3]:
        assert " ".join(each for each in command if each != "--strict") in readme


UNPACKERS = [
    ("unzip", "-q", "p.zip"),
    ("bsdtar", "-xf", "p.zip"),
    ("7z", "x", "-y", "p.zip"),
    ("python3", "-m", "zipfile", "-e", "p.zip", "."),
]


@pytest.mark.parametrize("command", UNPACKERS, ids=lambda c: c[0])
def test_every_unpacking_program_opens_what_was_written_in_one_pass(tmp_path, command) -> None:
    build(tmp_path / "p.zip")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for each in MATERIALS:
        data = (tmp_path / INFO.name / "data" / each.payload_name).read_bytes()
        assert data == CONTENT[each.number]


def test_ap_07_the_same_input_gives_the_same_bytes(tmp_path) -> None:
    first, second = build(tmp_path / "a.zip"), build(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert first == second == fingerprint_bytes((tmp_path / "a.zip").read_bytes())
    changed = build(tmp_path / "c.zip", info=replace(INFO, date="2026-01-29"))
    assert changed != first
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(each.filename.startswith(f"{INFO.name}/") for each in archive.infolist())


@pytest.mark.parametrize(
    "spoil",
    [lambda data: data[:-1] + b"X", lambda data: data[:-1], lambda data: data + b"x"],
    ids=["changed", "shorter", "longer"],
)
def test_ap_07_a_changed_original_is_refused(tmp_path, spoil) -> None:
    def spoiled(material: Material) -> BinaryIO:
        data = CONTENT[material.number]
        return io.BytesIO(spoil(data) if material.number == "E0003" else data)

    with pytest.raises(IntegrityError, match="E0003") as caught:
        build(tmp_path / "p.zip", payloads(opened=spoiled))
    assert caught.value.facts["exhibit"] == MATERIALS[2].exhibit_id


def test_twins_and_odd_names_are_refused(tmp_path) -> None:
    for wrong in ([MATERIALS[0]] * 2, []):
        with pytest.raises(InputError, match="each exhibit once"):
            build(tmp_path / "p.zip", payloads(wrong))
    with pytest.raises(InputError, match="ASCII"):
        build(tmp_path / "p.zip", info=replace(INFO, name="../x"))


def test_memory_stays_flat(tmp_path) -> None:
    size = 96 << 20

    class Zeros(io.RawIOBase):
        left = size

        def read(self, wanted: int = -1) -> bytes:
            step = min(wanted, self.left)
            self.left -= step
            return bytes(step)

    big = made.material(1)
    big = replace(big, fingerprint=fingerprint(Zeros()))
    tracemalloc.start()
    build(tmp_path / "p.zip", payloads([big], lambda material: Zeros()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20
    assert (tmp_path / "p.zip").stat().st_size > size


def test_a_bag_refuses_a_name_twice_and_odd_names() -> None:
    with BagWriter(ZipTarget(io.BytesIO(), "bag")) as bag:
        with pytest.raises(InputError, match="twice"):
            bag.tag("bagit.txt", b"")
        for name in ("../x", "a//b", "名单.txt", "a\nb", "", "/etc/passwd", ".hidden", "a/"):
            with pytest.raises(InputError, match="ASCII"):
                bag.tag(name, b"")


@pytest.mark.parametrize("number", ["", "E1", "E00x1", "../E0001", "E0001\n", "Ｅ0001", "e0001"])
def test_a_number_is_a_plain_file_name(number) -> None:
    with pytest.raises(InputError):
        replace(made.material(), number=number)


def test_suffixes() -> None:
    assert safe_suffix("合同.PDF") == ".pdf"
    for name in ("合同", "a.", "a.tar gz", "a.很长", "a.exe\u202efdp", "a." + "x" * 11):
        assert safe_suffix(name) == ""
    with pytest.raises(InputError):
        made.material(suffix=".p/f")


def test_list_lines() -> None:
    print_ = fingerprint_bytes(b"abc")
    assert check_list("sha256", [("data/E0001", print_)]).endswith("  data/E0001\n")
    assert check_list("sm3", [("data/E0001", print_)]) == (
        "SM3 (data/E0001) = 66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0\n"
    )
