"""Signatures of PDF documents: really signed, then changed, expired, foreign, weak, hostile."""

import contextlib
import dataclasses
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.sign.signers import PdfSignatureMetadata, sign_pdf
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from deploy.sample.signing import Authority, sign, subject
from tasks.reader.cell import CellPool
from tasks.reader.job import Refused
from tasks.reader.pdf_signed import Asked, asking, examine, has_signature
from tasks.reader.pdf_signed_answer import LONGEST, SignatureFact, Signed
from tasks.reader.pdf_signed_validate import told_time, validate
from tasks.reader.process import CellFailure
from tasks.reader.source import Source
from tasks.reader.strict import as_json, parse
from tests.tasks.reader import signed_made as made

SIGNERS = made.Signers()
TRUSTED = (SIGNERS.authority.der,)
WHOLE = SIGNERS.all(made.drawn())
ONE = sign(made.drawn(), "chen", SIGNERS.chen)


def seen(data: bytes, anchors: tuple[bytes, ...] = TRUSTED, at: str = "") -> Signed:
    return validate(Source(data), Asked(at or made.NOW.isoformat(), anchors))


def only(data: bytes, anchors: tuple[bytes, ...] = TRUSTED, at: str = "") -> SignatureFact:
    (found,) = seen(data, anchors, at).signatures
    return found


def test_ap_08_two_appraisers_and_a_seal_are_verified_in_the_cell(
    pool: CellPool, tmp_path: Path
) -> None:
    """AP-08: who, when, intact, what came after it, and who vouches, for each signature."""
    path = tmp_path / "opinion.pdf"
    path.write_bytes(WHOLE)
    asked = asking(made.NOW.isoformat(), TRUSTED)
    found = pool.ask(Signed, path, "signatures", wanted=asked)
    assert found.strict
    assert not found.more
    assert [each.common_names for each in found.signatures] == [
        ("陈工",),
        ("何工@310012002",),
        (f"{made.AGENCY}(鉴定专用章)",),
    ]
    for each in found.signatures:
        assert (each.state, each.trust, each.weak) == ("intact", "vouched", False)
        assert each.signed_at >= (made.NOW - timedelta(minutes=5)).isoformat()[:16]
        assert (each.algorithm, each.digest, each.bits) == ("sha256_ecdsa", "sha256", 256)
        assert "示例电子认证机构" in each.issuer
    assert [each.coverage for each in found.signatures] == ["revision", "revision", "whole"]
    assert [each.changes for each in found.signatures] == ["signatures", "signatures", "none"]
    assert found.signatures[0].identifiers == ("310012001",)


def test_without_authorities_nobody_is_vouched_for() -> None:
    assert (only(ONE, ()).state, only(ONE, ()).trust) == ("intact", "no_anchor")
    assert only(ONE, (Authority("另一机构 another").der,)).trust == "unknown_issuer"


def test_a_certificate_in_an_appraisers_name_by_somebody_else_is_not_vouched_for() -> None:
    """AP-08: the name proves nothing; an authority of the same name has another key."""
    forged = Authority().issue(subject(made.CHEN, made.AGENCY, "310012001"))
    found = only(sign(made.drawn(), "chen", forged))
    assert (found.state, found.common_names) == ("intact", ("陈工",))
    assert found.trust != "vouched"


def test_validity_is_that_of_the_day_of_arrival() -> None:
    data = sign(made.drawn(), "chen", made.expired(SIGNERS.authority))
    assert only(data).trust == "expired"
    before = (made.NOW - timedelta(days=10)).isoformat()
    assert only(data, at=before).trust == "vouched"
    assert only(data, at=(made.NOW - timedelta(days=60)).isoformat()).trust == "not_yet"


