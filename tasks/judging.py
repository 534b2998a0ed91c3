"""Judging: the manifest is opened in the cell, and the bundle is accepted, refused or known.

Nothing is stored or numbered here except the reservation of a bundle number, which decides
between two bundles under one number whichever comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from storage.catalogue import intents
from storage.custody import Custody
from storage.digest import Hasher
from storage.errors import InputError
from storage.listing import bundle_digest
from storage.names import display
from storage.nouns import Manifest, case_id
from tasks.bundle import Bundle, File, Printed, Verdict
from tasks.manifest import judge_manifest
from tasks.manifest_mistakes import Mistake
from tasks.reader.answer import ZipListing, ZipMember
from tasks.reader.cell import CellPool

MANIFEST_NAMES = ("manifest.yaml", "manifest.yml", "manifest.xlsx")


def judge(custody: Custody, pool: CellPool, bundle: Bundle) -> Verdict:
    """Judge a received bundle; every mistake is found at once where that is possible."""
    mistakes = [_irregular(name) for name in bundle.irregular]
    files = bundle.files
    if bundle.kind == "zip":
        files, found = _expand(custody, pool, bundle)
        mistakes += found
    verdict = Verdict(bundle, tuple(files), bundle_digest([each.listed() for each in files]))
    if mistakes:
        return replace(verdict, mistakes=tuple(mistakes))
    return _with_manifest(custody, pool, verdict)


def _with_manifest(custody: Custody, pool: CellPool, verdict: Verdict) -> Verdict:
    named = [each for each in verdict.files if each.file.path.lower() in MANIFEST_NAMES]
    if len(named) != 1:
        return replace(verdict, mistakes=(_manifest_count([each.file.path for each in named]),))
    (manifest_file,) = named
    if manifest_file.file.size > custody.settings.max_manifest_bytes:
        return replace(verdict, mistakes=(_manifest_size(custody, manifest_file),))
    try:
        with manifest_file.file.open() as stream:
            raw = pool.manifest(stream, manifest_file.file.path)
    except InputError as error:
        return replace(verdict, mistakes=(_unreadable(manifest_file.file.path, error),))
    others = [each.listed() for each in verdict.files if each is not manifest_file]
    judged = judge_manifest(raw, others, unit=verdict.bundle.unit or None)
    if not isinstance(judged, Manifest):
        return replace(verdict, mistakes=judged)
    path = manifest_file.file.path
    return _reserve(custody, replace(verdict, manifest=judged, manifest_path=path))


def _reserve(custody: Custody, verdict: Verdict) -> Verdict:
    manifest, accession = verdict.manifest, verdict.bundle.accession
    if manifest is None:
        return verdict
    case = case_id(manifest.case_no)
    with custody.write() as session:
        held = intents.reserve_bundle(
            session, accession, case, manifest.bundle_no, verdict.bundle_digest
        )
        if held is None:
            first = intents.reserve_exhibits(session, accession, case, len(manifest.items))
            return replace(verdict, first_exhibit=first)
    if held["bundle_digest"] == verdict.bundle_digest:
        return replace(verdict, duplicate_of=held["accession"])
    return replace(verdict, mistakes=(_number_taken(manifest.bundle_no, held["accession"]),))


def _expand(
    custody: Custody, pool: CellPool, bundle: Bundle
) -> tuple[tuple[Printed, ...], list[Mistake]]:
    (container,) = bundle.files
    try:
        with container.file.open() as stream:
            listing = pool.list_zip(stream)
    except InputError as error:
        return (), [_unreadable(container.file.path, error)]
    mistakes = list(_unsafe(listing))
    if mistakes:
        return (), mistakes
    folder = custody.workspace.work / bundle.accession / "members"
    folder.mkdir(parents=True, exist_ok=True)
    strip = _common_folder([member.name for member in listing.members if not member.is_dir])
    printed: list[Printed] = []
    for member in listing.members:
        if member.is_dir:
            continue
        target = folder / f"{member.index:06d}"
        try:
            printed.append(_extract(pool, container.file, member, target))
        except InputError as error:
            mistakes.append(_unreadable(member.name, error))
    stripped = [
        replace(each, file=replace(each.file, path=each.file.path.removeprefix(strip)))
        for each in printed
    ]
    return tuple(sorted(stripped, key=lambda each: each.file.path.encode())), mistakes


def _extract(pool: CellPool, container: File, member: ZipMember, target: Path) -> Printed:
    hasher = Hasher()
    with container.open() as stream, target.open("wb") as out:
        for piece in pool.extract(stream, member, member.size):
            hasher.update(piece)
            out.write(piece)
    return Printed(File(member.name, str(target), member.size), hasher.finish())


def _common_folder(names: list[str]) -> str:
    """Return the one folder that holds everything, if a person zipped the folder itself."""
    if any(name.lower() in MANIFEST_NAMES for name in names):
        return ""
    tops = {name.split("/", 1)[0] for name in names}
    if len(tops) != 1 or not all("/" in name for name in names):
        return ""
    return tops.pop() + "/"


_REASONS_ZH = {
    "absolute": "绝对路径",
    "parent": "路径含有 ..",
    "backslash": "名称含反斜杠",
    "nul": "名称含空字符",
    "empty_name": "名称为空",
    "symlink": "符号链接",
    "special": "设备或其他特殊文件",
    "duplicate": "同名成员重复",
    "overlap": "成员数据重叠",
    "ratio": "膨胀倍数超过上限",
    "header_mismatch": "目录与成员头不一致",
    "method": "不支持的压缩方法",
    "outside": "数据超出压缩包",
    "entries": "成员数超过上限",
    "total": "展开后总字节数超过上限",
    "hidden": "压缩包前后藏有其他数据",
    "multi_disk": "分卷压缩包",
    "truncated_directory": "目录残缺",
}


def _unsafe(listing: ZipListing) -> Iterable[Mistake]:
    for problem in listing.problems:
        yield _unsafe_part("", problem)
    for member in listing.members:
        for reason in member.unsafe:
            yield _unsafe_part(display(member.name), reason)
        if member.encrypted:
            yield Mistake(
                "encrypted_member",
                display(member.name),
                "压缩包成员已加密，无法核对清单",
                "archive member is encrypted and cannot be checked against the manifest",
                "请以未加密形式投递，或将加密包作为一件证据放入文件夹投递",
                "drop it unencrypted, or as one exhibit inside a folder",
            )


def _unsafe_part(where: str, reason: str) -> Mistake:
    return Mistake(
        "unsafe_archive",
        where,
        f"压缩包不安全：{_REASONS_ZH.get(reason, reason)}",
        f"the archive is unsafe: {reason.replace('_', ' ')}",
        "请用文件夹投递，或重新打包后投递",
        "drop the folder itself, or pack it again",
    )


def _limit(zh: str, en: str, value: int, limit: int) -> Mistake:
    return Mistake(
        "limit",
        "",
        f"{zh} {value} 超过上限 {limit}",
        f"{en}: {value} exceeds the limit of {limit}",
        "请分成几个证据包投递，或请管理员调整上限",
        "split the bundle, or ask the administrator to raise the limit",
    )


def _irregular(name: str) -> Mistake:
    return Mistake(
        "irregular",
        display(name),
        "不是普通文件（符号链接、设备或管道），不予打开",
        "is not a regular file (a link, device or pipe) and is not opened",
        "请以文件本身代替后重新投递",
        "put the file itself in its place and drop again",
    )


def _manifest_count(paths: list[str]) -> Mistake:
    if not paths:
        return Mistake(
            "manifest_missing",
            "",
            "证据包根目录没有清单 manifest.yaml 或 manifest.xlsx",
            "there is no manifest.yaml or manifest.xlsx at the root of the bundle",
            "请运行 custody manifest new 文件夹 生成清单，填写后重新投递",
            "run 'custody manifest new FOLDER', fill it in and drop again",
        )
    names = ", ".join(paths)
    return Mistake(
        "manifest_twice",
        names,
        f"有多份清单：{names}",
        f"there is more than one manifest: {names}",
        "请只保留一份",
        "keep one of them",
    )


def _manifest_size(custody: Custody, manifest: Printed) -> Mistake:
    return _limit(
        "清单字节数", "manifest bytes", manifest.file.size, custody.settings.max_manifest_bytes
    )


def _unreadable(path: str, error: InputError) -> Mistake:
    return Mistake(
        "unreadable",
        display(path),
        f"无法读取：{error.message}",
        f"cannot be read: {error.message}",
        "请检查文件是否损坏后重新投递",
        "check that the file is not damaged and drop again",
    )


def _number_taken(bundle_no: str, accession: str) -> Mistake:
    return Mistake(
        "bundle_number_taken",
        "bundle_no",
        f"证据包编号 {bundle_no} 已用于内容不同的证据包（{accession}）",
        f"bundle number {bundle_no} already stands for other content ({accession})",
        "请核对内容；确为新证据包的，换用新编号",
        "check the content; give a new bundle a new number",
    )
