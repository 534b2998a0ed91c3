"""The pages without a browser: words, lists, the opinion's form, and what no page may hold."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from appraisal.accounts import Role
from appraisal.opinion import Opinion
from appraisal.rules import Unit
from appraisal.states import ENDED_STATES, STANDING_NAMES, State
from portal.web import words
from portal.web.pages.acting import ACTS, DONE
from portal.web.pages.assets import address, assets
from portal.web.pages.lines import stops
from portal.web.pages.listing import Chosen
from portal.web.pages.particulars import particulars_of
from portal.web.pages.problems import status_of
from portal.web.pages.render import TEMPLATES, environment
from storage import errors
from tests.appraisal.made import accepted, dispatched, opinion_fields

STATIC = TEMPLATES.parent / "static"
SOURCES = [*TEMPLATES.glob("*.html"), *STATIC.glob("*.js"), *STATIC.glob("*.css")]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_every_date_says_its_weekday(day: date) -> None:
    """``2026-11-29 周日`` is a Sunday."""
    zh, en = words.said_day(day)
    assert date.fromisoformat(zh.split()[0]) == day == date.fromisoformat(en.split()[1])
    assert zh.endswith("一二三四五六日"[day.weekday()])
    assert en.startswith(f"{day:%a}")


@given(st.integers(-400, 400))
def test_days_left_say_their_number_and_unit(days: int) -> None:
    """Late is told apart from left by words, not by colour alone."""
    zh, en = words.said_left(days, Unit.WORKING_DAY)
    if days:
        assert str(abs(days)) in zh
        assert en.startswith(f"{abs(days)} working day{'' if abs(days) == 1 else 's'} ")
        assert ("逾期" in zh) == ("overdue" in en) == (days < 0)
    else:
        assert (zh, en) == ("今天到期", "due today")


def test_one_is_not_several() -> None:
    """English has a plural, Chinese none."""
    said = [words.counted("%d checks did not hold:", many) for many in (1, 2, 11)]
    assert said == ["1 check did not hold:", "2 checks did not hold:", "11 checks did not hold:"]
    assert words.counted(", %d exhibits", 1) == ", 1 exhibit"
    assert words.counted("，材料%d件", 1) == "，材料1件"


@given(st.integers(0, 10**15))
def test_sizes_are_short(size: int) -> None:
    """Never more than four digits before the point, and the unit is known."""
    number, unit = words.said_size(size).split()
    factor = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    assert float(number) < 1000.1
    assert abs(float(number) * factor - size) <= factor / 10


def test_a_digest_in_groups_is_the_digest() -> None:
    """Only for the eye it stands in groups."""
    digest = "0123456789abcdef" * 4
    assert "".join(words.grouped(digest)) == digest


@given(st.text(max_size=70), st.text(max_size=20), st.text(max_size=320), st.text(max_size=70))
def test_a_lists_address_keeps_what_was_asked(
    q: str, standing: str, after: str, agency: str
) -> None:
    """Whatever stands in an address, the list's own addresses lead to the same list."""
    chosen = Chosen.of(q, standing, after, agency)
    assert chosen.standing in {"open", "all", "ended", *STANDING_NAMES}
    asked = parse_qs(urlsplit(chosen.address("/queue", after=chosen.after)).query)
    again = Chosen.of(*(asked.get(name, [""])[0] for name in ("q", "standing", "after", "agency")))
    assert again == chosen


def test_the_line_of_stops_shows_where_a_commission_is() -> None:
    """At most one stop is the present one; a closed one has all its stops behind it."""
    for found in (dispatched(), accepted()):
        shown = stops(found)
        assert sum("now" in each.tone for each in shown) == 1
        present = [each.tone.split()[0] if each.tone else "" for each in shown].index("now")
        assert all(each.tone == "past" for each in shown[:present])
        assert all(each.tone == "" for each in shown[present + 1 :])
    assert [each.name[0] for each in stops(dispatched()) if "now" in each.tone] == ["签收"]
    assert State.CLOSED in ENDED_STATES


