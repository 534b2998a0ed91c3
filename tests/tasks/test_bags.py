"""BagIt bags: what a bag says of itself is checked, file by file, and then it is a bundle."""

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bagit
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.custody import Custody
from storage.digest import fingerprint_bytes, new
from storage.directory import DirectoryStore
from storage.event import Action
from storage.listing import ListedFile, parse_listing
from storage.settings import Settings
from storage.verify import CaseReport, Result, verify
from tasks import accounting, bag_lists, bags, disposing, fixity
from tasks.checking import check_bundle
from tasks.manifest_draft import drafts
from tasks.reader.cell import CellPool
from tasks.receiving import load
from tests.house import CASE_NO, HEADER, ITEM, events
from tests.tasks.life import CASE, open_house, take

Files = dict[str, bytes]
PAYLOAD: Files = {"data/a.txt": b"one", "data/deep/b.txt": b"two"}


def bag(
    payload: Files = PAYLOAD, version: str = "1.0", algorithms: tuple[str, ...] = ("sha256",)
) -> Files:
    """Return the files of a right bag."""
    made = {"bagit.txt": f"BagIt-Version: {version}\nTag-File-Character-Encoding: UTF-8\n".encode()}
    made["bag-info.txt"] = (
        f"Payload-Oxum: {sum(map(len, payload.values()))}.{len(payload)}".encode()
    )
    for algorithm in algorithms:
        made[f"manifest-{algorithm}.txt"] = listed(payload, algorithm)
    for algorithm in algorithms:
        made[f"tagmanifest-{algorithm}.txt"] = listed(made, algorithm)
    return made | payload


def listed(files: Files, algorithm: str) -> bytes:
    return b"".join(line(path, data, algorithm) for path, data in files.items())


def line(path: str, data: bytes, algorithm: str = "sha256") -> bytes:
    raw = path.encode("utf-8", "surrogateescape")
    raw = raw.replace(b"%", b"%25").replace(b"\n", b"%0A").replace(b"\r", b"%0d")
    state = blake3(data) if algorithm == "blake3" else hashlib.new(algorithm, data)
    return f"{state.hexdigest()}  ".encode() + raw + b"\n"


def judge(files: Files) -> bags.Bag:
    def digests(path: str, algorithms: list[str]) -> dict[str, str]:
        states = {name: new(name) for name in algorithms}
        for state in states.values():
            state.update(files[path])
        return {name: state.hexdigest() for name, state in states.items()}

    listing = [ListedFile(path, fingerprint_bytes(data)) for path, data in files.items()]
    return bags.judge_bag(listing, files.__getitem__, digests, 1 << 20)  # type: ignore[arg-type]


def codes(files: Files) -> list[tuple[str, str]]:
    return [(each.code, each.where) for each in judge(files).mistakes]


@pytest.mark.parametrize("version", ["0.97", "1.0"])
@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512", "sm3", "blake3"])
def test_a_right_bag_has_no_mistake(version: str, algorithm: str) -> None:
    judged = judge(bag(version=version, algorithms=(algorithm,)))
    assert (judged.mistakes, judged.version) == ((), version)
    assert set(judged.payload) == set(PAYLOAD)
    assert "bagit.txt" in judged.tags


def without(path: str) -> Callable[[Files], None]:
    return lambda files: files.__delitem__(path)


def put(path: str, data: bytes) -> Callable[[Files], None]:
    return lambda files: files.__setitem__(path, data)


def add(path: str, data: bytes) -> Callable[[Files], None]:
    return lambda files: files.__setitem__(path, files[path] + data)


