"""Every test that docs/threats.md names exists, and every attack that it must name has a line."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THREATS = (ROOT / "docs/threats.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)+)`", THREATS)))
ATTACKS = (
    "原件被改", "原件被删", "原件被调换", "重新上传", "修改", "插入", "删除", "重排", "树砖",
    "截断", "回退", "分叉", "分别展示", "密钥被盗", "时钟回拨", "恢复旧数据库", "恢复旧对象库",
    "定序者略去", "证明包不全", "伪造时间戳", "欺骗见证方",
)  # fmt: skip


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The functions of a file, each as it stands behind the file's name."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {f"{prefix}{each.name}" for each in inner if isinstance(each, ast.FunctionDef)}
    return frozenset(found)


def exists(named: str) -> bool:
    """Whether a test is in its file, and pytest would collect it."""
    file, _, name = named.partition("::")
    collected = Path(file).name.startswith("test_") and name.split("::")[-1].startswith("test_")
    return collected and (ROOT / file).is_file() and name in functions_of(ROOT / file)


@pytest.mark.parametrize(
    "named",
    [
        "tests/deploy/test_threats.py::test_that_is_not_here",
        "tests/deploy/test_absent.py::test_a_name_that_does_not_exist_is_noticed",
        "tests/deploy/test_threats.py::exists",
        "tests/deploy/test_threats.py::TestNothing::test_every_named_test_exists",
    ],
)
def test_a_name_that_does_not_exist_is_noticed(named: str) -> None:
    assert not exists(named)


def test_every_named_test_exists() -> None:
    assert len(NAMED) > 40
    assert [each for each in NAMED if not exists(each)] == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_has_a_line_with_a_test(attack: str) -> None:
    lines = [line for line in THREATS.splitlines() if line.startswith("|")]
    rows = [line for line in lines if attack in line.split("|")[1]]
    assert rows
    assert all(re.search(r"`tests/.+::.+`", row.split("|")[4]) for row in rows)
