"""proofbundle: reads the .tlog-proof files as they are, and verifies signature and path."""

from typing import Any

from exchange import Entry, Pair, Program, main


class Proofbundle(Program):
    signatures = True

    def inclusion(self, entry: Entry) -> Any:
        from proofbundle.tlogproof import verify_tlog_proof

        return verify_tlog_proof(entry.text, entry.leaf, self.vkey)["ok"]

    def consistency(self, pair: Pair) -> Any:
        from proofbundle.checkpoint import verify_checkpoint
        from proofbundle.merkle import verify_consistency

        old, new = (verify_checkpoint(each.note, self.vkey) for each in (pair.old, pair.new))
        return (
            old["ok"]
            and new["ok"]
            and verify_consistency(
                old["tree_size"], new["tree_size"], pair.path, old["root"], new["root"]
            )
        )

    def cosigned(self, note: str) -> Any:
        from proofbundle.checkpoint import verify_witnessed_checkpoint

        return verify_witnessed_checkpoint(note, self.vkey, [self.witness], threshold=1)["ok"]


if __name__ == "__main__":
    main(Proofbundle)
