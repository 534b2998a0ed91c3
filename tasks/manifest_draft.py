"""What can be known about the items of a bundle before a person fills in the manifest.

The path, a name, the check value of the file as it lies there. The evidence kind and the time
of obtaining are only suggestions: a file's type says nothing certain about its kind (RULES
IN-04), and its time is the last change, not the taking of evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from storage.digest import digest_stream
from storage.errors import ConflictError, InputError, NotFoundError
from storage.names import display, visible
from storage.nouns import EvidenceKind
from tasks.bag_lists import PAYLOAD
from tasks.bags import is_bag
from tasks.bundle import File
from tasks.listing_drop import list_drop
from tasks.manifest_values import BEIJING

MANIFEST_NAMES = ("manifest.yaml", "manifest.yml", "manifest.xlsx")

_BY_WORD = {
    "鉴定意见": EvidenceKind.APPRAISAL_OPINION,
    "鉴定报告": EvidenceKind.APPRAISAL_OPINION,
    "勘验": EvidenceKind.INSPECTION_RECORD,
    "现场笔录": EvidenceKind.INSPECTION_RECORD,
    "检查笔录": EvidenceKind.INSPECTION_RECORD,
    "证言": EvidenceKind.WITNESS_TESTIMONY,
    "证人": EvidenceKind.WITNESS_TESTIMONY,
    "询问笔录": EvidenceKind.PARTY_STATEMENT,
    "陈述": EvidenceKind.PARTY_STATEMENT,
}
_ENDINGS = {
    EvidenceKind.AUDIOVISUAL: """
        .mp3 .wav .m4a .aac .amr .flac .ogg .mp4 .mov .avi .mkv .wmv .3gp .mts .flv
    """,
    EvidenceKind.ELECTRONIC_DATA: """
        .eml .msg .mbox .pst .html .htm .mht .mhtml .json .xml .csv .xlsx .xls .db .sqlite
        .log .zip .7z .rar .tar .gz .e01 .dd .img .pcap .txt .sql .bak
    """,
    EvidenceKind.DOCUMENTARY: """
        .pdf .doc .docx .wps .ofd .jpg .jpeg .png .tif .tiff .bmp .heic .ppt .pptx .rtf
    """,
}
_BY_ENDING = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_LEFTOVERS = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})


@dataclass(frozen=True)
class Draft:
    """One item as far as the file itself tells; the last four are suggestions or warnings."""

    path: str
    name: str
    digest: str
    kind_hint: EvidenceKind | None
    time_hint: str
    leftover: bool


def drafts(folder: Path) -> tuple[Draft, ...]:
    """Return a draft for every file of a folder, sorted by path.

    Raises:
        NotFoundError: there is no such folder.
        ConflictError: it has a manifest already.
        InputError: it holds no file, or something that is no regular file.
    """
    if not folder.is_dir():
        raise NotFoundError(
            f"there is no folder {display(str(folder))}",
            remedy="name the folder that holds the evidence files",
        )
    arrival = list_drop(folder, "")
    _refuse_manifest(arrival.files)
    _refuse_irregular([each.path for each in arrival.irregular])
    if not arrival.files:
        raise InputError(
            f"the folder {display(folder.name)} is empty",
            remedy="put the evidence files into it first",
        )
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(_draft, _evidence(arrival.files)))


def _evidence(files: Sequence[File]) -> list[File]:
    """Return the files that a manifest lists: of a BagIt bag its payload, not its tag files."""
    if not is_bag([file.path for file in files]):
        return list(files)
    return [file for file in files if file.path.startswith(PAYLOAD)]


def _draft(file: File) -> Draft:
    with file.open() as stream:
        digest = digest_stream(stream, "sha256")
    path = PurePosixPath(file.path)
    changed = Path(file.location).stat().st_mtime
    return Draft(
        path=file.path,
        name=(visible(path.stem).strip() or visible(path.name))[:200],
        digest=f"sha256:{digest}",
        kind_hint=kind_hint(file.path),
        time_hint=datetime.fromtimestamp(changed, BEIJING).strftime("%Y-%m-%d %H:%M"),
        leftover=path.name.lower() in _LEFTOVERS or path.name.startswith(("~$", "._")),
    )


def kind_hint(path: str) -> EvidenceKind | None:
    """Return the kind that a file's name suggests, for a person to judge."""
    for word, kind in _BY_WORD.items():
        if word in path:
            return kind
    return _BY_ENDING.get(PurePosixPath(path).suffix.lower())


def _refuse_manifest(files: Sequence[File]) -> None:
    for file in files:
        if file.path.lower() in MANIFEST_NAMES:
            raise ConflictError(
                f"the folder has a manifest already: {display(file.path)}",
                remedy="fill that one in, or move it away first; nothing is overwritten",
                path=file.location,
            )


def _refuse_irregular(names: Sequence[str]) -> None:
    if names:
        shown = ", ".join(map(display, names[:5])) + (" ..." if len(names) > 5 else "")
        raise InputError(
            f"{len(names)} names are links, devices or pipes: {shown}",
            remedy="put the file itself in the place of a link",
            names=list(names),
        )
