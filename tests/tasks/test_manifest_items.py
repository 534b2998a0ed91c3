"""What each kind and form asks for (RULES IN-03 to IN-07) and supplied digests (FP-02, FP-03)."""

import hashlib

import pytest

from storage.nouns import FORM_NAMES, KIND_NAMES, EvidenceForm, EvidenceKind
from tests.tasks.manifest_made import (
    HEADER,
    MAIL,
    OF_COPY,
    PAPER,
    accepted,
    codes,
    judge,
    listed,
    without,
)

FILE = listed(PAPER["path"])
PRINT = FILE.fingerprint
MD5 = hashlib.md5(PAPER["path"].encode()).hexdigest()


def one(**changes):
    (item,) = accepted([PAPER | changes]).items
    return item


@pytest.mark.parametrize("kind", EvidenceKind)
def test_each_kind_in_both_languages(kind):
    """IN-03."""
    more = {"category": "文档", "no_digest_reason": "无"}
    for written in (kind.value, KIND_NAMES[kind], kind.value.upper().replace("_", " ")):
        assert one(kind=written, **more).kind is kind


@pytest.mark.parametrize("form", EvidenceForm)
def test_each_form_in_both_languages(form):
    """IN-05."""
    more = without(OF_COPY, "form")
    for written in (form.value, FORM_NAMES[form]):
        assert one(form=written, **more).form is form


@pytest.mark.parametrize("word", ["书正", "证物", "electronic", "unknown", "一种证据"])
def test_an_unknown_kind_is_refused(word):
    """IN-03."""
    if word == "electronic":
        assert one(kind=word, category="x", no_digest_reason="x").kind == "electronic_data"
    else:
        assert codes([PAPER | {"kind": word}]) == [("unknown_kind", "line 101")]


def test_a_kind_nearly_right_is_hinted_at():
    (mistake,) = judge([PAPER | {"kind": "电子数剧"}])
    assert "电子数据 electronic_data" in mistake.remedy_zh
    assert "electronic_data" in mistake.remedy_en


@pytest.mark.parametrize("key", without(OF_COPY, "form"))
@pytest.mark.parametrize("form", ["copy", "extract", "photo_video_of_object"])
def test_what_is_no_original_says_how_it_was_checked(key, form):
    """IN-05."""
    assert codes([PAPER | without(OF_COPY, key) | {"form": form}]) == [("missing", "line 100")]


def test_a_scan_keeps_its_kind_whatever_its_type():
    """IN-04."""
    item = one(kind="证人证言", is_digitised="是")
    assert item.kind is EvidenceKind.WITNESS_TESTIMONY
    assert item.extra["is_digitised"] == "yes"
    assert codes([PAPER | {"is_digitised": "也许"}]) == [("unknown_is_digitised", "line 108")]


@pytest.mark.parametrize("kind", ["audiovisual", "electronic_data"])
@pytest.mark.parametrize("key", ["fact_to_prove", "made_by"])
def test_copies_of_recordings_and_data_say_what_they_prove_and_who_made_them(kind, key):
    """IN-06."""
    full = MAIL | OF_COPY | {"kind": kind, "fact_to_prove": "报价", "made_by": "李娜"}
    assert accepted([full])
    assert codes([without(full, key)]) == [("missing", "line 100")]


def test_electronic_data_has_category_and_digest_or_reason():
    """IN-07."""
    assert codes([without(MAIL, "category")]) == [("missing", "line 100")]
    assert codes([without(MAIL, "no_digest_reason")]) == [("missing", "line 100")]
    no_ending = MAIL | {"path": "导出"}
    assert codes([no_ending]) == [("missing", "line 100")]
    (item,) = accepted([no_ending | {"file_format": "EML"}]).items
    assert item.extra["file_format"] == "EML"


@pytest.mark.parametrize(
    "written",
    [
        f"sha256:{PRINT.sha256}",
        PRINT.sha256.upper(),
        f"SHA-256：{PRINT.sha256}",
        f"sm3: {PRINT.sm3}",
        f"blake3={PRINT.blake3}",
        f"sha256:{PRINT.sha256}；sm3:{PRINT.sm3}\nblake3:{PRINT.blake3}",
    ],
)
def test_a_supplied_digest_is_compared_in_any_usual_spelling(written):
    algorithm, value = one(digest=written).digest.split(":")
    assert PRINT.digests[algorithm] == value


