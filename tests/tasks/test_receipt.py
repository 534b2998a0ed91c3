"""The receipt: complete, the same bytes for the same facts, readable on paper."""

import hashlib
import io
import json

import pypdfium2
import pytest

from storage.errors import InputError
from storage.listing import bundle_digest
from storage.nouns import Person, case_id
from storage.spelling import unspell
from tasks import receipt_paper as module
from tasks.receipt import (
    ReceiptLine,
    build_receipt,
    head_of,
    items_of,
    receipt_bytes,
)
from tasks.receipt_paper import render_receipt_pdf
from tests.tasks.manifest_made import HEADER, MAIL, OF_COPY, PAPER, accepted, listed

ROOT = "qINS1GRFHWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs="
CHECKPOINT = f"zhenglian.local/custody\n27\n{ROOT}\n\n— zhenglian.local/custody kFCCxBzW7GR3Jv==\n"


def made(items=(PAPER | {"pages": "12", "copies": "2"}, MAIL), files=None, **changes):
    manifest = accepted(list(items), files=files)
    files = [listed(unspell(item.path)) for item in manifest.items]
    lines = [
        ReceiptLine(6 + item.seq, item, file.fingerprint, 10 + item.seq)
        for item, file in zip(manifest.items, files, strict=True)
    ]
    facts = {
        "accession": "A2026-000001",
        "manifest": manifest,
        "lines": lines,
        "bundle_digest": bundle_digest(files),
        "received_at": "2026-11-20T09:31:05+08:00",
        "issued_at": "2026-11-20T09:31:07+08:00",
        "receiver": Person("值班接收员", "INTAKE", "证据保管中心", "", "021-00000000"),
        "event_index": 10,
        "checkpoint": CHECKPOINT,
    }
    return build_receipt(**(facts | changes))


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def test_the_receipt_holds_every_item_with_every_digest():
    """IN-10, FP-04."""
    receipt = made()
    assert receipt["schema"] == "zhenglian.receipt/1"
    assert receipt["case"]["id"] == case_id(HEADER["case_no"])
    assert [item["exhibit"] for item in receipt["items"]] == ["E0007", "E0008"]
    first = receipt["items"][0]
    print_ = listed(PAPER["path"]).fingerprint
    assert first["digests"] == print_.digests
    assert (first["size"], first["kind_zh"], first["form_zh"]) == (print_.size, "书证", "原件")
    assert (first["pages"], first["copies"], first["event_index"]) == (12, 2, 11)
    assert receipt["counts"]["items"] == 2
    assert receipt["counts"]["pages"] == 12
    assert receipt["counts"]["pages_known_for"] == 1
    assert receipt["log"] == {
        "origin": "zhenglian.local/custody",
        "size": 27,
        "root": ROOT,
        "event_index": 10,
        "checkpoint": CHECKPOINT,
    }


def test_supplied_digests_say_whether_they_were_compared():
    print_ = listed(PAPER["path"]).fingerprint
    digests = f"sha256:{print_.sha256} sm3:{print_.sm3} md5:{'0' * 32}"
    (item,) = made([PAPER | {"digest": digests}])["items"]
    assert [(each["algorithm"], each["matched"]) for each in item["supplied"]] == [
        ("sha256", True),
        ("sm3", True),
        ("md5", None),
    ]


@pytest.mark.parametrize("checkpoint", ["", "origin\n", "origin\nx\nroot\n\n", "origin\n²\nr\n\n"])
def test_a_receipt_needs_a_checkpoint(checkpoint):
    with pytest.raises(InputError):
        made(checkpoint=checkpoint)


def test_the_checkpoint_must_cover_the_events():
    with pytest.raises(InputError, match="does not cover"):
        made(checkpoint=CHECKPOINT.replace("27", "12"))


def test_equal_facts_give_equal_bytes():
    assert receipt_bytes(made()) == receipt_bytes(made())
    assert render_receipt_pdf(receipt_bytes(made())) == render_receipt_pdf(receipt_bytes(made()))
    assert render_receipt_pdf(receipt_bytes(made())) != render_receipt_pdf(
        receipt_bytes(made(accession="A2026-000002"))
    )


def test_the_paper_made_from_the_file_is_the_same():
    data = receipt_bytes(made())
    assert receipt_bytes(json.loads(data)) == data
    assert render_receipt_pdf(data) == render_receipt_pdf(receipt_bytes(made()))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_receipt_is_read_item_by_item(count):
    receipt = made()
    whole = {**receipt, "items": list(receipt["items"])[:count]}
    data = receipt_bytes(whole)
    assert json.loads(data) == whole
    plain = json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True)
    assert data == f"{plain}\n".encode()
    assert head_of(io.BytesIO(data)) == {**whole, "items": []}
    assert list(items_of(io.BytesIO(data))) == whole["items"]


def test_the_paper_says_what_the_receipt_says():
    """IN-10."""
    receipt = made([PAPER | OF_COPY | {"name": "\u202e\x07怪名".replace("\x07", "")}, MAIL])
    text = text_of(render_receipt_pdf(receipt_bytes(receipt))).replace("\r\n", "").replace("\n", "")
    for item in receipt["items"]:
        assert item["exhibit"] in text
        for value in item["digests"].values():
            assert value in text
    assert receipt["bundle_digest"]["value"] in text
    assert hashlib.sha256(receipt_bytes(receipt)).hexdigest() in text
    assert "证据接收凭证" in text
    assert HEADER["case_no"] in text
    assert "\\u202e怪名" in text
    assert "\u202e" not in text


def test_a_very_long_list_stands_in_the_file_and_its_digest_on_paper(monkeypatch):
    monkeypatch.setattr(module, "PRINTED_ITEMS", 1)
    receipt = made()
    text = text_of(render_receipt_pdf(receipt_bytes(receipt)))
    assert "receipt.json" in text
    assert "E0007" not in text
    assert hashlib.sha256(receipt_bytes(receipt)).hexdigest()[:32] in text
