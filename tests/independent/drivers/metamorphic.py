"""metamorphic-log: a compiled Rust library; verifies the head's signature with every path."""

from typing import Any

import metamorphic_log
from exchange import Entry, Pair, Program, main


class Metamorphic(Program):
    signatures = True

    def inclusion(self, entry: Entry) -> Any:
        return metamorphic_log.checkpoint_verify_inclusion(
            entry.head.note, [self.vkey], entry.index, entry.leaf_hash, entry.path
        )

    def consistency(self, pair: Pair) -> Any:
        return metamorphic_log.checkpoint_verify_consistency(
            pair.old.note, pair.new.note, [self.vkey], pair.path
        )


if __name__ == "__main__":
    main(Metamorphic)