LIST = "manifest-sha256.txt"
ZERO = b"0" * 64
SPOILT: dict[str, tuple[Callable[[Files], None], tuple[str, str]]] = {
    "changed": (put("data/a.txt", b"One"), ("bag_digest_differs", "data/a.txt")),
    "tag changed": (add("bag-info.txt", b"\nX: y\n"), ("bag_digest_differs", "bag-info.txt")),
    "missing": (without("data/a.txt"), ("bag_missing", "data/a.txt")),
    "tag missing": (without("bag-info.txt"), ("bag_missing", "bag-info.txt")),
    "extra": (put("data/c.txt", b"c"), ("bag_unlisted", "data/c.txt")),
    "no list": (without(LIST), ("bag_manifest_missing", LIST)),
    "garbage": (put(LIST, b"\xff\xfe\x00 no\n"), ("bag_line", f"{LIST}:1")),
    "parent": (add(LIST, ZERO + b"  data/../../x\n"), ("bag_line", f"{LIST}:3")),
    "absolute": (add(LIST, ZERO + b"  /etc/passwd\n"), ("bag_line", f"{LIST}:3")),
    "dot": (add(LIST, ZERO + b"  ./data/a.txt\n"), ("bag_line", f"{LIST}:3")),
    "outside": (add(LIST, ZERO + b"  bagit.txt\n"), ("bag_line", f"{LIST}:3")),
    "twice": (add(LIST, line("data/a.txt", b"one")), ("bag_line", f"{LIST}:3")),
    "payload as tag": (
        add("tagmanifest-sha256.txt", ZERO + b"  data/a.txt\n"),
        ("bag_line", "tagmanifest-sha256.txt:4"),
    ),
    "fetch": (put("fetch.txt", b"http://x/ 1 data/z\n"), ("bag_fetch", "fetch.txt")),
    "long fetch": (put("fetch.txt", b" " * (2 << 20)), ("bag_fetch", "fetch.txt")),
    "long list": (put(LIST, b"\n" * (2 << 20)), ("limit", LIST)),
    "version": (
        put("bagit.txt", b"BagIt-Version: 2.0\nTag-File-Character-Encoding: UTF-8\n"),
        ("bag_declaration", "bagit.txt"),
    ),
    "mark": (
        put("bagit.txt", b"\xef\xbb\xbfBagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"),
        ("bag_declaration", "bagit.txt"),
    ),
    "encoding": (
        put("bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-16\n"),
        ("bag_declaration", "bagit.txt"),
    ),
    "no declaration": (put("bagit.txt", b""), ("bag_declaration", "bagit.txt")),
    "oxum": (put("bag-info.txt", b"Payload-Oxum: 7.2\n"), ("bag_oxum", "bag-info.txt")),
    "oxum twice": (add("bag-info.txt", b"\nPayload-Oxum: 6.2\n"), ("bag_oxum", "bag-info.txt")),
    "oxum garbage": (put("bag-info.txt", b"Payload-Oxum: six\n"), ("bag_oxum", "bag-info.txt")),
    "algorithm": (put("manifest-crc32.txt", b""), ("bag_algorithm", "manifest-crc32.txt")),
    "in one list only": (
        put("manifest-md5.txt", line("data/a.txt", b"one", "md5")),
        ("bag_unlisted", "data/deep/b.txt"),
    ),
}


@pytest.mark.parametrize("label", SPOILT)
def test_each_fault_is_told_and_names_its_file(label: str) -> None:
    spoil, expected = SPOILT[label]
    files = bag()
    spoil(files)
    assert expected in codes(files)


def test_an_old_bag_may_list_a_file_in_one_of_its_manifests() -> None:
    files = bag(version="0.97")
    files["manifest-md5.txt"] = line("data/a.txt", b"one", "md5")
    assert codes(files) == []
    files["data/c.txt"] = b"in none"
    assert {code for code, _ in codes(files)} == {"bag_unlisted", "bag_oxum"}


def test_an_empty_fetch_list_asks_for_nothing() -> None:
    assert codes(bag() | {"fetch.txt": b"\r\n"}) == []


def test_a_name_in_the_other_normal_form_is_the_one_file_that_it_can_mean() -> None:
    files = bag({"data/e\u0301.txt": b"x"})
    files[LIST] = line("data/\u00e9.txt", b"x")
    files.pop("tagmanifest-sha256.txt")
    assert codes(files) == []
    files["data/\u00e9.txt"] = b"y"
    assert ("bag_unlisted", "data/e\u0301.txt") in codes(files)


