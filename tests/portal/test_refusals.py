"""Whatever is wrong is one line, a remedy, and the exit code of its family; never a traceback."""

from pathlib import Path

import pytest

from storage.custody import Custody
from tests.house import make_bundle
from tests.portal.conftest import Run

CASE_COMMANDS = (["case", "show"], ["search"], ["verify"])


@pytest.mark.parametrize(
    "command",
    [
        "case list",
        "case show X",
        "history X/E0001",
        "verify X",
        "agency list",
        "overdue",
        "watch --once",
        "search X y",
    ],
)
def test_without_a_workspace_it_says_how_to_make_one(
    run: Run, tmp_path: Path, command: str
) -> None:
    answer = run(*command.split(), CUSTODY_HOME=str(tmp_path / "none"))
    assert answer.code == 5
    what, remedy = answer.problem
    assert str(tmp_path / "none") in what
    assert "custody init" in remedy
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("case show X", 2, "no case"),
        ("search X 客户", 2, "no case"),
        ("verify X", 2, "'X'"),
        ("history X/E0001", 2, "no case"),
        ("read X/E0001", 2, "no case"),
        ("read E0001", 2, "not an exhibit"),
        ("history /", 2, "no case"),
        ("history a/b/c", 2, "no case"),
        ("queue X", 2, "no agency"),
        ("commission show X", 2, "no commission"),
        ("commission close X", 2, "no commission"),
        ("commission withdraw X --reason y", 2, "no commission"),
        ("commission template X Y none.yaml", 2, "no case"),
        ("accept X --package-digest 0", 2, "no commission"),
        ("decline X --reason y", 2, "no commission"),
        ("supplement request X --what y", 2, "no commission"),
        ("supplement receive X --note y", 2, "no commission"),
        ("extend X --days 1 --approved-by y --notified 2026-01-01", 2, "no commission"),
        ("overdue --on 2026-13-01", 2, "not a date"),
        ("agency add none.yaml", 2, "no file"),
        ("agency add /", 2, "no file"),
        ("commission new none.yaml", 2, "no file"),
        ("ingest none", 2, "not a bundle"),
        ("ingest /dev/null", 2, "not a bundle"),
        ("manifest new none", 2, "no folder"),
        ("manifest check none", 2, "none"),
    ],
)
def test_what_is_not_there_is_named(
    run: Run, empty: Custody, command: str, code: int, said: str
) -> None:
    answer = run(*command.split())
    assert answer.code == code
    assert said in answer.problem[0]


@pytest.mark.parametrize("command", ["demo --bogus", "bogus", "case bogus", "read"])
def test_wrong_usage_says_where_the_usage_stands(run: Run, empty: Custody, command: str) -> None:
    answer = run(*command.split())
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert "Error: " in answer.err
    assert "-h" in answer.err


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("CUSTODY_STORE", "nonsense", 5),
        ("CUSTODY_STORE", "s3://", 5),
        ("CUSTODY_LOG_ORIGIN", "other", 5),
        ("CUSTODY_RETENTION_YEARS", "abc", 5),
        ("CUSTODY_RETENTION_YEARS", "0", 5),
        ("CUSTODY_TIMEZONE", "Mars/Olympus", 5),
        ("CUSTODY_LANGUAGE", "fr", 5),
        ("CUSTODY_DEBUG", "perhaps", 5),
        ("CUSTODY_DATABASE", "nonsense", 5),
        ("CUSTODY_DATABASE", "postgresql+psycopg://nobody@127.0.0.1:1/x", 6),
    ],
)
def test_a_wrong_setting_is_named(
    run: Run, empty: Custody, name: str, value: str, code: int
) -> None:
    answer = run("case", "list", **{name: value})
    assert answer.code == code
    problem = " ".join(answer.problem)
    assert name in problem
    assert "Errno" not in problem


def test_every_wrong_setting_is_named_at_once(run: Run, empty: Custody) -> None:
    answer = run("case", "list", CUSTODY_LANGUAGE="fr", CUSTODY_BATCH_SIZE="many")
    assert "CUSTODY_LANGUAGE='fr'" in answer.problem[0]
    assert "CUSTODY_BATCH_SIZE='many'" in answer.problem[0]


def test_a_wrong_setting_makes_no_workspace(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "none"
    for wrong in ({"CUSTODY_STORE": "nonsense"}, {"CUSTODY_LOG_ORIGIN": "two words"}):
        assert run("init", CUSTODY_HOME=str(home), **wrong).code == 5
        assert not (home / "keys" / "log.key").exists()


def test_a_key_that_others_may_read_is_refused(run: Run, empty: Custody) -> None:
    empty.workspace.log_key.chmod(0o644)
    answer = run("case", "list")
    assert answer.code == 5
    what, remedy = answer.problem
    assert "0644" in what
    assert "chmod 600" in remedy


def test_a_damaged_key_and_a_lost_one_are_told_apart(run: Run, empty: Custody) -> None:
    key = empty.workspace.log_key
    kept = key.read_bytes()
    key.write_bytes(kept[: len(kept) // 2])
    assert "damaged" in run("case", "list").problem[0]
    key.write_bytes(kept)
    key.chmod(0o600)
    assert run("case", "list").code == 0


def test_a_defect_of_ours_is_one_line_too(
    run: Run, empty: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(session: object) -> None:
        raise ZeroDivisionError("[bold]by zero")

    monkeypatch.setattr("storage.catalogue.queries.list_cases", defect)
    answer = run("case", "list")
    assert answer.code == 70
    what, remedy = answer.problem
    assert what == "internal error: ZeroDivisionError: [bold]by zero"
    assert "CUSTODY_DEBUG=true" in remedy
    with pytest.raises(ZeroDivisionError):
        run("case", "list", CUSTODY_DEBUG="true")


def test_stopping_it_is_no_error(run: Run, empty: Custody, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(session: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("storage.catalogue.queries.list_cases", stop)
    answer = run("case", "list")
    assert (answer.code, answer.err) == (130, "已停止 stopped\n")


@pytest.mark.parametrize("file", ["", "- a\n- b\n", "a: [unclosed", "\x00\x01", "name: x\n"])
def test_a_file_that_is_not_filled_in_is_explained(
    run: Run, empty: Custody, tmp_path: Path, file: str
) -> None:
    path = tmp_path / "agency.yaml"
    path.write_text(file)
    answer = run("agency", "add", path)
    assert answer.code == 2
    assert answer.problem[1]
    assert run("agency", "list", "--json").out == "[]\n"


def test_a_manifest_is_checked_without_a_workspace(run: Run, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    assert run("manifest", "check", bundle, CUSTODY_HOME=str(tmp_path / "none")).code == 0
    (bundle / "c.txt").unlink()
    answer = run("manifest", "check", bundle, CUSTODY_HOME=str(tmp_path / "none"))
    assert answer.code == 2
    assert "c.txt" in answer.out
