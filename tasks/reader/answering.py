"""What every job does to answer, in each kind of worker: bytes out, and where an error arose."""

from __future__ import annotations

import os
from pathlib import Path


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of ``data``, however little the descriptor takes at a time."""
    with memoryview(data) as view:
        written = 0
        while written < len(view):
            written += os.write(descriptor, view[written:])


def place(error: BaseException) -> str:
    """Return file and line where an error arose; its text may quote the document."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
