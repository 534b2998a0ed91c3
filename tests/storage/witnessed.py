"""What tests of witnesses share: logs that grow, fork and sign, and requests about them."""

from storage.checkpoint import Checkpoint
from storage.merkle import Frontier, consistency_proof, leaf_hash
from storage.note import Signer, parse_note
from storage.witness import AddCheckpoint

ORIGIN = "example.org/custody"
LOG = Signer(ORIGIN, bytes(range(32)))
LOGS = {ORIGIN: [LOG.verifier]}


class Grown:
    """A log of so many entries in memory; two of one name differ from their fork onwards."""

    def __init__(self, size: int, name: str = "", fork: int = 0) -> None:
        self.roots = [b""]
        self._hashes: dict[tuple[int, int], bytes] = {}
        frontier = Frontier()
        for number in range(size):
            leaf = f"{name if number >= fork else ''} {number}".encode()
            for node in frontier.append(leaf_hash(leaf)):
                self._hashes[node.level, node.index] = node.hash
            self.roots.append(frontier.root())

    def hash_at(self, level: int, index: int) -> bytes:
        return self._hashes[level, index]

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(ORIGIN, size, self.roots[size])

    def signed(self, size: int) -> str:
        return self.checkpoint(size).sign(LOG)

    def request(self, old: int, size: int, signer: Signer = LOG) -> AddCheckpoint:
        """What an honest log sends to get from one size to another."""
        proof = consistency_proof(self, old, size) if old else []
        note = parse_note(self.checkpoint(size).sign(signer).encode())
        return AddCheckpoint(old, tuple(proof), note)

    def asks(self, old: int, size: int) -> bytes:
        return str(self.request(old, size)).encode()
