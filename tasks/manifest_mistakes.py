"""Mistakes in a manifest, in words that an officer understands, Chinese and English.

A mistake says where it is, what is wrong, and what to do. Names from outside are shown without
characters that hide or turn text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from storage.names import shown, visible
from storage.spelling import PREFIX, spell
from tasks.manifest_columns import Column

_SHOWN = 120


@dataclass(frozen=True)
class Mistake:
    """One mistake: ``where`` is ``line 12``, ``row 5``, a cell like ``C5``, or a file's name."""

    code: str
    where: str
    text_zh: str
    text_en: str
    remedy_zh: str
    remedy_en: str

    def as_json(self) -> dict[str, str]:
        """Return the fields by name."""
        return asdict(self)


def quoted(value: str) -> str:
    """Return a written value as it may be shown in a message, cut if it is very long."""
    return visible(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")


def missing(column: Column, where: str, why_zh: str = "", why_en: str = "") -> Mistake:
    """A required column is empty."""
    return Mistake(
        "missing",
        where,
        f"缺少“{column.zh}”" + (f"（{why_zh}）" if why_zh else ""),
        f"{column.key} is missing" + (f" ({why_en})" if why_en else ""),
        f"请填写“{column.zh}”：{column.help_zh}",
        f"fill in {column.key}: {column.help_en}",
    )


def unknown_column(written: str, where: str, nearest: str) -> Mistake:
    """A column stands for nothing that a manifest has."""
    return Mistake(
        "unknown_column",
        where,
        f"没有名为“{quoted(written)}”的栏目",
        f"there is no column '{quoted(written)}'",
        f"是否应为“{nearest}”？" if nearest else "请删除该栏目，或改用清单说明中的栏目名称",
        f"did you mean '{nearest}'?" if nearest else "remove it, or use a name of the reference",
    )


def column_twice(column: Column, where: str, first: str) -> Mistake:
    """The same column stands there twice in one row."""
    return Mistake(
        "column_twice",
        where,
        f"“{column.zh}”重复填写（另见 {first}）",
        f"{column.key} stands there twice (also at {first})",
        "请只保留一处",
        "keep one of them",
    )


def bad_value(column: Column, value: str, where: str, zh: str, en: str) -> Mistake:
    """A value is not one that its column can have; ``zh`` and ``en`` say what to write."""
    return Mistake(
        "bad_value",
        where,
        f"“{column.zh}”的值“{quoted(value)}”无法识别",
        f"{column.key} has the value '{quoted(value)}', which is not understood",
        zh,
        en,
    )


def unknown_word(column: Column, value: str, where: str, nearest: str) -> Mistake:
    """A value is not in its column's closed list (RULES IN-03)."""
    hint_zh = f"是否应为“{nearest}”？" if nearest else ""
    hint_en = f"did you mean '{nearest}'? " if nearest else ""
    return Mistake(
        f"unknown_{column.key}",
        where,
        f"“{column.zh}”没有“{quoted(value)}”这一项",
        f"'{quoted(value)}' is not a {column.key}",
        f"{hint_zh}{column.help_zh}",
        f"{hint_en}{column.help_en}",
    )


def too_long(column: Column, where: str, length: int) -> Mistake:
    """A value is longer than its column takes."""
    return Mistake(
        "too_long",
        where,
        f"“{column.zh}”有 {length} 个字符，最多 {column.limit} 个",
        f"{column.key} has {length} characters, at most {column.limit} are taken",
        "请缩短；长篇内容请另附文件",
        "shorten it; put long text into a file of its own",
    )


def control_character(column: Column, where: str) -> Mistake:
    """A value holds characters that cannot be seen."""
    return Mistake(
        "control_character",
        where,
        f"“{column.zh}”含有不可见的控制字符",
        f"{column.key} holds control characters that cannot be seen",
        "请重新键入该内容",
        "type the value again",
    )


def few_officers(where: str, count: int, least: int) -> Mistake:
    """Fewer officers than the law asks for (APL art. 42)."""
    return Mistake(
        "few_officers",
        where,
        f"执法人员只有 {count} 名，至少须有 {least} 名，并写明姓名和执法证号",
        f"{count} officers are named; at least {least} are needed, each with name and id",
        "请补充执法人员的姓名和执法证号",
        "add the officers' names and certificate numbers",
    )


def same_officer(where: str, id_: str) -> Mistake:
    """Two officers have the same number."""
    return Mistake(
        "same_officer",
        where,
        f"执法证号“{quoted(id_)}”出现两次，须为不同的人员",
        f"the certificate number '{quoted(id_)}' stands there twice; officers must be distinct",
        "请核对执法证号",
        "check the certificate numbers",
    )


def other_unit(where: str, written: str, unit: str) -> Mistake:
    """The bundle lies in another unit's drop folder."""
    return Mistake(
        "other_unit",
        where,
        f"清单中的办案单位是“{quoted(written)}”，证据包却投在“{quoted(unit)}”的文件夹",
        f"the manifest names the unit '{quoted(written)}', but the bundle lies in the drop "
        f"folder of '{quoted(unit)}'",
        f"请将办案单位改为“{quoted(unit)}”，或投递到本单位的文件夹",
        f"write '{quoted(unit)}', or drop the bundle in your own unit's folder",
    )


def state_secret(where: str) -> Mistake:
    """State secrets must not enter."""
    return Mistake(
        "state_secret",
        where,
        "密级标明为国家秘密；国家秘密不得进入本系统",
        "the secrecy level says state secret; state secrets must not enter this system",
        "请立即停止投递，并按保密规定联系本单位保密机构处理",
        "stop, and turn to your unit's office for state secrets",
    )


def no_items() -> Mistake:
    """The manifest lists nothing."""
    return Mistake(
        "no_items",
        "",
        "清单中没有列出任何证据",
        "the manifest lists no evidence",
        "请为每个文件填写一行；运行 custody manifest new 文件夹 可生成预填的清单",
        "write one line a file; 'custody manifest new FOLDER' writes a manifest pre-filled",
    )


def unsafe_path(path: str, where: str, zh: str, en: str) -> Mistake:
    """A path leaves the bundle or is not written the one way."""
    return Mistake(
        "unsafe_path",
        where,
        f"文件路径“{quoted(path)}”{zh}",
        f"the path '{quoted(path)}' {en}",
        "请写相对于证据包根目录的路径，用 / 分隔，例如 合同/供货合同.pdf",
        "write the path relative to the bundle's root, with /, for example contract/supply.pdf",
    )


def listed_missing(path: str, where: str, nearest: str) -> Mistake:
    """A listed file is not in the bundle (RULES IN-02)."""
    written, near = quoted(path), shown(nearest)
    return Mistake(
        "listed_missing",
        where,
        f"清单列出的文件“{written}”不在证据包内",
        f"the listed file '{written}' is not in the bundle",
        f"是否应为“{near}”？" if near else "请放入该文件，或从清单中删除该行",
        f"did you mean '{near}'?" if near else "add the file, or remove its line",
    )


def unlisted(path: str) -> Mistake:
    """A file is in the bundle but not in the manifest (RULES IN-02)."""
    name, spelled = shown(path), spell(path)
    encoded = spelled.startswith(PREFIX)
    return Mistake(
        "unlisted",
        name,
        f"文件“{name}”在证据包内，但清单没有列出",
        f"the file '{name}' is in the bundle but not listed",
        "请在清单中为它填写一行"
        + (f"，文件路径写作 {spelled}" if encoded else "")
        + "；不属于证据的，请从证据包中移除",
        "write a line for it"
        + (f" with the path {spelled}" if encoded else "")
        + ", or take it out if it is no evidence",
    )


def listed_twice(path: str, where: str, first: str) -> Mistake:
    """Two lines name the same file."""
    return Mistake(
        "listed_twice",
        where,
        f"文件“{shown(path)}”在清单中列出两次（另见 {first}）",
        f"the file '{shown(path)}' is listed twice (also at {first})",
        "请只保留一行",
        "keep one line",
    )


def digest_differs(path: str, where: str, algorithm: str, supplied: str, computed: str) -> Mistake:
    """The supplied check value is not the file's (RULES FP-02)."""
    return Mistake(
        "digest_differs",
        where,
        f"“{shown(path)}”的 {algorithm} 校验值不符：清单填写 {supplied}，收到的文件为 {computed}",
        f"the {algorithm} of '{shown(path)}' differs: the manifest says {supplied}, "
        f"the file received has {computed}",
        "请查明文件是否在取证之后被改动或损坏；确系填写错误的，更正校验值",
        "find out whether the file changed after it was obtained; correct the value if it was "
        "mistyped",
    )


def weak_only(where: str, algorithm: str) -> Mistake:
    """MD5 or SHA-1 stands alone (RULES FP-03)."""
    return Mistake(
        "weak_digest_only",
        where,
        f"只提供了 {algorithm} 校验值，不足以证明完整性",
        f"{algorithm} is the only check value, which does not prove integrity",
        "请另外提供 sha256: 或 sm3: 校验值；取证时只记录了该值的，填写“未提供校验值的原因”",
        "add a sha256: or sm3: value; if only this was recorded then, fill in no_digest_reason",
    )


def obtained_late(where: str, obtained: str, submitted: str) -> Mistake:
    """Evidence was obtained after it was submitted."""
    return Mistake(
        "obtained_late",
        where,
        f"取得时间 {obtained} 晚于提交时间 {submitted}",
        f"it was obtained at {obtained}, after it was submitted at {submitted}",
        "请核对两处时间",
        "check both times",
    )


def many_officers(where: str, count: int, most: int) -> Mistake:
    """More officers than fit."""
    return Mistake(
        "many_officers",
        where,
        f"执法人员有 {count} 名，最多可列 {most} 名",
        f"{count} officers are named, at most {most} fit",
        "请只列经办人员",
        "name those who took part",
    )
