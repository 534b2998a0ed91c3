"""What a person sees while a bundle is taken in: the stage, and how many items are done.

The figures come from the catalogue, which knows an item only once it is on record.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from portal.show import console
from storage.catalogue import queries
from storage.custody import Custody

_STAGES = {
    "": "指纹 fingerprint",
    "received": "核对清单、存储 judge and store",
    "storing": "登记 record",
    "accepted": "识读 read",
}


@contextmanager
def ingest_progress(custody: Custody, accession: str) -> Iterator[None]:
    """Show the progress of an accession while the block runs; only on a terminal."""
    if not console.is_terminal:
        yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    ended = threading.Event()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(f"{accession}", total=None)

        def poll() -> None:
            while not ended.wait(0.4):
                with custody.read() as session:
                    state, total, read = queries.progress(session, accession)
                stage = _STAGES.get(state, state)
                progress.update(
                    bar, description=f"{accession} {stage}", total=total or None, completed=read
                )

        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
