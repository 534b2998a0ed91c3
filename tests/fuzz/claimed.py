"""What bags and disk images say of themselves, called as intake and the cell call it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from storage.digest import fingerprint_bytes, new
from storage.listing import ListedFile
from tasks.bags import judge_bag
from tasks.reader import ewf, rawimage
from tasks.reader.source import Source
from tests.fuzz.targets import Target
from tests.tasks.ewf_made import CHUNK, Made
from tests.tasks.ewf_made import ewf as image_of

_SPLIT = b"\0--\0"
_TAGS = ("bagit.txt", "bag-info.txt", "fetch.txt", "manifest-md5.txt", "tagmanifest-sm3.txt")
_PAYLOAD = {"data/a.txt": b"a", "data/b%0A.txt": b"b"}


def targets() -> Iterator[Target]:
    """Yield the targets of what is claimed: none of them may raise anything."""
    yield Target("bag", _bag, (), _bags)
    yield Target("disk-image", lambda data: ewf.examine(Source(data), 1 << 22), (), _images)
    yield Target("raw-image", lambda data: rawimage.is_raw_image(data, len(data)), (), _disks)


def _bag(data: bytes) -> None:
    files = dict(zip(_TAGS, data.split(_SPLIT), strict=False)) | _PAYLOAD

    def digests(path: str, algorithms: Sequence[str]) -> dict[str, str]:
        states = {name: new(name) for name in algorithms}
        for state in states.values():
            state.update(files[path])
        return {name: state.hexdigest() for name, state in states.items()}

    listed = [ListedFile(path, fingerprint_bytes(each)) for path, each in files.items()]
    judge_bag(listed, files.__getitem__, digests, 1 << 20)


def _bags() -> Iterable[bytes]:
    for version in (b"0.97", b"1.0"):
        declared = b"BagIt-Version: %s\nTag-File-Character-Encoding: UTF-8\n" % version
        lists = b"0cc175b9c0f1b6a831c399e269772661  data/a.txt\n", b"00 *bagit.txt\n"
        yield _SPLIT.join((declared, b"Payload-Oxum: 2.2\n", b"", *lists))


def _images() -> Iterable[bytes]:
    media = bytes(range(256)) * 2 * (CHUNK // 512) * 3
    yield image_of(media)
    yield image_of(media, Made(compress=False, digest=False))
    yield image_of(media, Made(segment=2, end=b"next"))


def _disks() -> Iterable[bytes]:
    yield bytes(510) + b"\x55\xaaEFI PART\0\0\1\0" + bytes(2048)
    yield b"\xeb\x52\x90NTFS    ".ljust(510, b"\0") + b"\x55\xaa" + bytes(2048)
