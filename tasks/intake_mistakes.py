"""Mistakes in a bundle as a whole, in words that an officer understands, Chinese and English."""

from __future__ import annotations

from storage.errors import InputError
from storage.names import display
from tasks.bundle import Irregular
from tasks.manifest_mistakes import Mistake

_REASONS_ZH = {
    "absolute": "绝对路径",
    "parent": "路径含有 ..",
    "backslash": "名称含反斜杠",
    "nul": "名称含空字符",
    "empty_name": "名称为空",
    "symlink": "符号链接",
    "hardlink": "硬链接",
    "special": "设备或其他特殊文件",
    "duplicate": "同名成员重复",
    "overlap": "成员数据重叠",
    "header_mismatch": "目录与成员头不一致",
    "method": "不支持的压缩方法",
    "outside": "数据超出压缩包",
    "hidden": "压缩包前后藏有其他数据",
    "multi_disk": "分卷压缩包",
    "truncated_directory": "目录残缺",
    "truncated": "压缩包不完整",
    "sparse": "稀疏文件",
    "damaged": "压缩包损坏",
}
_LIMITS = {
    "entries": ("成员数", "number of entries"),
    "total": ("展开后总字节数", "total bytes when expanded"),
    "ratio": ("膨胀倍数", "expansion ratio"),
    "size": ("单个文件字节数", "bytes of one file"),
    "path": ("路径字节数", "bytes of a path"),
    "depth": ("嵌套层数", "depth"),
}


def unsafe_part(where: str, code: str) -> Mistake:
    """An archive, or a member of it, is not safe to open; ``code`` says why.

    A code ``name:VALUE:LIMIT`` is a limit that was exceeded.
    """
    name, _, values = code.partition(":")
    if name in _LIMITS:
        zh, en = _LIMITS[name]
        value, _, most = values.partition(":")
        return limit(zh, en, value, most, where)
    return Mistake(
        "unsafe_archive",
        where,
        f"压缩包不安全：{_REASONS_ZH.get(name, name)}",
        f"the archive is unsafe: {name.replace('_', ' ')}",
        "请用文件夹投递，或重新打包后投递",
        "drop the folder itself, or pack it again",
    )


def limit(zh: str, en: str, value: object, most: object, where: str = "") -> Mistake:
    """A limit of the settings was exceeded."""
    told = (f"{zh} {value} 超过上限 {most}", f"{en}: {value} exceeds the limit of {most}")
    if not value:
        told = (f"{zh}超过上限", f"{en}: exceeds the limit")
    return Mistake(
        "limit",
        where,
        *told,
        "请分成几个证据包投递，或请管理员调整上限",
        "split the bundle, or ask the administrator to raise the limit",
    )


def encrypted(where: str) -> Mistake:
    """A member of a dropped archive is encrypted."""
    return Mistake(
        "encrypted_member",
        where,
        "压缩包成员已加密，无法核对清单",
        "archive member is encrypted and cannot be checked against the manifest",
        "请以未加密形式投递，或将加密包作为一件证据放入文件夹投递",
        "drop it unencrypted, or as one exhibit inside a folder",
    )


def no_container(name: str) -> Mistake:
    """A single file was dropped that is no archive."""
    return Mistake(
        "no_container",
        display(name),
        "这是一个单独的文件，其内容不是可以打开的压缩包",
        "this is a single file, and its content is no archive that can be opened",
        "请把文件和清单放进一个文件夹，投递整个文件夹",
        "put the file and a manifest into a folder and drop the folder",
    )


_IRREGULAR = {
    "symlink": ("是符号链接，不予打开", "is a symbolic link and is not opened"),
    "fifo": ("是管道，不予打开", "is a pipe and is not opened"),
    "socket": ("是套接字，不予打开", "is a socket and is not opened"),
    "device": ("是设备文件，不予打开", "is a device and is not opened"),
}


def irregular(each: Irregular) -> Mistake:
    """Something in the bundle is no file that could be taken."""
    where = display(each.path)
    if each.kind == "gone":
        return Mistake(
            "vanished",
            where,
            "接收过程中该文件消失",
            "vanished while the bundle was being taken in",
            "请确认复制已完成，再重新投递整个证据包",
            "make sure that copying has ended and drop the whole bundle again",
        )
    if each.kind == "changing":
        return Mistake(
            "changing",
            where,
            "接收过程中该文件仍在被写入",
            "was still being written while the bundle was being taken in",
            "请等复制完成后重新投递整个证据包",
            "wait until copying has ended and drop the whole bundle again",
        )
    zh, en = _IRREGULAR[each.kind]
    target = f" → {display(each.target)}" if each.target else ""
    return Mistake(
        "irregular",
        where,
        f"{zh}{target}",
        f"{en}{target}",
        "请以文件本身代替后重新投递",
        "put the file itself in its place and drop again",
    )


def manifest_count(paths: list[str]) -> Mistake:
    """There is no manifest, or more than one."""
    if not paths:
        return Mistake(
            "manifest_missing",
            "",
            "证据包根目录没有清单 manifest.yaml 或 manifest.xlsx",
            "there is no manifest.yaml or manifest.xlsx at the root of the bundle",
            "请运行 custody manifest new 文件夹 生成清单，填写后重新投递",
            "run 'custody manifest new FOLDER', fill it in and drop again",
        )
    names = ", ".join(map(display, paths))
    return Mistake(
        "manifest_twice",
        names,
        f"有多份清单：{names}",
        f"there is more than one manifest: {names}",
        "请只保留一份",
        "keep one of them",
    )


def unreadable(path: str, error: InputError) -> Mistake:
    """A manifest, an archive or a member of one could not be read."""
    return Mistake(
        "unreadable",
        display(path),
        f"无法读取：{error.message}",
        f"cannot be read: {error.message}",
        "请检查文件是否损坏后重新投递",
        "check that the file is not damaged and drop again",
    )


def number_taken(bundle_no: str, accession: str) -> Mistake:
    """A bundle number of the case already stands for other content."""
    return Mistake(
        "bundle_number_taken",
        "bundle_no",
        f"证据包编号 {bundle_no} 已用于内容不同的证据包（{accession}）",
        f"bundle number {bundle_no} already stands for other content ({accession})",
        "请核对内容；确为新证据包的，换用新编号",
        "check the content; give a new bundle a new number",
    )
