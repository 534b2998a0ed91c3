"""Proof bundles as the shipped program judges them: every attack that we know, and what holds."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bagit
import pytest
from sqlalchemy import delete

from deploy.sample.authority import SampleAuthority
from storage.catalogue import queries, tables
from storage.errors import ConflictError, IntegrityError, NotFoundError, StateError
from storage.event import Action, decode
from storage.nouns import Person, case_id
from storage.verifier import VERIFIER
from tasks.proving import Wish, prove
from tests.tasks.life import open_house
from tests.tasks.proof_made import (
    CASE_NO,
    FILES,
    OTHER_FILES,
    OTHER_NO,
    PYTHON,
    reseal,
    take_case,
    verify,
)
from tests.tasks.proof_world import STRANGER, World, made_world, stamped

CASE = case_id(CASE_NO)
P_L = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with made_world(tmp_path_factory.mktemp("world")) as made:
        yield made


def event_of(bag: Path, action: str, exhibit: str = "") -> Path:
    """The first event of an action (and an exhibit) in a bag."""
    for path in sorted((bag / "events").glob("*.json")):
        body = json.loads(path.read_text())
        if body["action"] == action and (not exhibit or exhibit in body["exhibits"]):
            return path
    raise LookupError(action)


def proof_of(event: Path) -> Path:
    return event.with_suffix(".tlog-proof")


def edit(path: Path, old: str, new: str, count: int = -1) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


# ---- One byte of every kind of file ----

CLASSES = (
    "data/E0001.txt",
    "events/*.json",
    "events/*.tlog-proof",
    "checkpoint",
    "older/*/checkpoint",
    "older/*/consistency",
    "older/*/*.tsr",
    "older/*/*.cosignature",
    "policy.json",
    "statement.json",
    "README.txt",
    "verify.py",
    "bagit.txt",
    "bag-info.txt",
    "manifest-sha256.txt",
    "tagmanifest-sha256.txt",
    "checks/sha256sums.txt",
    "checks/sm3sums.txt",
    "checks/b3sums.txt",
)


@pytest.mark.parametrize("pattern", CLASSES)
def test_one_changed_bit_in_any_file_is_found(world: World, tmp_path: Path, pattern: str) -> None:
    bag = world.bundle("case", tmp_path)
    victim = sorted(bag.glob(pattern))[-1]
    flip(victim)
    code, said = verify(bag, "--policy", world.full, "--lang", "en")
    assert code == 1
    if "sums" not in pattern and "manifest" not in pattern:
        assert f"[FAILED] {victim.relative_to(bag)}:" in said


RESEALED = (*CLASSES[:6], "older/*/*.cosignature", "statement.json")


@pytest.mark.parametrize("pattern", RESEALED)
def test_one_changed_bit_is_found_when_the_lists_are_made_to_agree(
    world: World, tmp_path: Path, pattern: str
) -> None:
    bag = world.bundle("case", tmp_path)
    flip(sorted(bag.glob(pattern))[-1])
    reseal(bag)
    code, said = verify(bag, "--policy", world.full, "--lang", "en")
    assert code == 1, said


@pytest.mark.parametrize("name", sorted({each.partition("/")[0] for each in CLASSES[3:]}))
def test_a_missing_file_is_found(world: World, tmp_path: Path, name: str) -> None:
    bag = world.bundle("case", tmp_path)
    shutil.rmtree(bag / name) if (bag / name).is_dir() else (bag / name).unlink()
    assert verify(bag, "--policy", world.full)[0] == 1


# ---- The lists agree in all that follows: an attacker writes them anew ----

Attack = Callable[[World, Path], None]


def _remove_event(world: World, bag: Path) -> None:
    event = event_of(bag, "stored", f"{CASE}/E0002")
    proof_of(event).unlink()
    event.unlink()
    said = json.loads((bag / "statement.json").read_text())
    change(bag / "statement.json", events=said["events"] - 1)


def _remove_event_and_count(world: World, bag: Path) -> None:
    _remove_event(world, bag)
    said = json.loads((bag / "statement.json").read_text())
    chains = {name: count - (name == f"{CASE}/E0002") for name, count in said["chains"].items()}
    change(bag / "statement.json", chains=chains)


def _remove_proof(world: World, bag: Path) -> None:
    proof_of(event_of(bag, "stored")).unlink()


def _exchange_events(world: World, bag: Path) -> None:
    one, two = (event_of(bag, "stored", f"{CASE}/E000{number}") for number in (1, 2))
    shutil.copy(two, one)
    edit_index = re.sub(r"index \d+", f"index {int(one.stem)}", proof_of(two).read_text())
    proof_of(one).write_text(edit_index)


def _edit_event(world: World, bag: Path) -> None:
    edit(event_of(bag, "stored"), "某公司", "他公司")


def _respell_event(world: World, bag: Path) -> None:
    edit(event_of(bag, "stored"), '"action":', '"action": ')


def _name_twice_in_event(world: World, bag: Path) -> None:
    edit(event_of(bag, "stored"), '{"accession"', '{"accession":"A","accession"', 1)


def _wrong_count(by: int) -> Attack:
    def attack(world: World, bag: Path) -> None:
        said = json.loads((bag / "statement.json").read_text())
        said["chains"][f"{CASE}/E0001"] += by
        change(bag / "statement.json", chains=said["chains"])

    return attack


def _no_count(world: World, bag: Path) -> None:
    said = json.loads((bag / "statement.json").read_text())
    del said["chains"][f"{CASE}/E0001"]
    change(bag / "statement.json", chains=said["chains"])


def _hide_exhibit(world: World, bag: Path) -> None:
    said = json.loads((bag / "statement.json").read_text())
    said["chains"].pop(f"{CASE}/E0002")
    rest = [each for each in said["exhibits"] if not each["exhibit"].endswith("E0002")]
    change(bag / "statement.json", chains=said["chains"], exhibits=rest)
    (bag / "data/E0002.pdf").unlink()


def _plant(world: World, bag: Path) -> None:
    (bag / "data/E0009.txt").write_text("a confession")


def _show_nothing(world: World, bag: Path) -> None:
    for name in ("data", "events"):
        shutil.rmtree(bag / name)
    change(bag / "statement.json", chains={}, exhibits=[], events=0, kind="exhibit")


def _claim_a_case(world: World, bag: Path) -> None:
    said = json.loads((bag / "statement.json").read_text())
    change(bag / "statement.json", chains={k: v for k, v in said["chains"].items() if "/" in k})


def _swap_originals(world: World, bag: Path) -> None:
    one, two = bag / "data/E0001.txt", bag / "data/E0002.pdf"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def _replace_original(world: World, bag: Path) -> None:
    (bag / "data/E0001.txt").write_bytes(b"a better list of customers")


def _change_statement_digest(world: World, bag: Path) -> None:
    said = json.loads((bag / "statement.json").read_text())
    said["exhibits"][0]["digests"]["sha256"] = "0" * 64
    change(bag / "statement.json", exhibits=said["exhibits"])


def _drop_original(world: World, bag: Path) -> None:
    (bag / "data/E0001.txt").unlink()


def _malleable(text: str) -> str:
    """S + L in place of S: the same signature in a spelling that RFC 8032 forbids."""
    line = next(each for each in text.splitlines() if each.startswith("— "))
    encoded = line.split(" ")[2]
    data = base64.b64decode(encoded)
    s = int.from_bytes(data[36:], "little") + P_L
    again = base64.b64encode(data[:36] + s.to_bytes(32, "little")).decode()
    return text.replace(encoded, again)


def _malleate(world: World, bag: Path) -> None:
    for path in (bag / "checkpoint", *(bag / "events").glob("*.tlog-proof")):
        path.write_text(_malleable(path.read_text()))


def _lengthen_proof(world: World, bag: Path) -> None:
    path = proof_of(event_of(bag, "stored"))
    head, separator, note = path.read_text().partition("\n\n")
    path.write_text(f"{head}\n{base64.b64encode(bytes(32)).decode()}{separator}{note}")


def _shorten_proof(world: World, bag: Path) -> None:
    path = proof_of(event_of(bag, "stored"))
    head, separator, note = path.read_text().partition("\n\n")
    path.write_text(head.rpartition("\n")[0] + separator + note)


def _short_hash(world: World, bag: Path) -> None:
    path = proof_of(event_of(bag, "stored"))
    head, separator, note = path.read_text().partition("\n\n")
    path.write_text(f"{head.rpartition(chr(10))[0]}\n{'A' * 40}{separator}{note}")


def _sloppy_base64(world: World, bag: Path) -> None:
    path = proof_of(event_of(bag, "stored"))
    head, separator, note = path.read_text().partition("\n\n")
    path.write_text(head[:-2] + chr(ord(head[-2]) ^ 1) + "=" + separator + note)


def _older_proof(world: World, bag: Path) -> None:
    older = sorted((bag / "older").iterdir())[0] / "checkpoint"
    path = proof_of(event_of(bag, "received"))
    head = path.read_text().partition("\n\n")[0]
    path.write_text(f"{head}\n\n{older.read_text()}")


def _older_checkpoint(world: World, bag: Path) -> None:
    shutil.copy(sorted((bag / "older").iterdir())[0] / "checkpoint", bag / "checkpoint")


def _edit_checkpoint(world: World, bag: Path) -> None:
    text = (bag / "checkpoint").read_text()
    size = text.split("\n")[1]
    (bag / "checkpoint").write_text(text.replace(f"\n{size}\n", f"\n{int(size) + 1}\n", 1))


def _stamp_of(path: Path) -> Path:
    return sorted(path.glob("older/*/*.tsr"))[0]


def _other_stamp(world: World, bag: Path) -> None:
    _stamp_of(bag).write_bytes(world.stamp(b"another checkpoint"))


def _other_authority(world: World, bag: Path) -> None:
    stamp = _stamp_of(bag)
    other = SampleAuthority(bag.parent / "other-authority")
    other.make()
    stamp.write_bytes(stamped(other, (stamp.parent / "checkpoint").read_bytes()))


def _other_imprint(world: World, bag: Path) -> None:
    stamp = _stamp_of(bag)
    digest = hashlib.sha256((stamp.parent / "checkpoint").read_bytes()).digest()
    assert digest in stamp.read_bytes()
    stamp.write_bytes(stamp.read_bytes().replace(digest, bytes(32)))


def _earlier_stamp(world: World, bag: Path) -> None:
    stamp = _stamp_of(bag)
    (year,) = re.findall(rb"\x18\x0f(20\d\d)\d{10}Z", stamp.read_bytes())
    earlier = b"%d" % (int(year) - 1)
    stamp.write_bytes(stamp.read_bytes().replace(b"\x18\x0f" + year, b"\x18\x0f" + earlier))


def _garbage_stamp(world: World, bag: Path) -> None:
    _stamp_of(bag).write_bytes(b"\x30\x03\x02\x01\x00")


def _forged_cosignature(world: World, bag: Path) -> None:
    path = sorted(bag.glob("older/*/*.cosignature"))[0]
    dash, name, encoded = path.read_text().strip().split(" ")
    data = bytearray(base64.b64decode(encoded))
    data[11] ^= 1  # one second earlier or later
    path.write_text(f"{dash} {name} {base64.b64encode(data).decode()}\n")


def _rewritten_consistency(world: World, bag: Path) -> None:
    path = sorted((bag / "older").iterdir())[0] / "consistency"
    lines = path.read_text().split("\n")
    lines[-2] = base64.b64encode(bytes(32)).decode()
    path.write_text("\n".join(lines))


def _no_consistency(world: World, bag: Path) -> None:
    (sorted((bag / "older").iterdir())[0] / "consistency").unlink()


def _two_spellings(world: World, bag: Path) -> None:
    event = event_of(bag, "stored")
    shutil.copy(proof_of(event), bag / f"events/{int(event.stem)}.tlog-proof")


def _extra_event(world: World, bag: Path) -> None:
    (bag / "events/notes.json").write_text("{}")


def _twice_in_statement(world: World, bag: Path) -> None:
    edit(bag / "statement.json", '"bytes": true', '"bytes": false, "bytes": true')


def _statement(text: bytes) -> Attack:
    return lambda world, bag: (bag / "statement.json").write_bytes(text) and None


def _giant_number(world: World, bag: Path) -> None:
    edit(bag / "statement.json", '"not_shown": 0', f'"not_shown": {"9" * 100_000}')


def _fraction(world: World, bag: Path) -> None:
    edit(bag / "statement.json", '"not_shown": 0', '"not_shown": 0.0')


def _link(world: World, bag: Path) -> None:
    (bag / "data/E0001.txt").unlink()
    (bag / "data/E0001.txt").symlink_to("/etc/passwd")


def _linked_folder(world: World, bag: Path) -> None:
    (bag / "data/more").symlink_to("/etc")


def _pipe(world: World, bag: Path) -> None:
    (bag / "README.txt").unlink()
    os.mkfifo(bag / "README.txt")


def _odd_name(world: World, bag: Path) -> None:
    (bag / "data/\x1b[2J").write_text("x")


ATTACKS: dict[str, tuple[Attack, str]] = {
    "an event removed with its proof": (_remove_event, f"{CASE}/E0002: its chain breaks"),
    "an event removed and the count lowered": (_remove_event_and_count, f"{CASE}/E0002: "),
    "a proof removed": (_remove_proof, "has no inclusion proof"),
    "an event exchanged for another exhibit's": (_exchange_events, "leads to another root"),
    "an event edited": (_edit_event, "leads to another root"),
    "an event spelled differently": (_respell_event, "leads to another root"),
    "a name twice in an event": (_name_twice_in_event, "leads to another root"),
    "a count too high": (_wrong_count(1), f"{CASE}/E0001: its chain breaks"),
    "a count too low": (_wrong_count(-1), f"{CASE}/E0001: its chain breaks"),
    "a count missing": (_no_count, f"{CASE}/E0001"),
    "an exhibit of a whole case hidden": (_hide_exhibit, "4 accessioned, 3 listed"),
    "a file of no exhibit planted": (_plant, "data/E0009.txt: is of no listed exhibit"),
    "nothing shown at all": (_show_nothing, "statement.json"),
    "a case claimed without its chain": (_claim_a_case, CASE),
    "two originals exchanged": (_swap_originals, f"{CASE}/E0001: bytes or statement"),
    "an original replaced": (_replace_original, f"{CASE}/E0001: bytes or statement"),
    "a digest of the statement changed": (_change_statement_digest, f"{CASE}/E0001: bytes"),
    "an original left out": (_drop_original, f"{CASE}/E0001: bytes"),
    "S + L in place of S": (_malleate, "checkpoint: the log's signature is bad"),
    "a proof too long": (_lengthen_proof, "the proof is too long"),
    "a proof too short": (_shorten_proof, "the proof is too short"),
    "a hash too short": (_short_hash, "base64 value"),
    "base64 in another spelling": (_sloppy_base64, "tlog-proof"),
    "a proof to an older checkpoint": (_older_proof, "another form, index or checkpoint"),
    "an older checkpoint in its place": (_older_checkpoint, "another form, index or checkpoint"),
    "a checkpoint of another size": (_edit_checkpoint, "signature is bad"),
    "a timestamp of another checkpoint": (_other_stamp, "tsr: is of another checkpoint"),
    "a timestamp of another authority": (_other_authority, "tsr: is of another checkpoint"),
    "a timestamp's imprint changed": (_other_imprint, "tsr: is of another checkpoint"),
    "a timestamp's time changed": (_earlier_stamp, "tsr: is of another checkpoint"),
    "a timestamp that is none": (_garbage_stamp, "tsr: has another form"),
    "a cosignature forged": (_forged_cosignature, "bad cosignature of example.org/witness"),
    "a consistency proof rewritten": (_rewritten_consistency, "checkpoint: the log does not"),
    "a consistency proof missing": (_no_consistency, "checkpoint: is missing"),
    "a proof under two names": (_two_spellings, "events/"),
    "a file among the events": (_extra_event, "events/notes.json: has no inclusion proof"),
    "a name twice in the statement": (_twice_in_statement, "holds a name twice"),
    "a giant number": (_giant_number, "beyond 2**53"),
    "a fraction": (_fraction, "not whole"),
    "JSON too deep": (_statement(b"[" * 1_000_000), "has another form"),
    "JSON of another kind": (_statement(b"[]"), "has another form"),
    "a statement that is not UTF-8": (_statement(b'{"\xff": 1}'), "has another form"),
    "a symbolic link": (_link, "data/E0001.txt: is no plain file"),
    "a linked folder": (_linked_folder, "data/more: is no plain file"),
    "a pipe": (_pipe, "README.txt: is no plain file"),
    "a name that moves the cursor": (_odd_name, "data/\\u001b[2J: is no plain file"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found_and_its_item_named(world: World, tmp_path: Path, name: str) -> None:
    attack, words = ATTACKS[name]
    bag = world.bundle("case", tmp_path)
    attack(world, bag)
    reseal(bag)
    anchored = "timestamp" in name or "cosignature" in name
    policy = world.full if anchored else world.plain
    code, said = verify(bag, "--policy", policy, "--lang", "en")
    failures = [line for line in said.splitlines() if "[FAILED]" in line]
    assert code == 1, said
    assert any(words in line for line in failures), "\n".join(failures)


@pytest.mark.parametrize(
    ("path", "line", "words"),
    [
        ("manifest-sha256.txt", f"{'0' * 64}  ../../../etc/passwd", "../../../etc/passwd"),
        ("manifest-sha256.txt", f"{'0' * 64}  /etc/passwd", "/etc/passwd"),
        ("checks/sm3sums.txt", f"SM3 (a/../../b) = {'0' * 64}", "a/../../b"),
        ("checks/b3sums.txt", f"{'0' * 64}  data/E0009.txt", "data/E0009.txt: is missing"),
        ("checks/sha256sums.txt", "no digest at all", "no digest at all"),
        ("tagmanifest-sha256.txt", f"{'0' * 64} *verify.py", "verify.py"),
    ],
)
def test_a_list_with_an_odd_line_is_refused(
    world: World, tmp_path: Path, path: str, line: str, words: str
) -> None:
    bag = world.bundle("case", tmp_path)
    with (bag / path).open("a") as file:
        file.write(f"{line}\n")
    code, said = verify(bag, "--policy", world.full, "--lang", "en")
    assert code == 1
    assert words in said


@pytest.mark.parametrize("end", ["\v", "\f", "\u2028", "\x85", "\r\n", "\r"])
def test_a_list_has_one_kind_of_line_end(world: World, tmp_path: Path, end: str) -> None:
    bag = world.bundle("case", tmp_path)
    path = bag / "tagmanifest-sha256.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", end.encode(), 1))
    assert verify(bag, "--policy", world.plain)[0] == 1


def test_an_extra_file_is_found(world: World, tmp_path: Path) -> None:
    bag = world.bundle("case", tmp_path)
    (bag / "data/E0099.txt").write_text("planted")
    code, said = verify(bag, "--policy", world.plain, "--lang", "en")
    assert code == 1
    assert "[FAILED] data/E0099.txt: is not listed" in said


# ---- Keys, policies, checkpoints that somebody kept ----


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the same case from a house with the same name and another key."""
    root = tmp_path_factory.mktemp("forged")
    with open_house(root / "home") as custody:
        take_case(custody, root / "in1", CASE_NO, FILES)
        prove(custody, CASE_NO, root / "case", Wish())
    return root / "case"


