"""What goes out: returned with its findings, resumed after a cut, refused with its reason."""

from pathlib import Path

from portal.agency_client.outbox import REFUSED
from storage.event import Action
from tests.house import events
from tests.portal.agency_client.folder import client, long_pdf, put_opinion, sent_back
from tests.portal.serving import Faults
from tests.portal.web.api.world import PDF, World


def test_ap_08_opinions_put_out_are_returned_with_their_findings(
    world: World, url: str, folder: Path
) -> None:
    """AP-08: moved to what was sent, the findings beside; the outbox is empty again."""
    sent = world.send().accepted()
    client(url, folder).once()
    here = put_opinion(folder, sent)
    client(url, folder).once()
    found = sent_back(folder, sent)
    assert {"package_digest", "seal"} <= {each["code"] for each in found["findings"]}
    assert not here.exists()
    assert world.steps(sent.number, "return_opinion") == 1
    client(url, folder).once()
    assert world.steps(sent.number, "return_opinion") == 1


def test_cut_connections_are_resumed_from_where_they_were(
    world: World, url: str, folder: Path, faults: Faults
) -> None:
    """AP-07, AP-08: a cut download and a cut upload go on; the events are one of each."""
    sent = world.send()
    faults.path, faults.cut = f"{sent.id}/files/package", 3000
    client(url, folder).once()
    assert world.desk.commission(sent.number).state.value == "received"
    gets = [each for each in faults.seen if each.endswith(f"{sent.id}/files/package")]
    assert len(gets) == 2
    begun = [
        each.details["first"]
        for each in events(world.house, Action.DOWNLOADED)
        if each.details["commission_no"] == sent.number
        and each.details["file"] == "package"
        and each.details["phase"] == "begun"
    ]
    assert begun == [0]
    sent.accepted()
    pdf = long_pdf(3_000_000)
    put_opinion(folder, sent, pdf)
    faults.path, faults.cut = "/uploads/", 1_500_000
    client(url, folder).once()
    patches = [each for each in faults.seen if each.startswith("PATCH")]
    assert len(patches) == 2
    assert world.steps(sent.number, "return_opinion") == 1


def test_what_is_refused_stays_with_its_reason(world: World, url: str, folder: Path) -> None:
    """AP-08: no PDF, malformed particulars, two documents, not accepted yet: each with why."""
    sent = world.send().accepted()
    waiting = world.send()
    client(url, folder).once()
    here = put_opinion(folder, sent, b"PK\x03\x04 no pdf")
    early = put_opinion(folder, waiting)
    worker = client(url, folder)
    worker.once()
    assert worker.refused == 2
    reason = (here / REFUSED).read_text()
    assert "PDF" in reason
    assert "wrong_type" in reason
    assert "不等待意见书" in (early / REFUSED).read_text()
    (here / "second.pdf").write_bytes(PDF)
    client(url, folder).once()
    assert "多份PDF" in (here / REFUSED).read_text()
    (here / "second.pdf").unlink()
    put_opinion(folder, sent, copies=500)
    client(url, folder).once()
    assert "copies" in (here / REFUSED).read_text()
    put_opinion(folder, sent)
    waiting.accepted()
    client(url, folder).once()
    assert sent_back(folder, sent)
    assert sent_back(folder, waiting)
    assert world.steps(sent.number, "return_opinion") == 1


def test_folders_that_are_no_commissions_are_left_alone(
    world: World, url: str, folder: Path
) -> None:
    """AP-08: whatever people keep in the outbox."""
    strange = folder / "outbox" / "新建文件夹"
    strange.mkdir(parents=True)
    (strange / "a.pdf").write_bytes(PDF)
    (strange / "a.json").write_text("{}")
    worker = client(url, folder)
    worker.once()
    assert worker.refused == 0
    assert len(list(strange.iterdir())) == 2
