"""The table of requirements: what the law asks of this software, and the tests that show it.

A test carries a requirement by its identifier, in its docstring (``AP-05: ...``) or its name
(``test_ap_05_...``). ``make requirements`` writes ``docs/requirements.md`` from them; the check
fails when the table is not what the tests say, or when a requirement that is not an extension has
no test.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "requirements.md"
EXTENSIONS = frozenset(
    {"IN-12", "IN-13", "FP-03", "CU-08", "CU-09", "ST-04", "ST-07", "ST-08", "ST-09"}
    | {"AP-11", "AP-13", "AP-14", "TT-09", "TT-11", "TR-03", "TR-05", "TR-06", "AU-06"}
    | {"RP-03", "RP-05"}
)
"""Requirements that may come later; where they are there, their tests are named too."""
MISSING: dict[str, str] = {
    "IN-08": "持有人签名、见证人、起止时间尚无栏目 / the manifest has no columns yet for the "
    "holder's signature, the witness, and start and end",
    "IN-09": "只有封条号；照片尚无栏目 / the seal's number alone; no columns for photographs yet",
    "TR-01": "移送公安的卷宗尚无 / the package for the police is not there yet",
    "TR-04": "同上 / the same",
    "RP-01": "半年报告尚无 / the half-year report is not there yet",
    "RP-02": "同上 / the same",
}
"""What is not there, or not wholly, of requirements that may not be left out: said openly."""

REQUIREMENTS: dict[str, str] = {
    "IN-01": "清单可读，案号、单位、两名执法人员齐全，否则隔离 / a bundle without them is refused",
    "IN-02": "清单与文件逐一相符 / what is listed is there, and what is there is listed",
    "IN-03": "证据种类为法定八种之一 / one of the eight kinds of evidence",
    "IN-04": "数字化的言词证据种类不变 / digitised testimony keeps its kind",
    "IN-05": "非原件须写明原因、出处、核对人 / what is no original says why and who compared it",
    "IN-06": "复制件写明方法、时间、制作人、证明对象 / copies of recordings and data",
    "IN-07": "电子数据有类别、格式和校验值 / electronic data has category, format, check value",
    "IN-08": "收集记录要素齐全 / the record of collection",
    "IN-09": "原始存储介质的封存 / the original medium and its seal",
    "IN-10": "每个入库证据包有收据 / a receipt for every accepted bundle",
    "IN-11": "同一证据包只入库一次 / the same bundle is taken once",
    "IN-12": "未写完的证据包不读 / half-written bundles are left alone",
    "IN-13": "单位级别低于地市时提示 / a unit below a prefecture is pointed out",
    "FP-01": "入库即以字节流计算SHA-256和SM3 / both digests over the bytes as received",
    "FP-02": "与提供的校验值比对 / supplied check values are compared",
    "FP-03": "MD5、SHA-1不得为唯一校验值 / a weak digest is never the only value",
    "FP-04": "校验值记录要素齐全 / a digest's record is whole",
    "FP-05": "证据包校验值可由独立程序重算 / a bundle's digest is made again without us",
    "FP-06": "识读结果为衍生件并注明非证据 / derivatives are marked and linked",
    "FP-07": "改动一字节即被发现并指明 / one changed byte is found and named",
    "ST-01": "原件一次写入并锁定至保管期满 / originals are locked until their retention ends",
    "ST-02": "保管期可延长，不可缩短 / retention is lengthened and never shortened",
    "ST-03": "写入后读回核对 / what was written is read back",
    "ST-04": "异地备份并定期比对 / a backup elsewhere, compared",
    "ST-05": "原件与工作副本分开存放 / originals and working copies lie apart",
    "ST-06": "商业秘密有标识和知悉范围，其余访问拒绝并留痕 / a secrecy mark, a need-to-know list",
    "ST-07": "存储和传输加密 / encryption at rest and in transit",
    "ST-08": "导出保持原字节、名称、时间 / an export keeps bytes, name and times",
    "ST-09": "保全高于到期；解除须两人 / a hold overrides expiry",
    "TR-01": "移送材料五附件齐全 / the five annexes of a transfer",
    "TR-02": "移送各期限 / the clocks of a transfer",
    "TR-03": "不移送须说明理由 / a refusal to transfer has reasons",
    "TR-04": "移送清单附校验值和保管链 / a transfer lists digests and custody",
    "TR-05": "退回案卷重新入库核对 / a file that comes back is compared",
    "TR-06": "立案标准只作提示 / thresholds are a hint",
    "AU-01": "审计人员只读，不得兼任操作人员 / an auditor only reads",
    "AU-02": "一条命令离线核验全案 / one command verifies a case offline",
    "AU-03": "定期抽查和全查，结果为事件 / scheduled verification; results are events",
    "AU-04": "逐件结果；未核验不算通过 / a result an item; unverified is never ok",
    "AU-05": "中英文核验证明 / a certificate of verification",
    "AU-06": "原件访问记录可导出 / the log of who saw originals",
    "RP-01": "半年报告可由留存数据重算 / the half-year report",
    "RP-02": "报告各项数字及其出处 / each count with its query",
    "RP-03": "报告无商业秘密和当事人名称 / no secrets and no names in a report",
    "RP-04": "鉴定部分的数字 / the figures of appraisals",
    "RP-05": "可打印的法律文书数据 / data for printed forms",
    "AP-01": "委托书必填要素齐全方可发出 / no commission without every mandatory field",
    "AP-02": "材料清单逐项完整，含校验值 / each line of the material list is whole, with digests",
    "AP-03": "用途为行政管理；不得问是否构成商业秘密 / purpose, matter types, no question of law",
    "AP-04": "非公知性须有密点和基准日；同一性须有双方材料 / what each matter needs",
    "AP-05": "同一事项不得同时委托两家 / one matter is with one agency at a time",
    "AP-06": "委托日机构有效、在册、在范围内、无冲突 / the agency's standing on the day",
    "AP-07": "材料包校验值印于委托书，机构须复述 / the package's digest is printed and repeated",
    "AP-08": "意见书到达时逐项检查 / every check of an arrived opinion is named",
    "AP-09": "意见书作为证据入库 / the opinion becomes an exhibit in the same custody",
    "AP-10": "补充、重新鉴定指向原委托；重新鉴定另择机构 / who may appraise again",
    "AP-11": "回避的申请和决定；被回避者不得签名 / recusal is recorded and binds",
    "AP-12": "期间和结果两次告知当事人 / two notices to the party, with dates",
    "AP-13": "材料退还、消耗、损坏留痕；消耗须先同意 / what became of the material",
    "AP-14": "撤回、不予受理、终止、补正为状态并附文书 / ends and corrections have documents",
    "TT-01": "受理期限7个工作日，首日不计 / time to accept",
    "TT-02": "鉴定期限30个工作日；约定优先；两者均存 / time to complete",
    "TT-03": "延长须在期满前批准并告知，一次 / extension",
    "TT-04": "补充材料期间不计入，不得重叠 / supplement pauses",
    "TT-05": "日的单位、长度、起算由所在省规则定 / rule sets by province",
    "TT-06": "黄金日期成立；无官方年历者标暂定 / golden dates; provisional years",
    "TT-07": "案件90日与线索15个工作日，鉴定等期间不计 / the case's and the lead's clocks",
    "TT-08": "先行登记保存7个工作日，第5日预警，届满自动解除 / registered preservation",
    "TT-09": "查封扣押30日加30日，鉴定不计 / seal or seizure",
    "TT-10": "按期率及中位数的口径 / on-time rate and medians as defined",
    "TT-11": "新年历发布后重算未到期日期并留痕 / a new calendar recomputes what is open",
    "CU-01": "日志只增；改、删、重排均可发现 / the log is append-only, and every change is found",
    "CU-02": "事件要素齐全 / an event has everything that is asked of it",
    "CU-03": "移交与签收两次确认；逾期未签收列明 / two acknowledgements",
    "CU-04": "任一时刻有唯一保管人 / a holder at every instant",
    "CU-05": "查阅、下载原件或材料包均为事件 / reading and downloading are events",
    "CU-06": "启封、重封双人双号 / seals",
    "CU-07": "每日日志头签名并加盖时间戳 / each day's head is signed and time-stamped",
    "CU-08": "可选：司法链存证 / optional: anchoring in a judicial chain",
    "CU-09": "时钟来源记录；时间倒退标记 / the clock's source; times that go backwards",
}
_ID = re.compile(r"\b(AP|TT|CU|IN|FP|ST|TR|AU|RP)-(\d\d)\b")
_NAMED = re.compile(r"(?:^|_)(ap|tt|cu|in|fp|st|tr|au|rp)_(\d\d)(?=_|$)")

_HEAD = """# 要求与测试 Requirements and their tests

