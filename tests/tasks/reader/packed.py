"""Every container format with one content, each by a writer that is not our reader."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage

import zstandard

from tasks.reader.answer import Contents
from tasks.reader.containers import kinds, serve
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.source import Source
from tests.tasks.reader import olefiles, packer, tnef

Content = Mapping[str, bytes]

CONTENT = {"a.txt": b"alpha" * 1000, "目录/b.bin": bytes(range(256)) * 2000, "空": b""}

# By py7zr with the password "secret": the data alone, and the list of members too.
SEVEN_ENCRYPTED = base64.b64decode(
    "N3q8ryccAAT4LyE5kwAAAAAAAAAUAAAAAAAAACZVopecFAzBg+5Z9jPEL9HFejN+1IAtvbP7BphB5sKufY9f6gEA"
    "bgEEBgABCSAKAa58ufMABwsBAAIkBvEHARJTD4emXvNblbSHZIrp6KNecZMhIQEYAQAMHUsACAoBzBxqwQAABQER"
    "FwBzAGUAYwByAGUAdAAuAHQAeAB0AAAAFAoBAPDm/qzdf90BFQYBACCAgIEAAAAXBiABCXMABwsBAAEhIQEYDG8A"
    "AA=="
)
SEVEN_ALL_ENCRYPTED = base64.b64decode(
    "N3q8ryccAAQzDlALkAAAAAAAAAAoAAAAAAAAAFVARJkdvep938UV+zL6imudFCeh/2X8meqcjsVegC3IWxn3JmPR"
    "X1S1fg9/CgrIdyD0PO4tFsz6EzDxsVK+JQ2pZQMMFSFiN/fBWT/+Ilv9GiQkh5lEudodVgtH8Sl1ewsLt+92gWdd"
    "W7LrnpMrODGynWulOhG/TuhaRDWFp6oHGCXzcFDxeEf0vyWYwRtIyHURB0kXBiABCXAABwsBAAEkBvEHARJTD1Hj"
    "bq/MHh3CxlDT+Zw/IakMbwAA"
)


def zip_file(content: Content, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, data in content.items():
            packed.writestr(name, data)
    return out.getvalue()


def tar_file(content: Content, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as packed:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def mail(content: Content) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.cn", "c@d.cn", "材料"
    message.set_content("见附件")
    for name, data in content.items():
        message.add_attachment(data, "application", "octet-stream", filename=name)
    return message.as_bytes()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}

WRITERS: dict[str, Callable[[Content], bytes]] = {
    "zip": zip_file,
    "tar": tar_file,
    "tar gnu": lambda content: tar_file(content, tarfile.GNU_FORMAT),
    "tar.gz": lambda content: COMPRESS["gz"](tar_file(content)),
    "tar.bz2": lambda content: COMPRESS["bz2"](tar_file(content)),
    "tar.xz": lambda content: COMPRESS["xz"](tar_file(content)),
    "tar.zst": lambda content: COMPRESS["zst"](tar_file(content)),
    "7z": packer.seven_zip,
    "7z bzip2": lambda content: packer.seven_zip(content, "bzip2"),
    "7z ppmd": lambda content: packer.seven_zip(content, "ppmd"),
    "rar": packer.rar5,
    "rar old": packer.rar4,
    "mail": mail,
    "msg": lambda content: olefiles.ole_file(olefiles.message("材料", "见附件", content)),
    "tnef": tnef.winmail,
}


def listed(data: bytes, **limits: int) -> Contents:
    """Return what the reader lists, in this process."""
    return serve.contents(Source(data), Limits(**limits), lambda: None)


def taken(data: bytes, **limits: int) -> Iterator[tuple[str, bytes | str]]:
    """Yield every member's name with its bytes, or with why it cannot be taken out."""
    most = Limits(**limits)
    walk = kinds.walker(Source(data), most, lambda: None)
    assert walk is not None
    try:
        for entry in walk:
            try:
                yield entry.member.name, b"".join(serve.checked(entry, most))
            except Refused as error:
                yield entry.member.name, str(error)
    except Refused as error:
        yield "the rest", str(error)
