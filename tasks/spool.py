"""The spool: where an upload's bytes lie until they are an exhibit, and who may write them.

::

    uploads/<upload>/opinion.pdf        what came so far; its length is the offset
    uploads/<upload>/particulars.yaml   what was announced with it
    uploads/<upload>/lock               held by whoever writes or finishes

One writer at a time, by a lock that ends with its process; each piece is on the disk before its
offset is told. What is no PDF is noticed within its first kilobyte, not after five gigabytes.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.custody import Custody
from storage.errors import BusyError, HostError, InputError
from storage.workspace import fsync_folder, write_durably

HEAD_BYTES = 1024
"""A PDF says ``%PDF-`` within so many bytes of its start (ISO 32000-1, annex H)."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SYNC_BYTES = 64 << 20


def folder_of(custody: Custody, upload_id: str) -> Path:
    """Return the folder of an upload."""
    return custody.workspace.uploads / upload_id


def make_folder(custody: Custody, upload_id: str, particulars: str) -> Path:
    """Make the folder of a new upload, durably; return where its particulars lie.

    Raises:
        HostError: the disk is full, or the folder cannot be written.
    """
    folder = folder_of(custody, upload_id)
    try:
        folder.mkdir(mode=0o700, parents=True)
        custody.workspace.uploads.chmod(0o700)
        write_durably(folder / "particulars.yaml", particulars.encode(), 0o600)
        (folder / "opinion.pdf").touch(0o600)
        (folder / "lock").touch(0o600)
        fsync_folder(folder)
        fsync_folder(folder.parent)
    except OSError as error:
        raise host_error(error) from error
    return folder / "particulars.yaml"


def received(custody: Custody, upload_id: str) -> int:
    """Return how many bytes of an upload lie here."""
    try:
        return (folder_of(custody, upload_id) / "opinion.pdf").stat().st_size
    except FileNotFoundError:
        return 0


class Spool:
    """An upload that is being written: one writer at a time, from one offset on."""

    def __init__(self, descriptor: int, at: int, size: int) -> None:
        """Go on writing a document of ``size`` bytes at ``at``; made by ``opened``."""
        self._descriptor, self._size = descriptor, size
        self.offset = at
        self._synced = at

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            InputError: more than was announced, or what came is no PDF.
            HostError: the disk is full; what was written before is kept.
        """
        if self.offset + len(data) > self._size:
            raise InputError(
                f"超过所声明的{self._size}字节 more bytes than the {self._size} "
                "that were announced",
                remedy="请删除此上传，按真实大小重新申报 "
                "remove this upload and announce the document's true size",
                code="too_large",
            )
        start = self.offset
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self._descriptor, view, self.offset)
                self.offset += written
                view = view[written:]
            if self.offset - self._synced >= _SYNC_BYTES:
                self.sync()
        except OSError as error:
            raise host_error(error) from error
        if start < HEAD_BYTES <= self.offset or self.offset == self._size:
            self._look()

    def sync(self) -> None:
        """Make what was written durable.

        Raises:
            HostError: the disk is full, or broken.
        """
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise host_error(error) from error
        self._synced = self.offset

    def _look(self) -> None:
        if b"%PDF-" not in os.pread(self._descriptor, HEAD_BYTES, 0):
            raise InputError(
                "上传的内容不是PDF（以内容判断，与文件名无关） what was sent is no PDF, "
                "whatever its name",
                remedy="请以 PDF 发送已签名的意见书 send the signed opinion as a PDF",
                code="wrong_type",
            )


@contextmanager
def opened(custody: Custody, upload_id: str, size: int) -> Iterator[Spool]:
    """Write an upload on from where it is; at the end, however it comes, all is on the disk.

    The caller holds its lock.
    """
    path = folder_of(custody, upload_id) / "opinion.pdf"
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        spool = Spool(descriptor, os.fstat(descriptor).st_size, size)
        try:
            yield spool
        finally:
            spool.sync()
    finally:
        os.close(descriptor)


@contextmanager
def alone(custody: Custody, upload_id: str) -> Iterator[None]:
    """Hold an upload's lock, which ends with its process.

    Raises:
        BusyError: somebody else is writing or finishing it.
    """
    path = folder_of(custody, upload_id) / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:  # Its bytes are gone: there is nothing to guard.
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                "该上传正由另一请求处理 another request is working on this upload",
                remedy="请等待其结束，再查询偏移量 wait for it to end, then ask for the offset",
                code="upload_busy",
            ) from error
        yield
    finally:
        os.close(descriptor)


def host_error(error: OSError) -> HostError:
    """Return what a failure to write means for the one who sends."""
    if error.errno in _FULL:
        return HostError(
            "服务器磁盘空间不足，已收到的部分仍保留 the server's disk is full; what came is kept",
            remedy="请稍后从所告知的偏移量续传，并告知委托人的管理员 "
            "go on later from the offset that is told; tell the client's administrator",
            code="disk_full",
        )
    return HostError(
        f"服务器无法写入 the server cannot write: {error.strerror}", remedy="tell the client"
    )