def test_a_whole_forged_log_is_found_by_the_pinned_key(world: World, forged: Path) -> None:
    code, said = verify(forged, "--policy", world.plain, "--lang", "en")
    assert code == 1
    assert "not signed by a key that may sign this size" in said


def test_keys_that_came_along_never_suffice(world: World, forged: Path) -> None:
    for bag in (forged, world.root / "case"):
        code, said = verify(bag, "--lang", "en")
        assert code == 3
        assert "[required, not checked] keys came with the bundle" in said
        assert "公钥随包而来" in verify(bag)[1]


@pytest.mark.parametrize(("first", "last"), [(1, 5), (1000, None)])
def test_a_key_counts_only_for_its_sizes(
    world: World, tmp_path: Path, first: int, last: int | None
) -> None:
    policy = json.loads(world.plain.read_text())
    policy["keys"][0].update(first=first, last=last)
    pinned = tmp_path / "policy.json"
    pinned.write_text(json.dumps(policy))
    code, said = verify(world.root / "case", "--policy", pinned, "--lang", "en")
    assert code == 1
    assert "may sign this size" in said


@pytest.mark.parametrize(
    "change_policy",
    [
        lambda policy: policy.update(schema="zhenglian.policy/2"),
        lambda policy: policy["keys"][0].update(vkey="x+00000000+AAAA"),
        lambda policy: policy["keys"].clear(),
        lambda policy: policy.pop("witnesses"),
        lambda policy: policy.update(log="example.org/another"),
        lambda policy: policy["keys"][0].update(first="1"),
        lambda policy: policy.update(witnesses_needed="1"),
    ],
)
def test_a_policy_of_another_form_is_refused(
    world: World, tmp_path: Path, change_policy: Callable[[object], object]
) -> None:
    policy = json.loads(world.plain.read_text())
    change_policy(policy)
    pinned = tmp_path / "policy.json"
    pinned.write_text(json.dumps(policy))
    assert verify(world.root / "case", "--policy", pinned)[0] == 1


