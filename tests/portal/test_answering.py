"""Packages and answers through the command line."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appraisal.test_answer_file import filled
from tests.house import forget
from tests.portal.conftest import Run
from tests.tasks.sent import NUMBER, case_house, send


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A commission that went out; its package's digest."""
    with case_house(tmp_path, {"a.txt": b"a", "b.txt": b"b"}) as custody:
        digest = str(send(custody)["package_digest"])
        today = custody.now()[:10]
    monkeypatch.setenv("CUSTODY_HOME", str(tmp_path / "home"))
    forget()
    yield f"{digest} {today}"
    forget()


def test_ap_07_carried_checked_answered_with_general_tools_alone(
    run: Run, sent: str, tmp_path: Path
) -> None:
    """AP-07: files on a stick, sha256sum, unzip, an editor; and the answer is on record."""
    stick = tmp_path / "stick"
    listed = json.loads(run("package", "list", NUMBER, "--json").out)
    assert [each["which"] for each in listed] == ["package", "letter", "sums"]
    assert run("package", "get", NUMBER, "-o", str(stick), "--by", "李明").code == 0
    again = run("package", "get", NUMBER, "-o", str(stick), "--by", "李明")
    assert again.code == 3
    assert "Traceback" not in again.err
    (zip_,) = stick.glob("*.zip")
    subprocess.run(["unzip", "-q", zip_.name], cwd=stick, check=True)
    done = subprocess.run(["sha256sum", zip_.name], cwd=stick, capture_output=True, text=True)
    digest, today = sent.split()
    assert done.stdout.startswith(digest)
    form = (stick / zip_.stem / "answer.txt").read_bytes()
    answer = tmp_path / "answer.txt"
    answer.write_bytes(filled(form, package="abc", answer="", date=today).encode("gb18030"))
    wrong = run("answer", str(answer))
    assert wrong.code == 2
    assert "2处" in wrong.err
    answer.write_bytes(filled(form, package=digest, answer="签收", date=today).encode("gb18030"))
    assert "received" in run("answer", str(answer)).out
    told = json.loads(run("access", "2026-0777-2c8b683b", "--json").out)
    assert {(each["mode"], each["who"]["name"]) for each in told} >= {("download", "李明")}
    assert run("answer", str(tmp_path / "none.txt")).code == 2
