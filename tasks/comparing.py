"""Comparing the published log with checkpoints that somebody kept.

Rolling a log back to an older signed state passes every check that looks at the log alone; only
a newer checkpoint in other hands shows it. Needs the published log and its public keys, no
database and no private key. (C2SP tlog-checkpoint; RFC 6962, 2.1.2.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import Any

from storage.checkpoint import Checkpoint, parse_body
from storage.errors import IntegrityError, NotFoundError
from storage.keyring import KeyRing
from storage.merkle import consistency_proof, tree_root, verify_consistency
from storage.note import encode_base64
from storage.objects import LogStore
from storage.outgrown import read_tile
from storage.policy import load_policy
from storage.published import LogReader
from storage.settings import Settings
from storage.stores import open_stores
from storage.tiles import TileHashes
from storage.workspace import Workspace
from tasks.kept import TamperedError, find_note


class Verdict(StrEnum):
    """What a comparison shows; only ``consistent`` is well."""

    CONSISTENT = "consistent"
    ROLLED_BACK = "rolled_back"
    FORKED = "forked"
    OTHER_LOG = "other_log"
    NOT_SIGNED = "not_signed"
    TAMPERED = "tampered"
    DAMAGED = "damaged"
    SPLIT_VIEW = "split_view"


SAYS = {
    Verdict.CONSISTENT: (
        "一致：已发布的日志完整包含所留检查点的全部内容，未被回退或改写",
        "consistent: the published log contains all that the kept checkpoint covers, unchanged",
    ),
    Verdict.ROLLED_BACK: (
        "已回退：已发布的日志比所留检查点短，其后的记录被去掉了",
        "rolled back: the published log is shorter than the kept checkpoint; entries are gone",
    ),
    Verdict.FORKED: (
        "已分叉：已发布的日志与所留检查点是两部不同的历史，其间的记录被改写",
        "forked: published log and kept checkpoint are two histories; entries were rewritten",
    ),
    Verdict.OTHER_LOG: (
        "另一日志：所留检查点不属于本日志",
        "other log: the kept checkpoint is of another log than this one",
    ),
    Verdict.NOT_SIGNED: (
        "签名不符：所留检查点不是本日志的有效密钥所签，系伪造、被改动，或密钥未列入策略",
        "not signed: no valid key of this log signed the kept checkpoint; it was forged or "
        "changed, or the policy lacks a key",
    ),
    Verdict.TAMPERED: (
        "凭证被改动：所留文件自相矛盾",
        "tampered: the kept file contradicts itself",
    ),
    Verdict.DAMAGED: (
        "日志文件损坏或缺失，无法得出一致性证明；请运行 custody verify",
        "damaged: the stored log cannot give the proof; run 'custody verify'",
    ),
    Verdict.SPLIT_VIEW: (
        "分裂视图：两份所留检查点条数相同而根哈希不同，均为本日志所签，日志曾向不同的人出示不同内容",
        "split view: this log signed two roots of one size; it showed different people "
        "different things",
    ),
}


@dataclass(frozen=True)
class Comparison:
    """One kept checkpoint and what it shows; ``proof`` are the hashes that prove consistency."""

    source: str
    verdict: Verdict
    kept: Checkpoint | None = None
    published: Checkpoint | None = None
    proof: tuple[bytes, ...] = ()
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether the published log extends what was kept."""
        return self.verdict is Verdict.CONSISTENT

    def as_json(self) -> dict[str, Any]:
        """Return the form for programs."""
        zh, en = SAYS[self.verdict]
        return {
            "source": self.source,
            "verdict": self.verdict.value,
            "ok": self.ok,
            "zh": zh,
            "en": en,
            "detail": self.detail,
            "kept": _head(self.kept),
            "published": _head(self.published),
            "proof": [encode_base64(each) for each in self.proof],
        }


def _head(checkpoint: Checkpoint | None) -> dict[str, Any] | None:
    if checkpoint is None:
        return None
    root = encode_base64(checkpoint.root)
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": root}


def compare_workspace(chosen: Settings, paths: Sequence[Path]) -> list[Comparison]:
    """Compare a workspace's published log with checkpoints that somebody kept.

    Raises:
        InputError: a file holds no checkpoint.
        HostError: there is no public key or policy to trust.
        IntegrityError: the published checkpoint itself cannot be trusted.
    """
    workspace = Workspace(chosen.home)
    ring = load_policy(workspace).ring
    _, log_store = open_stores(chosen, workspace)
    return compare(log_store, ring, paths)


def compare(store: LogStore, ring: KeyRing, paths: Sequence[Path]) -> list[Comparison]:
    """Compare a published log with kept checkpoints, and these with one another."""
    try:
        published = LogReader(store, ring).checkpoint()
    except NotFoundError:
        published = None
    found = [_compare_one(store, ring, published, path) for path in paths]
    return [*found, *_split_views(found)]


def _compare_one(
    store: LogStore, ring: KeyRing, published: Checkpoint | None, path: Path
) -> Comparison:
    source = str(path)
    try:
        note = find_note(path)
    except TamperedError as error:
        return Comparison(source, Verdict.TAMPERED, published=published, detail=error.message)
    claimed = parse_body(note.text)
    if claimed.origin != ring.name:
        return Comparison(source, Verdict.OTHER_LOG, claimed, published, detail=claimed.origin)
    try:
        kept = ring.checkpoint_of(note)
    except IntegrityError as error:
        return Comparison(source, Verdict.NOT_SIGNED, claimed, published, detail=error.message)
    if published is None or kept.size > published.size:
        return Comparison(source, Verdict.ROLLED_BACK, kept, published)
    return _prove(store, Comparison(source, Verdict.FORKED, kept, published), kept, published)


def _prove(
    store: LogStore, otherwise: Comparison, kept: Checkpoint, published: Checkpoint
) -> Comparison:
    """Return the proof that the published log extends a kept head, or why there is none."""
    if kept.size == published.size and kept.root != published.root:
        return otherwise
    hashes = TileHashes(published.size, lambda tile: read_tile(store, tile))
    source = otherwise.source
    try:
        proof = consistency_proof(hashes, kept.size, published.size)
        if tree_root(hashes, published.size) != published.root:
            return Comparison(source, Verdict.DAMAGED, kept, published, detail="root")
    except (IntegrityError, NotFoundError) as error:
        return Comparison(source, Verdict.DAMAGED, kept, published, detail=error.message)
    try:
        verify_consistency(kept.size, published.size, proof, kept.root, published.root)
    except IntegrityError:
        return otherwise
    return Comparison(source, Verdict.CONSISTENT, kept, published, tuple(proof))


def _split_views(found: Sequence[Comparison]) -> list[Comparison]:
    """Return each pair of kept heads, both signed, of one size with two roots."""
    signed = [
        (each.source, each.kept)
        for each in found
        if each.kept is not None
        and each.verdict in (Verdict.CONSISTENT, Verdict.FORKED, Verdict.ROLLED_BACK)
    ]
    return [
        Comparison(f"{first} + {second}", Verdict.SPLIT_VIEW, one, None, detail=str(other.size))
        for (first, one), (second, other) in combinations(signed, 2)
        if one.size == other.size and one.root != other.root
    ]
