"""The answer file: what people fill in is read, whatever their editor; each mistake is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal.answer_file import (
    ANSWER_NAMES,
    HEADER,
    MAX_BYTES,
    AgencyAnswer,
    Answer,
    answer_form,
    read_answer,
)
from storage.errors import InputError

NUMBER, AGENCY, DIGEST = "沪市监鉴委〔2026〕7号", "申江知识产权司法鉴定中心", "ab" * 32
WORDS = {"package": DIGEST, "answer": "受理", "name": "周静", "date": "2026-01-30"}


def filled(form: bytes | None = None, **values: str) -> str:
    """Fill a form in as a person does: after the colons."""
    text = (form or answer_form(NUMBER, AGENCY)).decode("utf-8-sig")
    for key, value in {**WORDS, **values}.items():
        text = text.replace(f" {key}: ", f" {key}: {value}")
    return text


def problems(untrusted: bytes) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_answer(untrusted)
    assert caught.value.remedy
    return list(caught.value.facts.get("problems", [caught.value.message]))


def test_ap_07_a_filled_in_form_is_read_back() -> None:
    assert read_answer(filled().encode()) == AgencyAnswer(
        NUMBER, 0, AGENCY, DIGEST, Answer.ACCEPT, "", "周静", "2026-01-30"
    )
    declined = read_answer(filled(answer="不予受理", reason="超出业务范围").encode())
    assert (declined.answer, declined.reason) == (Answer.DECLINE, "超出业务范围")
    second = read_answer(filled(answer_form(f"{NUMBER}/S2", AGENCY), answer="签收").encode())
    assert (second.commission_no, second.supplement) == (NUMBER, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_editor_of_an_office_is_read(encoding: str, ending: str) -> None:
    text = filled().replace("\r\n", ending).replace(" package: ", " package： ")
    assert read_answer(text.encode(encoding)).package_digest == DIGEST


@pytest.mark.parametrize(
    ("said", "read"),
    [
        *((zh, each) for each, zh in ANSWER_NAMES.items()),
        *((each.value, each) for each in Answer),
        ("受理 accept", Answer.ACCEPT),
        ("Accept.", Answer.ACCEPT),
        ("签收。", Answer.RECEIVED),
    ],
)
def test_the_answer_is_said_in_either_language(said: str, read: Answer) -> None:
    reason = "超出业务范围" if read is Answer.DECLINE else ""
    assert read_answer(filled(answer=said, reason=reason).encode()).answer is read


def test_digests_and_dates_are_read_as_people_write_them() -> None:
    spaced = " ".join(DIGEST[at : at + 8] for at in range(0, 64, 8)).upper()
    found = read_answer(filled(package=spaced, date="2026年1月30日").encode())
    assert (found.package_digest, found.date) == (DIGEST, "2026-01-30")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"package": "abc"}, "package"),
        ({"package": ""}, "package"),
        ({"package": DIGEST[:-1] + "g"}, "package"),
        ({"answer": "也许"}, "answer"),
        ({"answer": "受理 不予受理"}, "answer"),
        ({"answer": "不予受理"}, "reason"),
        ({"reason": "随便"}, "reason"),
        ({"name": ""}, "name"),
        ({"name": "周" * 81}, "name"),
        ({"name": "周\033[31m静"}, "name"),
        ({"answer": "不予受理", "reason": "超" * 2001}, "reason"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "昨天"}, "date"),
    ],
)
def test_a_mistake_is_named_with_its_line(change: dict[str, str], named: str) -> None:
    (problem,) = problems(filled(**change).encode())
    assert f"({named})" in problem
    assert "第" in problem


def test_every_mistake_is_named_at_once() -> None:
    text = filled(package="abc", answer="x", name="", date="y").replace("agency:", "agent:")
    found = problems((text + "\n又一行\n日期 date: 2026-01-30\n").encode())
    assert len(found) == 8, found
    assert any("agency is missing" in each for each in found)


def test_what_is_no_answer_is_refused() -> None:
    assert "65536" in problems(b"x" * (MAX_BYTES + 1))[0]
    assert problems(b"\xff\xfe\x00\xd8\xff")
    assert problems(b"\x89PNG\r\n\x1a\n\0\xff\xfe\xfd")
    assert any(HEADER in each for each in problems(b""))
    assert any("line 1" in each for each in problems(filled().encode().replace(b"/1", b"/2", 1)))


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda t: f"{HEADER}\n{t}".encode("utf-8", "replace"))
)
def test_nothing_but_an_input_error_comes_of_any_bytes(untrusted: bytes) -> None:
    with pytest.raises(InputError):
        read_answer(untrusted)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_adds_a_line_to_the_form(number: str, agency: str) -> None:
    lines = answer_form(number, agency).decode("utf-8-sig").split("\r\n")
    assert len(lines) == 14
