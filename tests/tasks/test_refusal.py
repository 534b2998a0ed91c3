"""The answer to a refused bundle: everything in it, nothing from outside as markup."""

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from storage.nouns import Person
from tasks.manifest import Mistake
from tasks.refusal import code, escaped, place, render_refusal
from tests.tasks.manifest_made import listed

CHECKPOINT = "zhenglian.local/custody\n27\nqINS1GRFHW=\n\n— zhenglian.local/custody kFCC==\n"
MISTAKE = Mistake("missing", "line 12", "缺少“案由”", "cause is missing", "请填写", "fill it in")
PRINTABLE = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


def made(**changes):
    facts = {
        "accession": "A2026-000002",
        "bundle": "b1",
        "unit": "浦东",
        "mistakes": [MISTAKE],
        "files": [listed("合同.pdf"), listed("a`b.txt")],
        "received_at": "2026-11-20T09:31:05+08:00",
        "receiver": Person("值班接收员", "INTAKE", "证据保管中心", "", "021-00000000"),
        "checkpoint": CHECKPOINT,
    }
    return render_refusal(**(facts | changes))


def test_it_says_what_is_wrong_where_and_what_to_do_chinese_first():
    text = made(mistakes=[MISTAKE, Mistake("x", "C5", "错误", "wrong", "请改", "correct")])
    assert "1. 缺少“案由”（第 12 行）\n   处理办法：请填写" in text
    assert "2. 错误（单元格 C5）" in text
    assert "1. cause is missing (`line 12`)\n   What to do: fill it in" in text
    assert text.index("证据包未被接收") < text.index("Bundle not accepted")


def test_it_says_where_the_bytes_are_and_gives_every_digest():
    text = made()
    assert text.count("A2026-000002") >= 3
    for file in (listed("合同.pdf"), listed("a`b.txt")):
        for value in file.fingerprint.digests.values():
            assert value in text
    assert CHECKPOINT.rstrip("\n") in text


def test_a_place_that_the_text_names_already_is_not_said_twice():
    text = made(mistakes=[Mistake("unlisted", "a.txt", "文件“a.txt”没有列出", "x", "y", "z")])
    assert "文件“a.txt”没有列出\n" in text


def test_names_with_tricks_are_shown_as_they_are():
    bundle = "# [x](javascript:alert(1)) <script> **b**\x1b[2J\u202e\n# 已接收"
    text = made(bundle=bundle, unit="`u`\n- 接收编号：A9")
    assert not {"\x1b", "\u202e"} & set(text)
    html = MarkdownIt("js-default").render(text)
    assert "<script" not in html
    assert "<a " not in html
    assert "<strong>b" not in html
    assert html.count("<h1>") == 2
    assert html.count("<li>接收编号") == 1


@settings(deadline=None)
@given(PRINTABLE)
def test_escaped_text_is_one_paragraph_of_that_text(text):
    tokens = MarkdownIt("commonmark").parse(f"x {escaped(text)} x")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {child.type for child in tokens[1].children} <= {"text", "text_special"}


@settings(deadline=None)
@given(PRINTABLE)
def test_escaped_text_never_begins_a_block(text):
    shown = escaped(text)
    if shown:
        kinds = {token.type for token in MarkdownIt("commonmark").parse(shown)}
        assert kinds == {"paragraph_open", "inline", "paragraph_close"}


@settings(deadline=None)
@given(PRINTABLE.filter(lambda text: text.strip()))
def test_a_code_span_holds_exactly_one_name(text):
    (_, inline, _) = MarkdownIt("commonmark").parse(f"x {code(text)} x")
    spans = [child for child in inline.children if child.type == "code_inline"]
    assert len(spans) == 1


def test_places():
    assert place("row 7") == "第 7 行"
    assert place("a/b.txt") == "`a/b.txt`"
