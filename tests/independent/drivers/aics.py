"""aics-tlog: reads the whole log as C2SP tlog-tiles, its heads, proofs and cosignatures."""

from pathlib import Path
from typing import Any

import aics_tlog
from exchange import Entry, Head, Pair, Program, main, read_head


class Aics(Program):
    signatures = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.key = aics_tlog.parse_vkey(self.vkey)
        self.seen: dict[str, Any] = {}

    def head(self, head: Head) -> Any:
        """Return the head of a note that its log signed; notes repeat, so each is asked once."""
        if head.note not in self.seen:
            note = aics_tlog.parse_note(head.note)
            self.seen[head.note] = aics_tlog.verify_checkpoint(note, self.key)
        found = self.seen[head.note]
        if not found.ok:
            raise ValueError(found.error)
        return found

    def inclusion(self, entry: Entry) -> Any:
        head = self.head(entry.head)
        return aics_tlog.verify_leaf_inclusion(
            entry.leaf, entry.index, head.size, entry.path, head.root
        )

    def consistency(self, pair: Pair) -> Any:
        old, new = self.head(pair.old), self.head(pair.new)
        return aics_tlog.verify_consistency(old.size, new.size, old.root, new.root, pair.path)

    def tree(self, folder: Path) -> Any:
        head = self.head(read_head((folder / "checkpoint").read_text()))
        reader = aics_tlog.FileSystemTileReader(folder)
        return aics_tlog.audit_tiles(reader, head.size, head.root)

    def cosigned(self, note: str) -> Any:
        witness = aics_tlog.parse_vkey(self.witness)
        return aics_tlog.verify_checkpoint(
            aics_tlog.parse_note(note), self.key, [witness], quorum=1
        ).ok


if __name__ == "__main__":
    main(Aics)
