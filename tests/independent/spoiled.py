"""Controls: what was handed over, wrong in one place each. A check that cannot fail is no check.

A wrong root is signed by the log's own key, so that a program must find the Merkle proof wrong
and not just the signature.
"""

import base64
import shutil
from dataclasses import replace
from pathlib import Path

from storage.checkpoint import Checkpoint
from storage.consistency import parse_consistency
from storage.keyring import KeyRing
from storage.note import Signer
from storage.proof import TlogProof, parse_proof
from storage.tiles import ENTRIES, WIDTH, Tile, level_size
from tests.independent.world import World, copy_log, write_pair


def flip(data: bytes, at: int = -1) -> bytes:
    """Return the bytes with one of them changed (the middle one, if none is named)."""
    at = len(data) // 2 if at < 0 else at
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def spoil(world: World) -> None:
    """Write every control of a world."""
    size = world.head.size
    for index in sorted({0, 1, size // 2, (size - 1) & ~1, size - 1}):
        _spoil_entry(world, index)
    for folder in sorted((world.folder / "consistency").iterdir()):
        _spoil_pair(world, folder)
    _spoil_trees(world)
    _spoil_cosigned(world)


def _wrong_root(world: World, head: Checkpoint) -> str:
    return replace(head, root=flip(head.root)).sign(world.signer)


def _spoil_entry(world: World, index: int) -> None:
    leaf = world.event(index).read_bytes()
    proof = parse_proof(world.proof(index).read_bytes())
    path, neighbour = proof.path, index ^ 1 if index ^ 1 < world.head.size else index - 1
    stranger = Signer(world.signer.name, bytes(32))
    merkle: dict[str, TlogProof] = {
        "hash-first": replace(proof, path=(flip(path[0]), *path[1:])),
        "hash-last": replace(proof, path=(*path[:-1], flip(path[-1]))),
        "short": replace(proof, path=path[:-1]),
        "long": replace(proof, path=(*path, path[-1])),
        "index": replace(proof, index=neighbour),
        "root": replace(proof, checkpoint=_wrong_root(world, world.head)),
    }
    signature = {
        "root-unsigned": replace(
            proof, checkpoint=replace_root(proof.checkpoint, flip(world.head.root))
        ),
        "signature": replace(proof, checkpoint=bad_signature(proof.checkpoint)),
        "stranger": replace(proof, checkpoint=world.head.sign(stranger)),
    }
    folder = world.folder / "controls"
    _write_entry(folder / f"inclusion/{index}-leaf", flip(leaf), proof)
    for name, wrong in merkle.items():
        _write_entry(folder / f"inclusion/{index}-{name}", leaf, wrong)
    for name, wrong in signature.items():
        _write_entry(folder / f"signature/{index}-{name}", leaf, wrong)


def replace_root(note: str, root: bytes) -> str:
    """Return a signed head with another root under the same signature."""
    lines = note.split("\n")
    lines[2] = base64.b64encode(root).decode()
    return "\n".join(lines)


def bad_signature(note: str) -> str:
    """Return a signed note with one byte of its last signature changed."""
    rest, _, encoded = note.rstrip("\n").rpartition(" ")
    value = flip(base64.b64decode(encoded))
    return f"{rest} {base64.b64encode(value).decode()}\n"


def _write_entry(folder: Path, leaf: bytes, proof: TlogProof) -> None:
    folder.mkdir(parents=True)
    (folder / "event.json").write_bytes(leaf)
    (folder / "event.tlog-proof").write_text(str(proof))


def _spoil_pair(world: World, folder: Path) -> None:
    old, new = ((folder / name).read_text() for name in ("old", "new"))
    proof = parse_consistency((folder / "proof").read_bytes())
    ring = KeyRing.single(world.signer.verifier)
    path = proof.path
    controls = {
        "old": (_wrong_root(world, ring.open(old.encode())), new, proof),
        "new": (old, _wrong_root(world, ring.open(new.encode())), proof),
        "hash-first": (old, new, replace(proof, path=(flip(path[0]), *path[1:]))),
        "hash-last": (old, new, replace(proof, path=(*path[:-1], flip(path[-1])))),
        "short": (old, new, replace(proof, path=path[:-1])),
        "long": (old, new, replace(proof, path=(*path, path[-1]))),
    }
    for name, control in controls.items():
        write_pair(world.folder / f"controls/consistency/{folder.name}-{name}", *control)


def _spoil_trees(world: World) -> None:
    size = world.head.size
    tiles = {"bundle-first": Tile(ENTRIES, 0), "tile-first": Tile(0, 0)}
    if level_size(1, size) > 1:
        tiles["tile-above"] = Tile(1, 0, min(WIDTH, level_size(1, size)))
    if size % WIDTH:
        tiles["bundle-last"] = Tile(ENTRIES, size // WIDTH, size % WIDTH)
        tiles["tile-last"] = Tile(0, size // WIDTH, size % WIDTH)
    for name, tile in tiles.items():
        folder = world.folder / f"controls/tree/{name}"
        copy_log(world.folder / "log", folder)
        path = folder / tile.path
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(flip(data))
    missing = world.folder / "controls/tree/missing"
    copy_log(world.folder / "log", missing)
    (missing / Tile(0, 0).path).unlink()


def _spoil_cosigned(world: World) -> None:
    folder = world.folder / "controls/cosigned"
    folder.mkdir()
    cosigned = (world.folder / "cosigned").read_text()
    (folder / "signature").write_text(bad_signature(cosigned))
    (folder / "none").write_text(world.heads[-1][1])
    (folder / "root").write_text(replace_root(cosigned, flip(world.head.root)))


def spoiled_copy(source: Path, target: Path, name: str) -> Path:
    """Copy a folder with one byte of one file changed; return the copy."""
    shutil.copytree(source, target)
    (target / name).chmod(0o644)
    (target / name).write_bytes(flip((target / name).read_bytes()))
    return target
