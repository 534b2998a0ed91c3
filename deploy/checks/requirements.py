"""The table of requirements: what the law asks of custody, appraisal and turnaround, and the test.

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
EXTENSIONS = frozenset({"AP-11", "AP-13", "AP-14", "TT-09", "TT-11", "CU-08", "CU-09"})
"""Requirements that may come later; where they are there, their tests are named too."""

REQUIREMENTS: dict[str, str] = {
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
_ID = re.compile(r"\b(AP|TT|CU)-(\d\d)\b")
_NAMED = re.compile(r"(?:^|_)(ap|tt|cu)_(\d\d)(?=_|$)")

_HEAD = """# 要求与测试 Requirements and their tests

What the rules ask of appraisal (AP), turnaround (TT) and custody (CU), in short, and the tests that
show it. `make requirements` writes this table from the tests themselves; `make check` fails when it
is out of date or when a requirement that is not marked [ext] has no test.

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
        if each not in EXTENSIONS and not found.get(each)
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
    return "<br>".join(f"`{each}`" for each in named) or "尚无 not there yet"


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