def test_a_digest_that_differs_is_told_with_both_values():
    """FP-02."""
    (mistake,) = judge([PAPER | {"digest": f"sm3:{PRINT.sha256}"}])
    assert (mistake.code, mistake.where) == ("digest_differs", "line 108")
    for text in (mistake.text_zh, mistake.text_en):
        assert PRINT.sha256 in text
        assert PRINT.sm3 in text


def test_every_one_of_several_digests_is_compared():
    both = f"sha256:{PRINT.sha256};sm3:{'0' * 64}"
    assert codes([PAPER | {"digest": both}]) == [("digest_differs", "line 108")]


@pytest.mark.parametrize(
    "written", ["crc32:12345678", "sha256:12", "x", "sha256:", f"{'0' * 64} 0"]
)
def test_a_digest_that_is_none_is_refused(written):
    assert codes([PAPER | {"digest": written}]) == [("bad_value", "line 108")]


def test_a_weak_digest_is_never_the_only_value():
    """FP-03."""
    weak = PAPER | {"digest": f"md5:{MD5}"}
    assert codes([weak]) == [("weak_digest_only", "line 108")]
    item = one(digest=f"md5:{MD5}", no_digest_reason="笔录只记录了 MD5")
    assert (item.digest, item.extra["digest_md5"]) == ("", f"{MD5} not_compared")
    item = one(digest=f"md5:{MD5} sha256:{PRINT.sha256}")
    assert item.digest == f"sha256:{PRINT.sha256}"


def test_a_weak_digest_is_compared_where_it_can_be_computed():
    def compute(path, algorithm):
        return hashlib.new(algorithm, path.encode()).hexdigest()

    strong = f"sha256:{PRINT.sha256}"
    (item,) = accepted([PAPER | {"digest": f"{strong} md5:{MD5}"}], other_digest=compute).items
    assert item.extra["digest_md5"] == f"{MD5} compared"
    wrong = PAPER | {"digest": f"{strong} md5:{'0' * 32}"}
    assert codes([wrong], other_digest=compute) == [("digest_differs", "line 108")]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2026-11-18 14:20", "2026-11-18T14:20:00+08:00"),
        ("2026/11/8 9:05", "2026-11-08T09:05:00+08:00"),
        ("2026.11.18 14:20:31", "2026-11-18T14:20:31+08:00"),
        ("２０２６年11月18日 14时", "2026-11-18T14:00:00+08:00"),
        ("2026年11月18日14点20分31秒", "2026-11-18T14:20:31+08:00"),
        ("2026-11-18T14:20:00.5Z", "2026-11-18T14:20:00+00:00"),
        ("2026-11-18 14:20 UTC+08:00", "2026-11-18T14:20:00+08:00"),
        ("2026-11-18 14:20:00-0500", "2026-11-18T14:20:00-05:00"),
    ],
)
def test_times_in_any_usual_spelling(written, stored):
    assert one(obtained_at=written).obtained_at == stored


def test_a_day_without_a_time_is_marked():
    item = one(obtained_at="2026-11-18")
    assert item.obtained_at == "2026-11-18T00:00:00+08:00"
    assert item.extra["obtained_at_precision"] == "day"


@pytest.mark.parametrize("written", ["2026-02-30", "2026-13-01", "18.11.2026", "46346.5", "25:00"])
def test_what_is_no_time_is_refused(written):
    assert codes([PAPER | {"obtained_at": written}]) == [("bad_value", "line 105")]


def test_nothing_is_obtained_after_it_was_submitted():
    late = PAPER | {"obtained_at": "2026-11-20 02:00Z"}
    assert codes([late]) == [("obtained_late", "line 105")]
    assert accepted([late], header=HEADER | {"submitted_at": "2026-11-20 10:00"})


def test_counts_are_whole_numbers():
    assert one(pages="12", copies="3.0").extra["copies"] == "3"
    for written in ("0", "-1", "一", "1.5", "9" * 5000):
        assert codes([PAPER | {"pages": written}])[-1] == ("bad_value", "line 108")
