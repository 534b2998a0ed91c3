"""Mistakes in a BagIt bag, in words that an officer understands, Chinese and English."""

from __future__ import annotations

from storage.names import display
from tasks.manifest_mistakes import Mistake, quoted

_AGAIN = (
    "请用生成该 BagIt 包的工具重新检查并打包后投递",
    "check the bag with the tool that made it, make it again and drop it again",
)
_CHANGED = (
    "请查明该文件是否在打包之后被改动或损坏，再重新投递",
    "find out whether the file was changed or damaged after the bag was made; drop it again",
)


def declared_wrong(why: str) -> Mistake:
    """``bagit.txt`` is not one that can be read."""
    return Mistake(
        "bag_declaration",
        "bagit.txt",
        f"BagIt 声明文件 bagit.txt 无法识别（{quoted(why)}）",
        f"the declaration of the bag cannot be understood: {quoted(why)}",
        "仅接收 BagIt 0.97 和 1.0，编码 UTF-8；请重新打包，或去掉 bagit.txt 作为普通文件夹投递",
        "bags of version 0.97 and 1.0 in UTF-8 are taken; make it again, or drop a plain folder "
        "without bagit.txt",
    )


def no_manifest() -> Mistake:
    """The bag has no payload manifest whose digests can be computed."""
    return Mistake(
        "bag_manifest_missing",
        "manifest-sha256.txt",
        "BagIt 包没有可以核对的载荷清单（manifest-算法.txt）",
        "the bag has no payload manifest (manifest-ALGORITHM.txt) that can be checked",
        *_AGAIN,
    )


def unknown_algorithm(name: str, algorithm: str) -> Mistake:
    """A manifest is of an algorithm that cannot be computed here."""
    return Mistake(
        "bag_algorithm",
        display(name),
        f"BagIt 清单使用的算法“{quoted(algorithm)}”无法核对",
        f"the bag's manifest uses '{quoted(algorithm)}', which cannot be checked here",
        "请改用 sha256、sha512 或 sm3 重新打包",
        "make the bag again with sha256, sha512 or sm3",
    )


def bad_line(name: str, number: int, zh: str, en: str) -> Mistake:
    """A line of a manifest has not the form of one."""
    return Mistake(
        "bag_line",
        f"{display(name)}:{number}",
        f"BagIt 清单第 {number} 行{zh}",
        f"line {number} of the bag's manifest {en}",
        *_AGAIN,
    )


def fetched() -> Mistake:
    """Files of the bag are to be fetched from elsewhere."""
    return Mistake(
        "bag_fetch",
        "fetch.txt",
        "BagIt 包含有 fetch.txt：部分文件须另行下载，本系统不会从外部获取任何文件",
        "the bag has a fetch.txt: some of its files are elsewhere, and nothing is ever fetched",
        "请把这些文件取回放入 data/，删除 fetch.txt，重新打包后投递",
        "fetch those files into data/, remove fetch.txt, make the bag again and drop it",
    )


def listed_missing(path: str, name: str) -> Mistake:
    """A manifest lists a file that the bag has not."""
    return Mistake(
        "bag_missing",
        display(path),
        f"BagIt 清单 {display(name)} 所列文件“{display(path)}”不存在",
        f"'{display(path)}' is listed in {display(name)} and is not in the bag",
        "请补齐该文件后重新投递",
        "add the file and drop the bag again",
    )


def unlisted(path: str, name: str) -> Mistake:
    """A payload file stands in no manifest, or not in one of them."""
    return Mistake(
        "bag_unlisted",
        display(path),
        f"文件“{display(path)}”没有列入 BagIt 清单 {display(name)}",
        f"'{display(path)}' is in the bag and not listed in {display(name)}",
        *_AGAIN,
    )


def mismatch(path: str, name: str, algorithm: str, listed: str, computed: str) -> Mistake:
    """A file has other bytes than its manifest says."""
    return Mistake(
        "bag_digest_differs",
        display(path),
        f"“{display(path)}”的 {algorithm} 校验值与 BagIt 清单 {display(name)} 不符："
        f"清单为 {listed[:128]}，收到的文件为 {computed}",
        f"the {algorithm} of '{display(path)}' differs from {display(name)}: "
        f"listed {listed[:128]}, received {computed}",
        *_CHANGED,
    )


def oxum_wrong(told: str) -> Mistake:
    """The payload has another size or number of files than the bag says of itself."""
    return Mistake(
        "bag_oxum",
        "bag-info.txt",
        f"BagIt 包的 Payload-Oxum 与收到的内容不符：{told}",
        f"the bag's Payload-Oxum does not match what was received: {told}",
        *_AGAIN,
    )


def too_long(name: str, size: int, most: int) -> Mistake:
    """A tag file is longer than is read."""
    return Mistake(
        "limit",
        display(name),
        f"BagIt 标签文件 {size} 字节，超过上限 {most}",
        f"the tag file has {size} bytes, more than the limit of {most}",
        "请分成几个证据包投递，或请管理员调整上限",
        "split the bundle, or ask the administrator to raise the limit",
    )