What the rules ask of intake (IN), fingerprints (FP), storage (ST), transfer (TR), audit (AU),
reports (RP), appraisal (AP), turnaround (TT) and custody (CU), in short, and the tests that show
it. What is not there, or not wholly, says so. `make requirements` writes this table from the tests
themselves; `make check` fails when it is out of date, or when a requirement that is not marked
[ext] has neither a test nor a word on what is missing.

| 编号 ID | 要求 requirement | 测试 tests |
| --- | --- | --- |
"""


def main() -> int:
    """Check the table, or write it when asked with ``write``; return 1 if something is wrong."""
    found = carried(ROOT / "tests")
    text = table(found)
    if sys.argv[1:] == ["write"]:
        TABLE.write_text(text, encoding="utf-8")
    wrong = faults(found, TABLE.read_text("utf-8") if TABLE.exists() else "", text)
    for fault in wrong:
        print(fault, file=sys.stderr)
    return 1 if wrong else 0


def faults(found: dict[str, list[str]], kept: str, made: str) -> list[str]:
    """Return what is wrong: requirements without a test, unknown ones, a table out of date."""
    wrong = [
        f"{each}: no test carries it"
        for each in REQUIREMENTS
        if each not in EXTENSIONS and each not in MISSING and not found.get(each)
    ]
    wrong += [
        f"{each}: there is no such requirement ({found[each][0]})"
        for each in sorted(found.keys() - REQUIREMENTS.keys())
    ]
    if kept != made:
        wrong.append("docs/requirements.md is out of date: run make requirements")
    return wrong


def table(found: dict[str, list[str]]) -> str:
    """Return the document."""
    return _HEAD + "".join(
        f"| {each}{' [ext]' if each in EXTENSIONS else ''} | {words} | {_tests(found, each)} |\n"
        for each, words in REQUIREMENTS.items()
    )


def _tests(found: dict[str, list[str]], requirement: str) -> str:
    named = found.get(requirement, [])
    told = [f"`{each}`" for each in named]
    if requirement in MISSING:
        told.append(f"缺 missing: {MISSING[requirement]}")
    return "<br>".join(told) or "尚无 not there yet"


def carried(folder: Path) -> dict[str, list[str]]:
    """Return which tests carry each requirement, as ``tests/...py::name``, sorted."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for name, words in _tests_of(path.read_text("utf-8")):
            label = f"{path.relative_to(folder.parent).as_posix()}::{name}"
            for requirement in sorted(identifiers(words)):
                found.setdefault(requirement, []).append(label)
    return found


def identifiers(words: str) -> set[str]:
    """Return the requirements that a test's name and docstring carry."""
    plain = {f"{kind}-{number}" for kind, number in _ID.findall(words)}
    named = {f"{kind.upper()}-{number}" for kind, number in _NAMED.findall(words.split("\n")[0])}
    return plain | named


def _tests_of(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_"):
                    yield f"{node.name}::{inner.name}", _words(inner)
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, _words(node)


def _words(node: ast.FunctionDef) -> str:
    return f"{node.name}\n{ast.get_docstring(node) or ''}"


if __name__ == "__main__":
    sys.exit(main())
