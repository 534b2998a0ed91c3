"""A commission through the real flows: out with a package, back with an opinion, closed."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from appraisal import acts
from appraisal.commission import State
from portal.acting import for_agency, moment, person, receiving_supplement
from storage.catalogue import queries
from storage.errors import IntegrityError, StateError
from storage.event import Action
from storage.nouns import case_id
from tasks.readings import readings
from tasks.verifying import verify_case
from tests.deploy.test_papers import READMES, recipe
from tests.flows.sending import Sending, unpacked
from tests.house import CASE_NO, FILES, events

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
ROOT = Path(__file__).parents[2]
TOOLS = (
    ("sha256sum", "--quiet", "-c", "checks/sha256sums.txt"),
    ("b3sum", "--quiet", "-c", "checks/b3sums.txt"),
    ("cksum", "-a", "sm3", "--quiet", "--check", "checks/sm3sums.txt"),
)


def run(command: tuple[str, ...], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_changed_original_is_never_sent(sending: Sending) -> None:
    sending.draft()
    key = hashlib.sha256(FILES["a.txt"]).hexdigest()
    (original,) = sending.house.workspace.objects.glob(f"cases/*/originals/{key}")
    original.chmod(0o644)
    original.write_bytes(FILES["a.txt"][:-1] + b"!")
    with pytest.raises(IntegrityError):
        sending.dispatch()
    assert sending.desk.commission(sending.number).state is State.DRAFTED
    assert events(sending.house, Action.RELEASED) == []


def test_an_opinion_is_refused_before_the_commission_was_accepted(
    sending: Sending, tmp_path: Path
) -> None:
    sending.draft()
    with pytest.raises(StateError):
        sending.collect(tmp_path / "early")
    sending.dispatch()
    with pytest.raises(StateError):
        sending.collect(tmp_path / "late")
    with pytest.raises(StateError):
        sending.dispatch()
    assert events(sending.house, Action.RETURNED) == []


def test_a_commission_from_drafting_to_closing(sending: Sending, tmp_path: Path) -> None:
    """AP-07 to AP-09: out and back, the opinion an exhibit of its own with its copies counted."""
    desk, number = sending.desk, sending.number
    sending.draft()
    sent = sending.dispatch()
    package = Path(sent["package"])
    assert hashlib.sha256(package.read_bytes()).hexdigest() == sent["package_digest"]
    letter = "".join(page.extract_text() for page in PdfReader(sent["letter"]).pages)
    assert sent["package_digest"] in letter.replace("\n", "")
    assert "■" in letter
    assert not re.search(r"\\[uU][0-9a-f]{4}", letter), "a character that no typeface has"
    assert run(("sha256sum", "--quiet", "-c", "sha256sums.txt"), package.parent).returncode == 0

    with pytest.raises(IntegrityError):
        sending.accept("0" * 64)
    sending.accept(sent["package_digest"])
    desk.step(
        number, acts.request_supplement("请补充邮件", for_agency(desk, number, ""), moment(""))
    )
    receiving_supplement(desk, number, ["E0003"], "", "", "")
    desk.step(number, acts.start(for_agency(desk, number, ""), moment(""), ["陈工", "何工"]))

    outcome = sending.collect(
        tmp_path / "opinion",
        package_digest_stated=sent["package_digest"],
    )
    failed = [each["code"] for each in outcome["findings"] if each["state"] == "failed"]
    assert failed == ["materials"], "the supplement is not among the materials listed"
    with sending.house.read() as session:
        opinion = queries.find_exhibit(session, f"{CASE_NO}/E0004")
    assert outcome["exhibits"] == [opinion["exhibit_id"]]
    assert opinion["kind"] == "appraisal_opinion"
    desk.step(number, acts.check(person(""), moment(""), note="看过原件"))
    with pytest.raises(StateError):
        sending.close()
    sending.close("the agency sent a corrected list by letter")
    closed = desk.commission(number)
    assert closed.state is State.CLOSED
    assert closed.opinion is not None
    assert (closed.opinion.opinion.copies, closed.opinion.checked_by) == (3, person("").name)
    # A supplement that was handed over beside the software is released and received by itself.
    for action, count in (
        (Action.PACKAGED, 1),
        (Action.RELEASED, 2),
        (Action.ACKNOWLEDGED, 2),
        (Action.RETURNED, 1),
    ):
        assert len(events(sending.house, action)) == count, action
    assert verify_case(sending.house.settings, CASE_NO).ok


def test_an_opinion_about_another_package_is_taken_and_the_check_is_named(
    sending: Sending, tmp_path: Path
) -> None:
    sending.draft()
    sending.accept(sending.dispatch()["package_digest"])
    outcome = sending.collect(tmp_path / "opinion", package_digest_stated=f"sha256:{'0' * 64}")
    assert not outcome["ok"]
    (failed,) = [each for each in outcome["findings"] if each["state"] == "failed"]
    assert failed["code"] == "package_digest"
    assert "不一致" in failed["text_zh"]
    (returned,) = events(sending.house, Action.RETURNED)
    assert list(returned.exhibits) == outcome["exhibits"]
    assert sending.desk.commission(sending.number).state is State.OPINION_RETURNED


def test_a_package_is_checked_with_general_tools_and_the_recipe_of_the_readme(
    sending: Sending, tmp_path: Path
) -> None:
    sending.draft()
    bag = unpacked(Path(sending.dispatch()["package"]), tmp_path / "unpacked")
    cited = {each["exhibit"]: each for each in json.loads((bag / "readings.json").read_text())}
    assert sorted(cited) == ["E0001", "E0002"]
    for number, each in cited.items():
        newest = readings(sending.house, f"{case_id(CASE_NO)}/{number}")[-1]
        assert (each["log_index"], each["state"]) == (newest.index, newest.state)
        assert each["transcript"]["digests"]["sha256"] == newest.sha256
        assert each["evidence"] is False
    (bag / "check.py").write_text(recipe(READMES[0]))
    shown = (ROOT / READMES[0]).read_text("utf-8")
    (line,) = [each for each in shown.splitlines() if each.startswith("python3 check.py")]
    line = line.replace("E0003.jpg", "E0001.txt").replace("E0003", "E0001")
    prove = (sys.executable, "-I", *line.split()[1:])
    for command in TOOLS:
        assert run(command, bag).returncode == 0, command
    answer = run(prove, bag)
    assert answer.returncode == 0, answer.stderr
    assert "in the log, entry" in answer.stdout

    copy = bag / "data" / "E0001.txt"
    data = bytearray(copy.read_bytes())
    data[0] ^= 1
    copy.write_bytes(data)
    for command in (*TOOLS, prove):
        assert run(command, bag).returncode != 0, command