@pytest.mark.parametrize("version", ["0.97", "1.0"])
def test_a_per_cent_sign_that_a_tool_did_not_encode_is_understood(version: str) -> None:
    files = bag({"data/a%25.txt": b"x"}, version)
    files[LIST] = line("data/a%25.txt", b"x").replace(b"%2525", b"%25")
    files.pop("tagmanifest-sha256.txt")
    assert codes(files) == []


NAMES = st.binary(min_size=1, max_size=20).map(
    lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_").decode("utf-8", "surrogateescape")
)


@settings(deadline=None)
@given(st.dictionaries(NAMES.filter(lambda n: n not in (".", "..")), st.binary(max_size=5)))
def test_any_name_that_a_file_can_have_can_be_in_a_bag(names: dict[str, bytes]) -> None:
    assert judge(bag({f"data/{name}": data for name, data in names.items()})).mistakes == ()


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["bagit.txt", LIST, "bag-info.txt", "fetch.txt"]))
def test_no_tag_file_brings_the_judge_down(data: bytes, name: str) -> None:
    judged = judge(bag() | {name: data})
    assert all(each.remedy_zh and each.remedy_en for each in judged.mistakes)


def test_mistakes_are_bounded() -> None:
    files = bag() | {LIST: b"x\n" * 5000}
    assert len(judge(files).mistakes) == bags.MOST_MISTAKES


def test_every_algorithm_name_is_known_in_its_spellings() -> None:
    for name in ("sha-512", "SHA512", "sha3-256", "SM3", "blake3", "blake2b"):
        assert bag_lists.list_of(f"manifest-{name}.txt")[2]
    assert "shake128" not in bag_lists.ALGORITHMS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Custody]:
    with open_house(tmp_path / "home") as custody:
        yield custody


def text_for(*paths: str) -> str:
    text = HEADER.format(number="B1", case_no=CASE_NO)
    return text + "".join(ITEM.format(path=path) for path in paths)


def made_by_another_tool(folder: Path, *, inside: str = "", **more: object) -> Path:
    """Make a bag with the reference implementation."""
    folder.mkdir()
    (folder / "sub").mkdir()
    (folder / "a.txt").write_bytes("客户名单".encode())
    (folder / "sub/合同 100.txt").write_bytes(b"contract")
    if inside:
        (folder / "manifest.yaml").write_text(inside)
    logging.getLogger("bagit").setLevel(logging.ERROR)
    bagit.make_bag(str(folder), **more)
    return folder


@pytest.mark.parametrize("where", ["data", "root", "root, from data"])
def test_a_bag_of_the_reference_tool_is_taken_in(
    house: Custody, pool: CellPool, tmp_path: Path, where: str
) -> None:
    names = ("a.txt", "sub/合同 100.txt")
    folder = made_by_another_tool(
        tmp_path / "bag",
        inside=text_for(*names) if where == "data" else "",
        checksums=["md5", "sha512"],
    )
    if where != "data":
        before = "data/" if where == "root" else ""
        (folder / "manifest.yaml").write_text(text_for(*(before + name for name in names)))
    answer = take(house, pool, folder)
    assert answer.state == "accepted"
    stored = events(house, Action.STORED)
    assert [each.details["item"]["path"] for each in stored] == [f"data/{name}" for name in names]
    (accessioned,) = events(house, Action.ACCESSIONED)
    tags = parse_listing(load(house, accessioned.details["bag"]["listing"]).decode())
    assert {each.path for each in tags} == {
        "bagit.txt",
        "bag-info.txt",
        *(f"{tag}manifest-{name}.txt" for tag in ("", "tag") for name in ("md5", "sha512")),
    }
    for each in tags:
        key = f"{accessioned.details['bag']['prefix']}/{each.fingerprint.sha256}"
        assert house.objects.find(key) is not None