def test_a_timestamp_of_a_trusted_authority_carries_a_signature_past_its_certificate() -> None:
    signer = SIGNERS.authority.issue(
        subject(made.CHEN), begins=made.NOW - timedelta(days=30), ends=made.NOW + timedelta(days=5)
    )
    for stamping, stamp, trust in (
        (SIGNERS.authority, "vouched", "vouched"),
        (Authority(), "unvouched", "expired"),
    ):
        key = rsa.generate_private_key(65537, 2048)
        stamper = stamping.issue(subject("时间戳"), key=key, stamping=True)
        tsa = DummyTimeStamper(
            stamper.signing_cert, stamper.signing_key, [x509.Certificate.load(stamping.der)]
        )
        metadata = PdfSignatureMetadata(field_name="chen", md_algorithm="sha256")
        writer = made.IncrementalPdfFileWriter(made.io.BytesIO(made.drawn()))
        data = sign_pdf(writer, metadata, signer=signer, timestamper=tsa).getvalue()
        found = only(data, at=(made.NOW + timedelta(days=20)).isoformat())
        assert (found.state, found.stamp, found.trust) == ("intact", stamp, trust)
        assert found.stamped_at


@pytest.mark.parametrize(
    ("revoked", "by", "hours", "trust", "unrevoked"),
    [
        (False, SIGNERS.authority, 1, "vouched", True),
        (True, SIGNERS.authority, 1, "revoked", False),
        (True, Authority(), 1, "vouched", False),  # Another's word, in the same name.
        (False, SIGNERS.authority, 24 * 30, "vouched", False),  # It is not of these days.
    ],
)
def test_what_the_document_holds_of_revocation_counts(
    revoked: bool, by: Authority, hours: int, trust: str, unrevoked: bool
) -> None:
    """AP-08: nobody is asked, but an authority's own list in the document is believed."""
    found = only(made.with_list(ONE, by, SIGNERS.chen if revoked else SIGNERS.he, hours))
    assert (found.state, found.trust, found.unrevoked) == ("intact", trust, unrevoked)
    assert found.changes == "archival"


def test_garbage_in_the_place_of_lists_is_as_if_there_were_none() -> None:
    listed = made.with_list(ONE, SIGNERS.authority, SIGNERS.chen, 1)
    at = listed.rindex(b"stream\n", 0, listed.rindex(b"endstream")) + 7
    found = only(listed[:at] + b"\xff" * 9 + listed[at + 9 :])
    assert (found.state, found.trust, found.unrevoked) == ("intact", "vouched", False)


def test_whether_a_signature_is_drawn_is_told() -> None:
    """What is drawn can cover words; only a place without area draws nothing."""
    assert [each.shown for each in seen(WHOLE).signatures] == [False, False, True]


def test_weak_algorithms_are_named() -> None:
    old = sign(made.drawn(), "chen", SIGNERS.chen, digest="sha1")
    assert (only(old).state, only(old).weak, only(old).digest) == ("intact", True, "sha1")
    short = SIGNERS.authority.issue(subject(made.CHEN), key=rsa.generate_private_key(65537, 1024))
    found = only(sign(made.drawn(), "chen", short))
    assert (found.weak, found.bits) == (True, 1024)


def test_what_came_after_a_signature_is_told_apart() -> None:
    noted = only(made.annotated(ONE))
    assert (noted.state, noted.coverage, noted.changes) == ("intact", "revision", "annotations")
    painted = only(made.repainted(ONE))
    assert (painted.state, painted.coverage, painted.changes) == ("intact", "revision", "other")
    assert only(ONE + b"\n% more\n").changes == "other"
    end = ONE[ONE.rindex(b"startxref") :]
    assert only(ONE + b" " * 70_000 + b"\n% far behind\n" + end).changes == "other"
    assert only(ONE + b"\n").changes == "none"


def test_a_note_on_a_page_that_changed_otherwise_too_is_no_note() -> None:
    assert only(made.annotated(made.repainted(ONE))).changes == "other"
    assert only(made.repainted(made.annotated(ONE))).changes == "other"


