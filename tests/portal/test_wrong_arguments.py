"""Arguments that make no sense are told in two lines, and never answered as if they did."""

import pytest

from tests.portal.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("search --all 客户 --from 2026-03-02 --to 2026-03-01", "首尾颠倒 the period ends"),
        ("search --all 客户 --from 2026-02-30", "不是日期"),
        ("search --all 客户 --kind 书", "没有证据种类"),
        ("search CASE", "检索须给出案件和检索式"),
        ("turnaround --from 2026-03-02 --to 2026-03-01", "首尾颠倒 the period ends"),
        ("api-description --file /nothing/api.json", "无法写入 it cannot be written"),
        ("agency-client --url http://q --token-file t --folder f", "令牌不得以明文传到其他机器"),
    ],
)
def test_a_wrong_argument_is_told_before_anything_is_done(
    run: Run, arguments: str, words: str
) -> None:
    """A period that ends before it begins finds nothing, and would look like an answer."""
    answer = run(*arguments.split())
    assert answer.code == 2
    assert words in answer.problem[0]