def test_a_log_rolled_back_is_found_by_whoever_kept_a_newer_checkpoint(world: World) -> None:
    options = ("--policy", world.plain, "--lang", "en", "--since", world.newer)
    code, said = verify(world.root / "case", *options)
    assert code == 1
    assert "rolled back" in said


def test_a_rewritten_log_is_found_by_whoever_kept_an_older_checkpoint(
    world: World, tmp_path: Path
) -> None:
    """The same key signed two logs; the kept checkpoint is of the other one."""
    from storage.keys import load_signer
    from storage.workspace import Workspace

    signer = load_signer(Workspace(world.root / "home"), "zhenglian.local/custody")
    lines = world.kept.read_text().split("\n")
    body = f"{lines[0]}\n{lines[1]}\n{base64.b64encode(bytes(32)).decode()}\n"
    kept = tmp_path / "kept"
    kept.write_text(f"{body}\n{signer.sign(body)}")
    code, said = verify(world.root / "case", "--policy", world.plain, "--since", kept)
    assert code == 1
    assert "被改写" in said


def test_a_kept_checkpoint_without_a_proof_is_said_and_not_passed_over(world: World) -> None:
    code, said = verify(
        world.root / "bare", "--policy", world.plain, "--lang", "en", "--since", world.kept
    )
    assert code == 3
    assert "there is no proof from size" in said


