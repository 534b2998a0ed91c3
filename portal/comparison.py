"""How a comparison with a kept checkpoint is shown, in Chinese and English."""

from __future__ import annotations

from portal.show import cell, line
from storage.checkpoint import Checkpoint
from storage.note import encode_base64
from tasks.comparing import SAYS, Comparison


def print_comparison(found: Comparison) -> None:
    """Print what was compared, what it shows, and the hashes that prove it."""
    zh, en = SAYS[found.verdict]
    mark = "[green]✓[/]" if found.ok else "[bold red]✗[/]"
    line(f"{mark} {cell(found.source)}")
    line(f"  {zh}")
    line(f"  {en}")
    _head("所留 kept", found.kept)
    _head("已发布 published", found.published)
    if found.detail:
        line(f"  [dim]{cell(found.detail)}[/]")
    if found.ok:
        count = len(found.proof)
        line(f"  一致性证明（{count} 个哈希）已验证 consistency proof verified, {count} hashes")
        for each in found.proof:
            line(f"    {encode_base64(each)}")


def _head(name: str, checkpoint: Checkpoint | None) -> None:
    if checkpoint is None:
        return
    root = encode_base64(checkpoint.root)
    line(f"  {name}: {cell(checkpoint.origin)} · {checkpoint.size} 条 entries · {root}")
