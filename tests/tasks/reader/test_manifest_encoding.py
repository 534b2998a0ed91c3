"""A manifest is read in the encoding it is in, or not at all: no case number is ever a guess."""

from __future__ import annotations

import pytest

from tasks.reader.manifest_yaml import read_yaml

TEXT = "case_no: 沪市监案〔2026〕0777号\ncause: 涉嫌侵犯商业秘密\nname: 张三\n"
SURE = ("utf-8", "utf-8-sig", "utf-16", "gb18030")


@pytest.mark.parametrize("encoding", SURE)
def test_what_is_sure_is_read(encoding: str) -> None:
    read = read_yaml(TEXT.encode(encoding))
    assert not read.problems
    assert read.header[0].value == "沪市监案〔2026〕0777号"


def test_one_word_of_gb18030_in_a_manifest_of_ascii() -> None:
    read = read_yaml("name: 张三\n".encode("gb18030"))
    assert [cell.value for cell in read.header] == ["张三"]


@pytest.mark.parametrize("name", ["张三".encode("gbk"), b"\xd5\xc5\xc8\xfd\xff", b"Jos\xe9"])
def test_what_is_a_mixture_is_told_with_its_line(name: bytes) -> None:
    read = read_yaml(TEXT.encode().replace("张三".encode(), name))
    assert read.header == ()
    assert [problem.where for problem in read.problems] == ["line 3"]
    assert "UTF-8" in read.problems[0].text_en
