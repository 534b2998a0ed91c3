"""The papers keep their word: the picture is current, and the recipe in the README works."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import house
from storage.checkpoint import Checkpoint
from storage.merkle import Frontier, inclusion_proof, leaf_hash
from storage.note import Signer
from storage.proof import TlogProof

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh.md")


def test_the_picture_is_what_its_script_draws():
    assert house.FILE.read_text("utf-8") == house.drawing()


def recipe(name):
    (block,) = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / name).read_text("utf-8"))
    return block


def test_both_readmes_have_the_same_recipe():
    assert recipe(READMES[0]) == recipe(READMES[1])


class Perfect:
    """Hashes of the complete nodes of a small tree."""

    def __init__(self, leaves):
        self.nodes = {}
        frontier = Frontier()
        for leaf in leaves:
            for node in frontier.append(leaf_hash(leaf)):
                self.nodes[node.level, node.index] = node.hash
        self.root = frontier.root()

    def hash_at(self, level, index):
        return self.nodes[level, index]


@pytest.fixture
def evidence(tmp_path):
    """Return a writer of everything that lies beside an exhibit in a package."""

    def write(size, index):
        exhibit = f"exhibit {index}".encode()
        digest = hashlib.sha256(exhibit).hexdigest()
        leaves = [b'{"event":%d}' % n for n in range(size)]
        leaves[index] = b'{"sha256":"%s"}' % digest.encode()
        tree = Perfect(leaves)
        signer = Signer("zhenglian.example/custody", bytes(range(32)))
        note = Checkpoint(signer.name, size, tree.root).sign(signer)
        proof = TlogProof(index, tuple(inclusion_proof(tree, index, size)), note)
        for name, data in {
            "check.py": recipe(READMES[0]).encode(),
            "exhibit": exhibit,
            "event.json": leaves[index],
            "proof": str(proof).encode(),
            "log.pub": f"{signer.verifier}\n".encode(),
        }.items():
            (tmp_path / name).write_bytes(data)
        return tmp_path

    return write


def check(folder):
    return subprocess.run(
        [sys.executable, "-I", "check.py", "exhibit", "event.json", "proof", "log.pub"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("size", "index"), [(1, 0), (2, 1), (7, 0), (7, 6), (300, 171)])
def test_the_recipe_accepts_what_is_in_the_log(evidence, size, index):
    answer = check(evidence(size, index))
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == f"in the log, entry {index} of {size}"


@pytest.mark.parametrize("name", ["exhibit", "event.json", "proof", "log.pub"])
def test_the_recipe_refuses_every_changed_part(evidence, name):
    folder = evidence(13, 5)
    data = bytearray((folder / name).read_bytes())
    at = len(data) // 2
    data[at] = ord("B") if data[at] != ord("B") else ord("C")
    (folder / name).write_bytes(bytes(data))
    answer = check(folder)
    assert answer.returncode != 0
    assert "in the log" not in answer.stdout
