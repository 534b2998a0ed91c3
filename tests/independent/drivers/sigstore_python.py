"""sigstore for Python: the inclusion check that it makes for every entry of a Rekor log."""

from types import SimpleNamespace
from typing import Any

from exchange import Entry, Program, main
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint


class Sigstore(Program):
    def inclusion(self, entry: Entry) -> Any:
        head = SignedCheckpoint.from_text(entry.head.note).checkpoint
        proof = SimpleNamespace(
            log_index=entry.index,
            tree_size=head.log_size,
            root_hash=bytes.fromhex(head.log_hash),
            hashes=entry.path,
        )
        inner = SimpleNamespace(inclusion_proof=proof, canonicalized_body=entry.leaf)
        return verify_merkle_inclusion(SimpleNamespace(_inner=inner))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Sigstore)
