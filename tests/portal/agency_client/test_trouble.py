"""What may go wrong at an agency: half-copied files, full disks, tokens that may too little."""

import errno
import json
import os
from pathlib import Path

import pytest

from appraisal.accounts import Scope
from portal.agency_client import outbox
from portal.agency_client.inbox import Inbox
from portal.agency_client.main import run
from portal.agency_client.outbox import REFUSED
from portal.agency_client.service import UnreachableError
from portal.agency_client.state import StateFile
from storage.errors import CustodyError, HostError, InputError
from tests.portal.agency_client.folder import client, long_pdf, put_opinion, sent_back
from tests.portal.serving import Faults
from tests.portal.web.api.world import PDF, World
from tests.portal.web.signing import make_token


def test_ap_08_a_document_still_being_copied_over_the_one_on_its_way_waits(
    world: World, url: str, folder: Path, faults: Faults
) -> None:
    """AP-08: while its folder changes nothing of it is sent, though an upload of it is open."""
    sent = world.send().accepted()
    client(url, folder).once()
    here = put_opinion(folder, sent, long_pdf(3_000_000))
    faults.path, faults.cut = "/uploads/", 1_000_000
    worker = client(url, folder)
    with pytest.raises(UnreachableError):
        worker._outbox_round(look_twice=True)
    assert sent.id in worker._state.state.sending

    def copying(_: float) -> None:
        (here / "鉴定意见书.pdf").write_bytes(PDF[:300])

    worker._pause = copying
    put_opinion(folder, sent, PDF[:200])
    faults.seen.clear()
    worker._outbox_round(look_twice=True)
    assert not [each for each in faults.seen if not each.startswith("GET")]
    put_opinion(folder, sent)
    client(url, folder).once()
    assert sent_back(folder, sent)
    assert world.steps(sent.number, "return_opinion") == 1


def test_ap_08_a_pdf_without_its_end_is_not_sent(world: World, url: str, folder: Path) -> None:
    """AP-08: a copy that stands still half-way is no opinion; whole, it goes by itself."""
    sent = world.send().accepted()
    here = put_opinion(folder, sent, long_pdf(5000)[:-20])
    client(url, folder).once()
    assert "没有结尾标记" in (here / REFUSED).read_text()
    assert world.steps(sent.number, "return_opinion") == 0
    put_opinion(folder, sent)
    client(url, folder).once()
    assert sent_back(folder, sent)


def test_a_refused_document_is_not_read_again_until_it_changes(
    world: World, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document of gigabytes that waits for its commission costs nothing at each look."""
    sent, read = world.send(), list[Path]()
    put_opinion(folder, sent)
    worker = client(url, folder)
    worker.once()
    monkeypatch.setattr(outbox, "_whole", lambda file: bool(read.append(file)))  # type: ignore[func-returns-value]
    worker.once()
    worker.once()
    assert read == []


def test_what_a_token_may_not_fetch_comes_with_one_that_may(
    world: World, url: str, folder: Path
) -> None:
    """ST-06: a token without the scope of downloads is told of; nothing is given up."""
    sent, told = world.send(), list[str]()
    token = make_token(world.house, world.accounts["SJ"], Scope.READ)
    (folder.parent / "token").write_text(token)
    worker = client(url, folder, told)
    worker.once()
    assert worker.refused == 1
    assert any("权限" in each for each in told)
    (folder.parent / "token").write_text(world.tokens["SJ"])
    client(url, folder).once()
    assert world.desk.commission(sent.number).state.value == "received"


def test_more_changes_than_one_answer_holds_are_all_followed_at_once(
    world: World, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``--once`` does all that there is to do, however much came since."""
    client(url, folder).once()
    monkeypatch.setattr("portal.agency_client.running._PAGE", 1)
    several = [world.send() for _ in range(3)]
    client(url, folder).once()
    states = {world.desk.commission(each.number).state.value for each in several}
    assert states == {"received"}


def test_a_full_disk_is_told_and_the_download_goes_on_when_there_is_room(
    world: World, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AP-07: no traceback, no receipt; the client that runs on says it and tries again."""
    sent, told = world.send(), list[str]()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "package.part")

    worker = client(url, folder, told)
    with monkeypatch.context() as patch:
        patch.setattr("portal.agency_client.inbox._write", full)
        with pytest.raises(HostError, match="No space left"):
            worker.once()

        def pause(_: float) -> None:
            patch.undo()
            raise KeyboardInterrupt

        worker._pause = pause
        with pytest.raises(KeyboardInterrupt):
            worker.forever()
    assert any("No space left" in each for each in told)
    client(url, folder).once()
    assert world.desk.commission(sent.number).state.value == "received"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"folder": Path("/proc/agency")}, HostError),
        ({"ca": Path("/nothing/ca.pem")}, InputError),
        ({"ca": Path(__file__)}, InputError),
        ({"proxy": "nonsense"}, InputError),
        ({"url": "http://[half]"}, InputError),
        ({"url": "http://queue.example"}, InputError),
        ({"url": "https://queue.example:port"}, InputError),
        ({"token_file": Path("/nothing/token")}, HostError),
        ({"token_file": Path(__file__)}, CustodyError),
    ],
)
def test_what_cannot_be_used_is_told_in_words(
    url: str, folder: Path, options: dict[str, object], kind: type[CustodyError]
) -> None:
    """Each wrong argument is an error with a remedy, never a defect."""
    given = {"url": url, "token_file": folder.parent / "token", "folder": folder} | options
    given = {"ca": None, "proxy": "", "once": True, "settle": 0.0} | given
    with pytest.raises(kind) as raised:
        run(**given)  # type: ignore[arg-type]
    assert raised.value.remedy


def test_the_folder_for_the_answer_is_made_even_after_a_kill(
    world: World, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AP-08: killed between the package's appearing and that, people still find where it goes."""
    sent = world.send()
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "_remember", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            client(url, folder).once()
    assert (folder / "inbox" / sent.id).is_dir()
    client(url, folder).once()
    assert (folder / "outbox" / sent.id).is_dir()


@pytest.mark.parametrize(
    "part",
    [
        {"sending": {"0123456789abcdef": 5}},
        {"sending": {"../..": {"upload_id": "a", "content": "b"}}},
        {"refused": {"0123456789abcdef": {"at": None}}},
        {"waiting": ["../.."]},
        {"fetched": {"x": 1}},
        {"cursor": "1"},
    ],
)
def test_a_part_of_the_state_that_is_none_is_left_out(
    folder: Path, part: dict[str, object]
) -> None:
    """Whatever stands in the file, the client starts."""
    (folder / ".client").mkdir(parents=True)
    text = json.dumps({"schema": "zhenglian.agency-client/1", **part})
    (folder / ".client" / "state.json").write_text(text)
    plain = StateFile(folder / ".nothing").state
    assert StateFile(folder / ".client").state == plain