def test_what_nobody_vouches_for_is_said(world: World, tmp_path: Path) -> None:
    """The access to the originals was stamped at once; no witness has seen it yet."""
    code, said = verify(world.root / "case", "--policy", world.full, "--lang", "en")
    assert code == 3
    assert "events: no 足够的见证 enough cosignatures" in said
    assert "events: no 时间戳" not in said
    bag = world.bundle("case", tmp_path)
    for path in bag.glob("older/*/*.tsr"):
        path.unlink()
    reseal(bag)
    code, said = verify(bag, "--policy", world.full, "--lang", "en")
    assert code == 3
    assert "events: no 时间戳 timestamp" in said


def test_a_stranger_with_the_witness_s_name_does_not_count(world: World, tmp_path: Path) -> None:
    policy = json.loads(world.full.read_text())
    policy["witnesses"][0]["vkey"] = str(STRANGER.verifier)
    pinned = tmp_path / "policy.json"
    pinned.write_text(json.dumps(policy))
    options = ("--policy", pinned, "--lang", "en", "--originals", world.root / "case/data")
    code, said = verify(world.root / "bare", *options)
    assert code == 3
    assert "enough cosignatures" in said


@pytest.mark.parametrize("missing", ["openssl", "b3sum"])
def test_without_a_program_it_says_what_it_could_not_check(
    world: World, tmp_path: Path, missing: str
) -> None:
    for name in {"openssl", "b3sum"} - {missing}:
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    done = subprocess.run(
        [PYTHON, "-I", VERIFIER, world.root / "bare", "--policy", world.full, "--lang", "en",
         "--originals", world.root / "case/data"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (3 if missing == "openssl" else 0), done.stdout
    assert f"needs {'OpenSSL' if missing == 'openssl' else missing}" in done.stdout


def test_programs_and_modules_of_the_bundle_are_never_run(world: World, tmp_path: Path) -> None:
    bag = world.bundle("bare", tmp_path)
    for name in ("openssl", "b3sum"):
        (bag / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (bag / name).chmod(0o755)
    for name in ("json.py", "hashlib.py", "re.py"):
        (bag / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    done = subprocess.run(
        [PYTHON, "verify.py", ".", "--policy", world.plain], cwd=bag,
        env={"PATH": f"{bag}:."}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "json.py" in done.stdout
    assert not (tmp_path / "ran").exists()


# ---- Zips ----


def _zip_with(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "members",
    [
        {"../../evil.txt": b"x"},
        {"/evil.txt": b"x"},
        {"bag/a": b"x", "bag/a/b": b"x"},
        {"bag/a": b"x", "other/a": b"x"},
        {"bag/名单": b"x"},
        {},
    ],
)
def test_a_zip_with_odd_members_is_refused(
    world: World, tmp_path: Path, members: dict[str, bytes]
) -> None:
    path = _zip_with(tmp_path / "b.zip", members)
    assert verify(path, "--policy", world.plain)[0] == 1
    assert not list(tmp_path.parent.rglob("evil.txt"))


def test_a_deflated_a_damaged_and_no_zip_are_refused(world: World, tmp_path: Path) -> None:
    bomb = _zip_with(tmp_path / "bomb.zip", {"bag/a": bytes(1 << 24)}, zipfile.ZIP_DEFLATED)
    cut = tmp_path / "cut.zip"
    cut.write_bytes((world.root / "case.zip").read_bytes()[:-100])
    plain = tmp_path / "plain"
    plain.write_text("no zip")
    for path in (bomb, cut, plain, tmp_path / "absent"):
        code, said = verify(path, "--policy", world.plain)
        assert code == 1, said


# ---- What holds ----


@pytest.mark.parametrize("name", ["exhibit", "case", "case.zip"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_true_bundle_holds(world: World, name: str, lang: str) -> None:
    code, said = verify(world.root / name, "--policy", world.plain, "--lang", lang)
    assert code == 0, said
    assert said.splitlines()[-1] == f"- => {'核验通过' if lang == 'zh' else 'VERIFIED'}"
    assert said.count("| ok |") == (1 if name == "exhibit" else 4)


def test_a_kept_checkpoint_is_extended(world: World) -> None:
    options = ("--policy", world.plain, "--since", world.kept, "--lang", "en")
    code, said = verify(world.root / "exhibit", *options)
    assert code == 0, said
    assert "the log extends the kept checkpoint" in said


def test_digests_alone_hold_with_the_originals_beside_them(world: World, tmp_path: Path) -> None:
    options = ("--policy", world.full, "--lang", "en")
    code, said = verify(world.root / "bare", *options)
    assert code == 3
    assert said.count("| unverified |") == 4
    beside = tmp_path / "beside"
    shutil.copytree(world.root / "case/data", beside)
    code, said = verify(world.root / "bare", *options, "--originals", beside)
    assert code == 0, said
    flip(beside / "E0003")
    code, said = verify(world.root / "bare", *options, "--originals", beside)
    assert code == 1
    assert f"[FAILED] {CASE}/E0003: " in said
    assert said.count("| mismatch |") == 1


def test_the_earliest_timestamp_of_an_exhibit_is_stated(world: World) -> None:
    said = verify(world.root / "bare", "--policy", world.full)[1]
    rows = [line for line in said.splitlines() if line.startswith(f"| {CASE}/")]
    assert len(rows) == 4
    assert all(re.search(r"\| 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\+00:00 \|", row) for row in rows)
    # The first anchor covers the first bundle's exhibits, a later one the supplement.
    assert len({row.split("|")[4] for row in rows}) <= 2
    assert {path.name for path in (world.root / "bare/older").glob("*/*.tsr")} == {
        "sample-tsa.sha256.tsr",
        "sample-tsa.sm3.tsr",
    }


def test_later_events_cannot_be_excluded_and_it_says_so(world: World, tmp_path: Path) -> None:
    """The newest event of an exhibit's bundle can be left out unnoticed: a stated limit."""
    bag = world.bundle("exhibit", tmp_path)
    newest = event_of(bag, "accessed")
    proof_of(newest).unlink()
    newest.unlink()
    said = json.loads((bag / "statement.json").read_text())
    chains = {name: count - 1 for name, count in said["chains"].items()}
    change(bag / "statement.json", events=said["events"] - 1, chains=chains)
    reseal(bag)
    code, told = verify(bag, "--policy", world.plain, "--lang", "en")
    assert code == 0
    assert "[not checked] later events than those counted" in told


def test_the_certificate_states_who_when_what_and_the_answers(world: World, tmp_path: Path) -> None:
    path = tmp_path / "certificate.md"
    options = ("--policy", world.plain, "--certificate", path, "--by", "王检察官")
    assert verify(world.root / "case", *options)[0] == 0
    text = path.read_text()
    assert "# 核验证书" in text
    assert "# Certificate of verification" in text
    for value in (
        "王检察官",
        hashlib.sha256(VERIFIER.read_bytes()).hexdigest(),
        hashlib.sha256(world.plain.read_bytes()).hexdigest(),
        hashlib.sha256(next(iter(FILES.values()))).hexdigest(),
        hashlib.new("sm3", next(iter(FILES.values()))).hexdigest(),
        "zhenglian.local/custody",
        "[未核]",
        "[not checked]",
    ):
        assert value in text, value


def test_other_people_s_tools_read_the_bag(world: World) -> None:
    for name in ("case", "exhibit", "bare"):
        bag = bagit.Bag(str(world.root / name))
        bag.validate()
        for command in (
            ["sha256sum", "--quiet", "-c", "checks/sha256sums.txt"],
            ["b3sum", "--quiet", "-c", "checks/b3sums.txt"],
            ["cksum", "-a", "sm3", "--quiet", "--check", "checks/sm3sums.txt"],
        ):
            subprocess.run(command, cwd=world.root / name, check=True, capture_output=True)


def test_nothing_of_another_case_is_in_a_bundle(world: World) -> None:
    secret = [OTHER_NO.encode(), case_id(OTHER_NO).encode(), b"A2026-000002", "机密".encode()]
    for name, data in OTHER_FILES.items():
        secret += [name.encode(), data]
        secret += [hashlib.new(each, data).hexdigest().encode() for each in ("sha256", "sm3")]
    entries = next((world.root / "home/objects/log/tile/entries").rglob("*.p/*")).parent
    known = max(entries.iterdir(), key=lambda path: int(path.name)).read_bytes()
    assert all(each in known for each in secret[:3])
    for bundle in ("case", "exhibit", "bare"):
        for path in (each for each in (world.root / bundle).rglob("*") if each.is_file()):
            data = path.read_bytes()
            assert not [each for each in secret if each in data], path


def test_an_exhibit_s_bundle_shows_its_events_and_how_it_came_in(world: World) -> None:
    bag = world.root / "exhibit"
    actions = [
        json.loads(path.read_text())["action"] for path in sorted((bag / "events").glob("*.json"))
    ]
    assert actions == ["received", "accessioned", "stored", "accessed"]
    assert sorted(path.name for path in (bag / "data").iterdir()) == ["E0001.txt"]
    said = json.loads((bag / "statement.json").read_text())
    assert said["not_shown"] == 3
    assert "其余 3 件未出示" in (bag / "README.txt").read_text("utf-8-sig")


# ---- Making bundles ----


def test_the_access_is_on_record_first_and_its_end_after(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        exhibits = take_case(custody, tmp_path / "in", CASE_NO, FILES)
        size = custody.log.reader().checkpoint().size
        prove(custody, CASE_NO, tmp_path / "bare", Wish(originals=False))
        assert custody.log.reader().checkpoint().size == size
        who = Person("王检察官", unit="检察院")
        prove(custody, CASE_NO, tmp_path / "out", Wish(by=who, why="审查起诉"))
        begun, ended = (decode(leaf) for _, leaf in custody.log.reader().entries(size))
        assert (begun.action, begun.actor, begun.purpose) == (Action.ACCESSED, who, "审查起诉")
        assert begun.exhibits == tuple(exhibits)
        assert (begun.details["phase"], ended.details["outcome"]) == ("begun", "given")


def test_changed_bytes_make_no_bundle_and_the_record_says_so(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "in", CASE_NO, FILES)
        victim = next((tmp_path / "home/objects/cases").rglob("originals/*"))
        victim.chmod(0o644)
        flip(victim)
        with pytest.raises(IntegrityError, match="no bundle was made"):
            prove(custody, CASE_NO, tmp_path / "out/bundle", Wish())
        assert list((tmp_path / "out").iterdir()) == []
        last = custody.log.reader().checkpoint().size - 1
        assert decode(custody.log.leaf(last)).details["outcome"] == "mismatch"


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "in", CASE_NO, FILES)
        (tmp_path / "out").mkdir()
        with pytest.raises(ConflictError):
            prove(custody, CASE_NO, tmp_path / "out", Wish())
        with pytest.raises(NotFoundError):
            prove(custody, f"{CASE_NO}/E0099", tmp_path / "new", Wish())
        with pytest.raises(NotFoundError):
            prove(custody, "no case", tmp_path / "new", Wish())
        assert not (tmp_path / "new").exists()


def test_a_checkpoint_of_another_log_is_refused(world: World, tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "in", CASE_NO, FILES)
        size = custody.log.reader().checkpoint().size
        with pytest.raises(IntegrityError):
            prove(custody, CASE_NO, tmp_path / "new", Wish(since=world.kept))
        assert custody.log.reader().checkpoint().size == size
        assert not (tmp_path / "new").exists()


def test_an_event_that_names_two_cases_is_never_shown(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as custody:
        one = take_case(custody, tmp_path / "in1", CASE_NO, FILES)
        two = take_case(custody, tmp_path / "in2", OTHER_NO, OTHER_FILES)
        custody.record([custody.event(Action.VERIFIED, ["both"], exhibits=[one[0], two[0]],
                                      details={"summary": ""})])  # fmt: skip
        for name in (CASE_NO, one[0]):
            with pytest.raises(StateError, match="names another case"):
                prove(custody, name, tmp_path / "out", Wish(originals=False))
        prove(custody, one[1], tmp_path / "out", Wish(originals=False))


@pytest.mark.parametrize("which", [1, -1])
def test_a_catalogue_that_lost_an_event_makes_no_bundle(tmp_path: Path, which: int) -> None:
    with open_house(tmp_path / "home") as custody:
        exhibits = take_case(custody, tmp_path / "in", CASE_NO, FILES)
        prove(custody, exhibits[0], tmp_path / "first", Wish())
        with custody.read() as session:
            index = queries.event_indexes(session, exhibits[0])[which]
        with custody.write() as session:
            session.execute(delete(tables.EventExhibit).where(tables.EventExhibit.index == index))
        with pytest.raises(IntegrityError, match="has a gap: 2 of 3"):
            prove(custody, exhibits[0], tmp_path / "out", Wish(originals=False))


def test_many_exhibits_stay_within_the_limit_of_a_leaf(tmp_path: Path) -> None:
    files = {f"f{number}.txt": str(number).encode() for number in range(150)}
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "in", CASE_NO, files)
        made = prove(custody, CASE_NO, tmp_path / "out", Wish())
        assert len(made["exhibits"]) == 150
        (tmp_path / "policy.json").write_bytes((tmp_path / "out/policy.json").read_bytes())
    code, said = verify(tmp_path / "out", "--policy", tmp_path / "policy.json")
    assert code == 0, said


def test_the_verifier_runs_on_every_python_that_is_here(world: World) -> None:
    """Wherever an older or a newer Python is installed, it gives the same answer."""
    found = {Path(sys.executable), Path(PYTHON)}
    for minor in range(9, 15):
        path = shutil.which(f"python3.{minor}")
        works = path and subprocess.run([path, "-V"], capture_output=True, check=False)
        if path and works and works.returncode == 0:
            found.add(Path(path))
    for python in found:
        done = subprocess.run(
            [python, "-I", VERIFIER, world.root / "case", "--policy", world.plain],
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (python, done.stdout.decode(), done.stderr.decode())