def test_a_packed_bag_is_judged_as_one(house: Custody, pool: CellPool, tmp_path: Path) -> None:
    folder = tmp_path / "bag"
    folder.mkdir()
    for path, data in bag({"data/a.txt": b"one"}).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "manifest.yaml").write_text(text_for("data/a.txt"))
    archive = packed(folder)
    assert take(house, pool, archive).state == "accepted"
    (folder / "data/a.txt").write_bytes(b"1")
    (tmp_path / "bag.zip").unlink()
    answer = take(house, pool, packed(folder))
    assert answer.state == "quarantined"
    (refused,) = events(house, Action.QUARANTINED)
    found = {(each["code"], each["where"]) for each in refused.details["reasons"]}
    assert found == {("bag_digest_differs", "data/a.txt"), ("bag_oxum", "bag-info.txt")}


def packed(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))


def test_what_lies_beside_the_items_is_verified_swept_accounted_for_and_disposed_of(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    payload = {"data/a.txt": b"one"}
    files = bag(payload) | {f"notes/{number:02d}.txt": bytes([number]) for number in range(45)}
    files["manifest.yaml"] = text_for("data/a.txt").encode()
    for path, data in files.items():
        (tmp_path / "bag" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bag" / path).write_bytes(data)
    assert take(house, pool, tmp_path / "bag").state == "accepted"
    named = [each for event in events(house, Action.KEPT) for each in event.details["files"]]
    assert len(named) == len(files) - 2
    assert len(events(house, Action.KEPT)) == 3
    counted = accounting.whole_account(accounting.case_account(house, CASE))
    assert (counted.unexplained, counted.stored) == ([], counted.received)
    plan = fixity.plan_sweep(house)
    assert plan.objects >= len(files)
    assert [e for part in plan.parts for e in fixity.sweep_part(house, part)] == []
    assert verified(house).ok
    victim = house.workspace.objects / named[7]["object"]["key"]
    victim.unlink()
    wrong = [each for each in verified(house).items if each.result is not Result.OK]
    label = f"{events(house, Action.KEPT)[0].accession}/bag/7"
    assert [(each.label, each.result) for each in wrong] == [(label, Result.MISSING)]
    assert dispose_of(house).items
    gone = verified(house)
    assert {each.result for each in gone.items} == {Result.DISPOSED}
    assert list(house.objects.keys(f"cases/{CASE}/originals")) == []


def verified(custody: Custody) -> CaseReport:
    return verify(custody.objects, custody.log.reader().check(), CASE)


def dispose_of(custody: Custody) -> disposing.DisposalList:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(days=366 * custody.settings.retention_years)

    later = DirectoryStore(custody.workspace.objects, clock)
    old = replace(custody, clock=clock, objects=later)
    listed_ = disposing.list_disposal(old, CASE)
    disposing.dispose(old, CASE, by="王", second="李", reason="期满", digest=listed_.digest)
    return listed_


@pytest.mark.parametrize("place", ["", "data/"])
def test_a_bag_is_checked_before_it_is_dropped_as_when_it_is(place: str, tmp_path: Path) -> None:
    text = text_for("a.txt").encode()
    payload = {"data/a.txt": b"one"} | ({f"{place}manifest.yaml": text} if place else {})
    files = bag(payload) | {f"{place}manifest.yaml": text}
    for path, data in files.items():
        (tmp_path / "bag" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bag" / path).write_bytes(data)
    chosen = Settings(home=tmp_path / "home")
    assert check_bundle(chosen, tmp_path / "bag", "") == ((), 1)
    (tmp_path / "bag/data/a.txt").write_bytes(b"1")
    mistakes, _ = check_bundle(chosen, tmp_path / "bag", "")
    assert {each.code for each in mistakes} == {"bag_digest_differs", "bag_oxum"}


def test_a_fresh_manifest_of_a_bag_lists_its_payload_alone(tmp_path: Path) -> None:
    folder = made_by_another_tool(tmp_path / "bag")
    assert [each.path for each in drafts(folder)] == ["data/a.txt", "data/sub/合同 100.txt"]
