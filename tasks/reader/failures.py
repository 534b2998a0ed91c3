"""How a cell fails, in words for people, and which error that is for the rest of the house."""

from __future__ import annotations

from storage.errors import CustodyError, InputError, TransientError
from tasks.reader.process import CellFailure, RefusedDocument

FAILURES = {
    "crash": "打开文件的程序崩溃。 The program that opened the file crashed.",
    "timeout": "打开文件超时。 Opening the file took too long.",
    "memory": "打开文件所需内存超限。 Opening the file needs more memory than allowed.",
    "fault": "文件内容有误，无法读取。 The file's content is faulty and cannot be read.",
    "lie": "读取结果不可信，已弃用。 The answer could not be trusted and was discarded.",
    "lost": "读取进程中断。 The reading process ended.",
    "refused": "文件与所需格式不符。 The file is not in the form that is needed.",
}


class UnreadableError(InputError):
    """A manifest or an archive could not be read; nothing else was harmed."""


def unreadable_error(failure: CellFailure) -> CustodyError:
    """Return what is wrong with a manifest or an archive, or with the host.

    A worker is process 1 of its cell and no document can end it, so a worker that was lost
    twice says nothing about the bundle: it is tried again, and no verdict is given.
    """
    if failure.code == "lost":
        return TransientError(
            reason(failure), remedy="try again; if it stays so, run 'custody doctor'"
        )
    return UnreadableError(
        reason(failure),
        remedy="请检查该文件，修正后重新提交。 Check the file and hand it in again.",
        code=failure.code,
        detail=failure.detail,
    )


def reason(failure: CellFailure) -> str:
    """Return what happened to the document, Chinese first."""
    if isinstance(failure, RefusedDocument):
        return failure.detail
    detail = f" ({failure.detail})" if failure.detail else ""
    return FAILURES.get(failure.code, FAILURES["fault"]) + detail
