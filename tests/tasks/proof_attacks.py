"""What an attacker does to a proof bundle, its lists made to agree, and what must be said of it."""

import base64
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from deploy.sample.authority import SampleAuthority
from storage.nouns import case_id
from tests.tasks.proof_made import (
    CASE_NO,
)
from tests.tasks.proof_world import World, stamped

CASE = case_id(CASE_NO)
P_L = 2**252 + 27742317777372353535851937790883648493


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