def _signed_range() -> list[int]:
    numbers = re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)", ONE)
    assert numbers
    return [int(each) for each in numbers.groups()]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_flipped_byte_of_what_was_signed_is_intact(data: st.DataObject) -> None:
    """AP-08: an altered opinion is never told as the one that was signed."""
    _, first, second, last = _signed_range()
    at = data.draw(st.integers(0, first - 1) | st.integers(second, second + last - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(ONE)
    changed[at] ^= 1 << bit
    for each in seen(bytes(changed)).signatures:
        # A flip in the numbers of the range itself may leave other bytes to be signed.
        assert each.state != "intact" or each.coverage == "part"
        assert not (each.state == "intact" and each.changes != "other")


def test_a_range_that_leaves_bytes_out_is_no_whole() -> None:
    start, first, second, last = _signed_range()
    moved = ONE.replace(b"[%d %d %d %d" % (start, first, second, last), b"[0 1 2 3", 1)
    for each in seen(moved).signatures:
        assert (each.coverage, each.changes) == ("part", "other")


def test_sm2_is_told_and_never_valid(tmp_path: Path) -> None:
    """AP-08: a signature that cannot be verified here is reported as such."""
    found = only(made.replaced(ONE, made.sm2_signature(tmp_path)))
    assert (found.state, found.trust) == ("unsupported", "")
    assert found.common_names == ("陈工",)
    assert "SM2" in found.detail
    seal = made.replaced(ONE, bytes.fromhex("300a06082a811ccf55018375"))
    assert only(seal).state == "unsupported"


def test_garbage_in_the_place_of_a_signature_is_unreadable() -> None:
    found = only(made.replaced(ONE, b"\x30\x03\x02\x01\x01"))
    assert (found.state, found.trust) == ("unreadable", "")


@pytest.mark.parametrize("name", made.HOSTILE)
def test_hostile_dictionaries_are_answered_and_never_intact(
    pool: CellPool, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "opinion.pdf"
    path.write_bytes(made.HOSTILE[name])
    asked, found = asking(made.NOW.isoformat(), TRUSTED), Signed()
    with contextlib.suppress(CellFailure):
        found = pool.ask(Signed, path, "signatures", wanted=asked)
    assert all(each.state != "intact" for each in found.signatures)
    assert (found.signatures == (), found.more) == (True, True) or name != "many_fields"


def test_the_library_is_loaded_for_signed_documents_alone(tmp_path: Path) -> None:
    (tmp_path / "plain.pdf").write_bytes(made.drawn())
    program = (
        "import sys; from tasks.reader import jobs; jobs.preload()\n"
        "from tasks.reader.source import Source; from tasks.reader.pdf_signed import examine\n"
        f"print(examine(Source(open({str(tmp_path / 'plain.pdf')!r}, 'rb').read()), '{{}}'))\n"
        "print('pyhanko' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines() == [str(Signed()), "False"], done.stderr


@pytest.mark.parametrize(
    ("year", "told"), [(1, "1900-01-01"), (9999, "2200-01-01"), (2026, "2026-05-05")]
)
def test_an_absurd_time_of_signing_is_told_as_the_nearest_possible(year: int, told: str) -> None:
    for zone in (UTC, None, timezone(timedelta(hours=-12))):
        moment = told_time(datetime(year, 12 if year == 9999 else 5, 5, 12, tzinfo=zone))
        assert moment[:10] == told
        assert replace(only(ONE), signed_at=moment).signed_at == moment


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(Refused, match="PDF"):
        examine(Source(b"PK\x03\x04 a text"), asking(made.NOW.isoformat(), ()))


@pytest.mark.parametrize(
    "name", [b"/ByteRange", b"/Byte#52ange", b"/#42yteRange", b"/#42yte#52ange"]
)
def test_a_range_is_found_however_its_name_is_written(name: bytes) -> None:
    far = b"%PDF-1.7" + b" " * ((1 << 20) - 12) + name + b"[0 1]"
    assert has_signature(Source(far))
    assert not has_signature(Source(far.replace(b"ange", b"anges")))


def test_an_answer_that_is_longer_than_the_cell_makes_it_is_refused() -> None:
    fact = only(ONE)
    signed = Signed((fact,))
    assert parse(Signed, as_json(signed)) == signed
    for lie in (
        {"subject": "x" * (LONGEST + 1)},
        {"common_names": ["a"] * 100},
        {"state": "valid"},
        {"bits": "many"},
        {"signed_at": "yesterday"},
        {"signed_at": "2026-03-17T10:00:00"},
        {"stamped_at": "9999-12-31T23:59:59+00:00"},
    ):
        with pytest.raises(ValueError, match=r".+"):
            parse(SignatureFact, as_json(fact) | lie)
    with pytest.raises(ValueError, match="more"):
        Signed((fact,) * 51)
    assert {each.name for each in dataclasses.fields(fact)} == set(as_json(fact))
