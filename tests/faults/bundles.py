"""The bundles whose ingest is killed: dropped or named, folder or zip, taken, refused or known."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.house import make_bundle

UNIT = "pudong-01"
NAME = "bundle-1"


def zip_bytes(files: dict[str, bytes]) -> bytes:
    """Return a zip archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


FILES = {
    "a.txt": "甲方客户名单".encode(),
    "b.txt": "乙方报价单，供应商名录".encode("gb18030"),
    "c.csv": "品名,价格\n轴承,12\n".encode(),
    "d.txt": b"the same quote in English",
    "e.zip": zip_bytes({"inner.txt": "压缩包内的图纸说明".encode()}),
    "f.txt": b"",
}


MANY = FILES | {f"g{number:02d}.txt": f"第 {number} 份报价".encode() for number in range(14)}
"""Twenty items: what the sweep over every write takes in, beside the small bundles."""


def folder(place: Path, *, spoil: bool = False, files: dict[str, bytes] = FILES) -> Path:
    """Lay a bundle down as a folder; a spoiled one has a file that its manifest does not name."""
    made = make_bundle(place / NAME, files=files)
    if spoil:
        (made / "unlisted.txt").write_bytes(b"nobody named me")
    return made


def marked(place: Path) -> Path:
    """Lay a bundle down as a folder and mark it as complete."""
    made = folder(place)
    (made / ".done").touch()
    return made


def archive(place: Path, *, spoil: bool = False) -> Path:
    """Lay a bundle down as a zip; a spoiled one lacks a file that its manifest names."""
    made = folder(place)
    files = {each.name: each.read_bytes() for each in sorted(made.iterdir())}
    if spoil:
        del files["b.txt"]
    for each in made.iterdir():
        each.unlink()
    made.rmdir()
    path = made.with_suffix(".zip")
    path.write_bytes(zip_bytes(files))
    return path


@dataclass(frozen=True)
class Variant:
    """One way in which a bundle comes in.

    ``lay`` puts it into a folder. It is watched for in the drop folder if ``dropped``, else named
    on the command line. With ``known`` an equal bundle was taken in before.
    """

    lay: Callable[[Path], Path]
    dropped: bool = True
    known: bool = False
    accepted: bool = True


VARIANTS = {
    "dropped folder": Variant(folder),
    "dropped folder, marked as complete": Variant(marked),
    "dropped zip": Variant(archive),
    "folder in place": Variant(folder, dropped=False),
    "dropped folder, refused": Variant(lambda place: folder(place, spoil=True), accepted=False),
    "zip in place, refused": Variant(
        lambda place: archive(place, spoil=True), dropped=False, accepted=False
    ),
    "dropped folder, known already": Variant(folder, known=True, accepted=False),
}

SWEPT = VARIANTS | {
    "dropped folder of twenty": Variant(lambda place: folder(place, files=MANY)),
}
"""What ``python -m tests.faults`` sweeps."""
