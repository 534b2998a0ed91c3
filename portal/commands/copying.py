"""``read --pdf``: a searchable copy of a scan, written to a file."""

from __future__ import annotations

from pathlib import Path


def copy_pdf(name: str, part: str, out: Path | None) -> None:
    """Write a searchable copy and say what it is; by default into the current folder."""
    from portal.show import cell, line
    from storage.custody import current
    from tasks.reading import shared_pool
    from tasks.searchable import write_copy

    short = "-".join([name.rpartition("/")[2], *part.split("/")]).strip("-")
    made = write_copy(current(), shared_pool(), name, out or Path(f"{short}-searchable.pdf"), part)
    line(f"[green]✓[/] {cell(str(made.path))}，{made.pages} 页有文字层 pages with a text layer")
    line("[dim]识读副本，非证据；已读回核对 / a derivative, not evidence; read back and equal[/]")
