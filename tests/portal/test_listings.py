"""Listings: a table for people and the same rows as JSON; names from outside are inert."""

import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from collections.abc import Callable, Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest

from portal import show
from tests.flows.sending import NUMBER
from tests.house import CASE_NO, make_bundle
from tests.portal.conftest import Run
from tests.portal.told import EVIL_NAME, EVIL_TEXT, LATE, Told, told_house

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
ROOT = Path(__file__).parents[2]
EVIL = f"{CASE_NO}/E0004"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Iterator[Told]:
    yield from told_house(tmp_path_factory.mktemp("told"))


@pytest.fixture(autouse=True)
def _here(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTODY_HOME", str(told.home))


def label(exhibit_id: str) -> str:
    return exhibit_id.rpartition("/")[2]


def every(key: str) -> Callable[[Any], list[str]]:
    return lambda found: [str(each[key]) for each in found]


def of_case(found: Any) -> list[str]:
    rows = [each["accession"] for each in found["accessions"]]
    rows += [label(each["exhibit_id"]) for each in found["exhibits"]]
    account = found["account"]
    rows += ["证据 exhibits"] * len(account["exhibits"])
    return rows + ["部分 parts"] * len(account["parts"])


def of_report(found: Any) -> list[str]:
    return [each["label"].removeprefix(f"{found['case']}/") for each in found["items"]]


LISTINGS: dict[str, tuple[list[str], Callable[[Any], list[str]]]] = {
    "cases": (["case", "list"], every("case_id")),
    "case": (["case", "show", CASE_NO], of_case),
    "search": (
        ["search", CASE_NO, "客户名单"],
        lambda found: [label(each["exhibit_id"]) for each in found["hits"]],
    ),
    "history": (["history", EVIL], every("index")),
    "verify": (["verify", CASE_NO], of_report),
    "agencies": (["agency", "list"], every("agency_id")),
    "commissions": (["commission", "list"], every("commission_no")),
    "commission": (
        ["commission", "show", NUMBER],
        lambda found: [each["number"] for each in found["materials"]],
    ),
    "queue": (["queue", "SJ"], every("commission_no")),
    "overdue": (["overdue"], every("commission_no")),
}


def first_cells(out: str) -> list[str]:
    """Return the first cell of every row of the tables in what was printed."""
    cells = [line.split("│")[1].strip() for line in out.splitlines() if line.startswith("│")]
    return [each for each in cells if each]


@pytest.mark.parametrize("name", LISTINGS)
def test_json_holds_the_rows_of_the_table(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    command, keys = LISTINGS[name]
    monkeypatch.setattr(show.console, "width", 240)
    answer = run(*command, "--json")
    assert (answer.code, answer.err) == (0, "")
    shown = run(*command)
    assert (shown.code, shown.err) == (0, "")
    rows = keys(json.loads(answer.out))
    assert rows
    assert first_cells(shown.out) == rows


def test_the_listings_say_what_is_the_case(run: Run, told: Told) -> None:
    (case,) = json.loads(run("case", "list", "--json").out)
    assert (case["case_no"], case["exhibits"]) == (CASE_NO, 5)
    found = json.loads(run("case", "show", CASE_NO, "--json").out)
    assert [each["accession"] for each in found["accessions"]] == list(told.accessions)
    assert found["exhibits"][4]["reading"]["state"] == "damaged"
    assert [each["commission_no"] for each in json.loads(run("overdue", "--json").out)] == [LATE]
    commission = json.loads(run("commission", "show", NUMBER, "--json").out)
    assert [each["name"] for each in commission["clocks"]] == ["acceptance"]


def test_search_finds_chinese_and_says_when_it_does_not(run: Run) -> None:
    found = json.loads(run("search", CASE_NO, "客户名单", "--json").out)
    assert {label(each["exhibit_id"]) for each in found["hits"]} == {"E0001", "E0004"}
    assert [label(each["exhibit_id"]) for each in json.loads(
        run("search", CASE_NO, "报价", "--json").out
    )["hits"]] == ["E0002"]  # fmt: skip
    nowhere = json.loads(run("search", CASE_NO, "不存在的词", "--json").out)
    assert nowhere == {"count": 0, "at_least": False, "hits": []}
    nothing = run("search", CASE_NO, "[/bold]不存在")
    assert nothing.code == 0
    assert "[/bold]不存在" in nothing.out


def test_search_says_how_many_hits_there_are_beyond_those_that_are_shown(
    run: Run, tmp_path: Path
) -> None:
    every = json.loads(run("search", CASE_NO, "客户名单", "--json").out)
    assert (every["count"], every["at_least"]) == (len(every["hits"]), False)
    assert every["count"] > 1
    first = json.loads(run("search", CASE_NO, "客户名单", "--limit", "1", "--json").out)
    assert (first["count"], len(first["hits"])) == (every["count"], 1)
    said = f"共 {every['count']} 处 hits"
    assert said in run("search", CASE_NO, "客户名单", "--limit", "1").out
    run("search", CASE_NO, "客户名单", "--limit", "1", "--html", str(tmp_path / "hits.html"))
    assert said in (tmp_path / "hits.html").read_text()


def test_read_prints_the_text_and_says_that_it_is_no_evidence(run: Run) -> None:
    answer = run("read", f"{CASE_NO}/E0002")
    assert answer.code == 0
    assert "乙方报价" in answer.out
    assert "非证据" in answer.out
    text = json.loads(run("read", f"{CASE_NO}/E0002", "--json").out)
    assert text["pages"][0]["text"] == "乙方报价"
    assert text["evidence"] is False
    damaged = run("read", f"{CASE_NO}/E0005")
    assert damaged.code == 0
    assert "损坏" in damaged.out
    assert "!" in damaged.out


def test_an_exhibit_is_named_by_number_or_identifier_in_either_case(run: Run) -> None:
    (case,) = json.loads(run("case", "list", "--json").out)
    ways = (f"{CASE_NO}/E0001", f"{case['case_id']}/E0001", f"{CASE_NO}/e0001")
    assert len({run("history", each, "--json").out for each in ways}) == 1
    for wrong in ("E0099", "E1", "1", ""):
        answer = run("history", f"{CASE_NO}/{wrong}")
        assert answer.code == 2
        assert "case show" in answer.problem[1]


def test_history_tells_every_event_of_an_exhibit(run: Run) -> None:
    events = json.loads(run("history", f"{CASE_NO}/E0001", "--json").out)
    assert [each["action"] for each in events] == [
        "received", "accessioned", "stored", "receipted", "read", "packaged", "released",
    ]  # fmt: skip
    shown = run("history", f"{CASE_NO}/E0001").out
    assert "移交鉴定机构" in shown


def hidden(text: str) -> set[str]:
    """Return the characters that move a cursor, hide or turn text."""
    return {
        each for each in text
        if unicodedata.category(each) in ("Cc", "Cf") and each not in "\n"
    }  # fmt: skip


@pytest.mark.parametrize("json_", [True, False])
@pytest.mark.parametrize(
    "command",
    [
        ["case", "show", CASE_NO],
        ["history", EVIL],
        ["read", EVIL],
        ["search", CASE_NO, "秘密"],
        ["verify", CASE_NO],
        ["search", CASE_NO, "\x1b[31m[/nope]"],
        ["case", "show", "[/nope]\x1b[2J"],
        ["history", "[/nope]\u202e/E0001"],
    ],
)
def test_names_from_outside_are_shown_inert(run: Run, command: list[str], json_: bool) -> None:
    answer = run(*command, *(["--json"] if json_ else []))
    assert answer.code in (0, 2)
    assert "internal error" not in answer.err
    assert hidden(answer.out + answer.err) == set()


def test_markup_is_text_and_json_gives_the_exact_characters_back(run: Run) -> None:
    assert "[bold]合同[/nope]" in run("case", "show", CASE_NO).out
    assert "[bold]合同[/nope]" in run("history", EVIL).out
    shown = run("read", EVIL).out
    assert "[red]秘密[/] [/nope] \\x1b]0;title\\x07 \\u202egpj" in shown
    found = json.loads(run("case", "show", CASE_NO, "--json").out)
    assert found["exhibits"][3]["item"]["path"] == EVIL_NAME
    (page,) = json.loads(run("read", EVIL, "--json").out)["pages"]
    assert page["text"] == EVIL_TEXT


def test_ingest_as_json_prints_nothing_else(run: Run, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "again", "B9", {"n.txt": b"new"}, "沪市监案〔2026〕0900号")
    answer = run("ingest", bundle, "--json")
    assert (answer.code, answer.err) == (0, "")
    outcome = json.loads(answer.out)
    assert outcome["state"] == "accepted"
    twice = run("ingest", bundle)
    assert twice.code == 0
    assert "重复投递" in twice.out
    (bundle / "n.txt").unlink()
    refused = run("ingest", bundle, "--json")
    assert refused.code == 2
    assert json.loads(refused.out)["state"] == "quarantined"


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["audit", "X"], "'X'"),
        (["dispatch", "X"], "'X'"),
        (["opinion", "return", "X", "a.pdf", "b.yaml"], "b.yaml"),
    ],
)
def test_what_fails_inside_a_flow_is_one_line_too(run: Run, command: list[str], named: str) -> None:
    answer = run(*command)
    assert answer.code == 2
    assert named in answer.problem[0]