def _form(**changes: str) -> dict[str, str]:
    """Return an opinion's particulars as the form sends them."""
    told = opinion_fields()
    form = {
        key: "\n".join(value) if isinstance(value, list) else str(value)
        for key, value in told.items()
        if key not in ("appraisers", "materials_listed", "agency_id") and value is not True
    }
    form |= {key: "yes" for key, value in told.items() if value is True} | {"clear": "yes"}
    for index, each in enumerate(told["appraisers"]):
        form |= {
            f"appraiser-{index}-{key}": value for key, value in each.items() if key != "signed"
        }
        form[f"appraiser-{index}-signed"] = "yes"
    return form | changes


def test_ap_08_the_form_says_what_the_file_says() -> None:
    """AP-08: the form and a file of particulars give the same opinion."""
    read = Opinion.parse(particulars_of(_form(), ["E0001"], "SJ"))
    assert read == Opinion.parse(opinion_fields())


@given(st.dictionaries(st.sampled_from(sorted(_form())), st.text(max_size=40)))
def test_ap_08_a_form_with_gaps_is_read_or_refused_in_words(form: dict[str, str]) -> None:
    """AP-08: whatever is filled in or left out, it is read, or refused as what a person wrote."""
    with suppress(errors.InputError):
        Opinion.parse(particulars_of(form, [], "SJ"))


def test_a_digest_with_blanks_is_the_digest() -> None:
    """People paste it as it stands on the letter, in groups."""
    digest = "ab" * 32
    spaced = " ".join(words.grouped(digest))
    assert particulars_of({"package_digest_stated": spaced}, [], "SJ") == {
        "agency_id": "SJ",
        "package_digest_stated": digest,
    } | {"clear": False, "seal": False, "qualification_annex": False, "undertaking": False}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_pages_load_nothing_from_elsewhere_and_hold_no_script(path: Path) -> None:
    """What the content security policy forbids stands nowhere."""
    text = path.read_text()
    assert not re.search(
        r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.sub(r"^\s*//.*$", "", text, flags=re.M)
    )
    if path.suffix == ".html":
        assert not re.search(r"\son[a-z]+\s*=|\sstyle\s*=|<style|javascript:", text)
        assert not re.search(r"<script(?![^>]*\ssrc=)", text)
        assert "|safe" not in text


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_form_that_changes_something_carries_its_token(path: Path) -> None:
    """No form is sent without the session's token."""
    text = path.read_text()
    for form in re.findall(r'<form[^>]*method="post".*?(?:</form>|{%\s*endmacro)', text, re.S):
        assert "{{ token() }}" in form


def test_every_template_can_be_read() -> None:
    """Each is compiled, with what it includes."""
    for path in TEMPLATES.glob("*.html"):
        environment().get_template(path.name)


def test_text_from_outside_is_no_markup_and_hides_nothing() -> None:
    """Names are escaped; what turns or hides text is shown as an escape."""
    shown = environment().from_string("{{ name }}").render(name="<b>\u202egpj.exe\u200b")
    assert shown == "&lt;b&gt;\\u202egpj.exe\\u200b"
    assert environment().from_string("{{ name }}").render(name=Markup("<b>")) == "<b>"


def test_assets_have_their_digest_in_their_address() -> None:
    """A changed file is another address, so that browsers may keep it for good."""
    for name in ("queue.css", "queue.js", "sending.js", "htmx.js", "mark.svg"):
        assert address(name) == f"/static/{assets()[name].version}/{name}"
        assert re.fullmatch("[0-9a-f]{16}", assets()[name].version)


def test_every_step_has_its_word_and_every_role_its_home() -> None:
    """After a step the page says what was done; whoever signs in comes somewhere."""
    assert set(ACTS) | {"opinion"} == set(DONE)
    assert set(words.LINKS) == set(Role)
    assert all(len(pair) == 2 and all(pair) for pair in DONE.values())


def test_who_is_at_fault_decides_the_status() -> None:
    """What a person wrote, what stands in the way, and what is our own fault are told apart."""
    told = {
        errors.NotFoundError: 404,
        errors.InputError: 422,
        errors.ConflictError: 409,
        errors.StateError: 409,
        errors.IntegrityError: 422,
        errors.BusyError: 503,
        errors.HostError: 500,
    }
    assert {kind: status_of(kind("x")) for kind in told} == told


def test_a_day_further_is_a_day_more() -> None:
    """Said days follow each other."""
    day = date(2026, 3, 10)
    assert words.said_day(day + timedelta(1))[0] == "2026-03-11 周三"
