"""Reads an exchange folder and asks a program about each thing in it. Standard library only."""

import base64
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Head(NamedTuple):
    """Lines of a checkpoint; who signed it is the program's to say."""

    note: str
    size: int
    root: bytes


class Entry(NamedTuple):
    """Lines of a tlog-proof, whole and split, and the entry beside it."""

    leaf: bytes
    text: str
    index: int
    path: list[bytes]
    head: Head

    @property
    def leaf_hash(self) -> bytes:
        """RFC 6962's hash of a leaf, for programs that take nothing else."""
        return hashlib.sha256(b"\x00" + self.leaf).digest()


class Pair(NamedTuple):
    """Two heads and the proof between them."""

    old: Head
    new: Head
    path: list[bytes]


def read_head(note: str) -> Head:
    _, size, root = note.split("\n")[:3]
    return Head(note, int(size), base64.b64decode(root))


def read_entry(leaf: Path, proof: Path) -> Entry:
    text = proof.read_text("utf-8")
    lines, _, note = text.partition("\n\n")
    _, index, *path = lines.split("\n")
    hashes = [base64.b64decode(each) for each in path]
    return Entry(leaf.read_bytes(), text, int(index.split(" ")[1]), hashes, read_head(note))


def read_pair(folder: Path) -> Pair:
    old, new, proof = ((folder / name).read_text("utf-8") for name in ("old", "new", "proof"))
    path = [base64.b64decode(each) for each in proof.split("\n")[3:-1]]
    return Pair(read_head(old), read_head(new), path)


class Program:
    """What one program can be asked; each answers False or raises to refuse."""

    inclusion: Callable[[Entry], Any]
    consistency: Callable[[Pair], Any] | None = None
    tree: Callable[[Path], Any] | None = None
    cosigned: Callable[[str], Any] | None = None
    signatures = False
    """Whether ``inclusion`` verifies the signature on the head too."""

    def __init__(self, folder: Path) -> None:
        self.vkey = (folder / "vkey").read_text()
        self.witness = (folder / "witness.vkey").read_text()


def accepts(ask: Callable[[Any], Any], thing: Any) -> bool:
    """Whether a program accepts something."""
    try:
        return ask(thing) is not False
    except Exception:  # noqa: BLE001 - whatever it raises, it has not accepted
        return False


def inclusions(folder: Path) -> list[tuple[str, Path, Path]]:
    events = sorted((folder / "events").glob("*.json"))
    return [(each.name, each, each.with_suffix(".tlog-proof")) for each in events]


def controls(folder: Path, kind: str) -> list[Path]:
    return sorted((folder / "controls" / kind).iterdir())


def judge(program: Program, folder: Path) -> dict[str, Any]:
    """Ask about everything; return counts, and what was judged wrongly."""
    answer: dict[str, Any] = {"controls": 0, "refused": 0, "wrong": []}

    def count(kind: str, name: str, accepted: bool) -> None:
        answer[kind] = answer.get(kind, 0) + accepted
        if not accepted:
            answer["wrong"].append(f"{kind} {name} refused")

    def control(name: str, accepted: bool) -> None:
        answer["controls"] += 1
        answer["refused"] += not accepted
        if accepted:
            answer["wrong"].append(f"control {name} accepted")

    for name, leaf, proof in inclusions(folder):
        count("inclusion", name, accepts(program.inclusion, read_entry(leaf, proof)))
    for kind in ("inclusion", "signature") if program.signatures else ("inclusion",):
        for each in controls(folder, kind):
            entry = read_entry(each / "event.json", each / "event.tlog-proof")
            control(f"{kind}/{each.name}", accepts(program.inclusion, entry))
    if program.consistency:
        for each in sorted((folder / "consistency").iterdir()):
            count("consistency", each.name, accepts(program.consistency, read_pair(each)))
        for each in controls(folder, "consistency"):
            control(each.name, accepts(program.consistency, read_pair(each)))
    if program.tree:
        count("tree", "log", accepts(program.tree, folder / "log"))
        for each in controls(folder, "tree"):
            control(each.name, accepts(program.tree, each))
    if program.cosigned:
        count("cosigned", "cosigned", accepts(program.cosigned, (folder / "cosigned").read_text()))
        for each in controls(folder, "cosigned"):
            control(each.name, accepts(program.cosigned, each.read_text()))
    return answer


def main(make: Callable[[Path], Program]) -> None:
    """Judge the folder that the command line names; print the answer as JSON."""
    folder = Path(sys.argv[1])
    json.dump(judge(make(folder), folder), sys.stdout)