def custody(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "portal.cli", *arguments]
    return subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)


def test_a_reader_that_leaves_early_is_no_error() -> None:
    for form in ("", " --json"):
        shell = f"'{sys.executable}' -m portal.cli history '{EVIL}'{form} | head -n 1"
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(shell, shell=True, env=env, capture_output=True, check=False)
        assert done.stderr == b""
        assert done.stdout.count(b"\n") == 1


def test_an_encoding_without_chinese_gets_escapes() -> None:
    done = custody("case", "list", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "沪".encode("ascii", "backslashreplace") in done.stdout


def on_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """Run a command on a terminal of so many columns and return everything it printed."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    # A test runner's own idea of its terminal must not reach this one.
    outside = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    env = {**outside, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment}
    command = [sys.executable, "-m", "portal.cli", *arguments]
    with subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            printed += part
        assert process.wait(60) == 0
    os.close(ours)
    return printed.decode().replace("\r\n", "\n")


COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def columns(printed: str) -> list[str]:
    """Return the text of each column of the tables, folded lines joined, without spaces."""
    rows = [line.split("│")[1:-1] for line in printed.splitlines() if line.startswith("│")]
    longest = max(map(len, rows))
    return [
        "".join("".join(row[at].split()) for row in rows if len(row) == longest)
        for at in range(longest)
    ]


def test_a_narrow_terminal_folds_and_loses_nothing() -> None:
    printed = on_terminal(44, "case", "show", CASE_NO)
    assert COLOUR.search(printed)
    plain = COLOUR.sub("", printed)
    assert hidden(plain) == set()
    table = [line for line in plain.splitlines() if line[:1] in "┏┃┡│└"]
    assert max(map(width, table)) <= 44
    piped = custody("case", "show", CASE_NO).stdout.decode()
    assert "\x1b" not in piped
    assert columns(plain) == columns(piped)


def test_no_colour_where_none_is_wanted() -> None:
    printed = on_terminal(120, "case", "list", NO_COLOR="1")
    assert CASE_NO in printed
    assert re.search(r"\x1b\[[0-9;]*3[0-9]m", printed) is None
