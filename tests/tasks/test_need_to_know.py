"""The need-to-know list of a case: each change an event, the rows the same after a rebuild."""

from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal import accounts
from appraisal.accounts import Role
from appraisal.desk import Desk
from storage.custody import Custody
from storage.errors import InputError, NotFoundError
from storage.event import Action
from storage.nouns import Person, higher_secrecy
from storage.story import tell
from tasks.accounts import Accounts
from tasks.need_to_know import need_to_know_list, put_on_list, take_off_list
from tasks.reading import shared_pool
from tests.appraisal.made import agency_fields
from tests.house import CASE_NO, events, make_bundle
from tests.tasks.life import take

BY = Person("王队")


@pytest.fixture
def case(house: Custody, tmp_path: Path) -> str:
    """A case in a house with two accounts of the bureau."""
    take(house, shared_pool(), make_bundle(tmp_path / "bundle"))
    for login in ("liming", "zhaoshen"):
        Accounts(house).add(accounts.new_account(login, login, Role.OFFICER))
    return CASE_NO


def _logins(house: Custody) -> list[str]:
    return [each["login"] for each in need_to_know_list(house, CASE_NO).readers]


def test_st_06_a_list_is_kept_and_told_in_order(house: Custody, case: str) -> None:
    assert put_on_list(house, case, "liming", reason="承办人", by=BY)
    assert put_on_list(house, case, "zhaoshen", reason="复核", by=BY)
    assert not put_on_list(house, case, "liming", reason="承办人", by=BY)
    assert _logins(house) == ["liming", "zhaoshen"]
    assert take_off_list(house, case, "liming", reason="调离", by=BY)
    assert not take_off_list(house, case, "liming", reason="调离", by=BY)
    assert _logins(house) == ["zhaoshen"]
    assert put_on_list(house, case, "liming", reason="回岗", by=BY)
    told = events(house, Action.NEED_TO_KNOW)
    assert [(each.details["login"], each.details["kind"]) for each in told] == [
        ("liming", "granted"),
        ("zhaoshen", "granted"),
        ("liming", "withdrawn"),
        ("liming", "granted"),
    ]
    assert {each.actor for each in told} == {BY}
    assert "移出知悉范围，调离" in tell(told[2])
    assert "列入知悉范围，承办人" in tell(told[0])


def test_st_06_nobody_of_an_agency_and_nobody_without_a_reason(house: Custody, case: str) -> None:
    Desk(house).add_agency(agency_fields(), BY)
    Accounts(house).add(accounts.new_account("sj-chen", "陈", Role.AGENCY_ADMIN, agency_id="SJ"))
    Accounts(house).disable("zhaoshen")
    for login, reason, error in (
        ("sj-chen", "想看", InputError),
        ("zhaoshen", "已停用", InputError),
        ("liming", " ", InputError),
        ("liming", "长" * 401, InputError),
        ("nobody", "承办人", NotFoundError),
    ):
        with pytest.raises(error):
            put_on_list(house, case, login, reason=reason, by=BY)
    with pytest.raises(NotFoundError):
        put_on_list(house, "没有这个案子", "liming", reason="承办人", by=BY)
    assert not events(house, Action.NEED_TO_KNOW)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [("一般", "商业秘密", "商业秘密"), ("商业秘密", "公开", "商业秘密"), ("内部", "一般", "内部")],
)
def test_st_06_the_highest_mark_of_its_bundles_is_the_case_s(
    house: Custody, tmp_path: Path, first: str, second: str, kept: str
) -> None:
    for number, mark in (("B1", first), ("B2", second)):
        files = {f"{number}.txt": number.encode()}
        bundle = make_bundle(tmp_path / number, number, files, secrecy=mark)
        take(house, shared_pool(), bundle)
    listed = need_to_know_list(house, CASE_NO)
    assert (listed.secrecy, listed.marked) == (kept, kept == "商业秘密")


@given(st.lists(st.sampled_from(["公开", "一般", "内部", "商业秘密", "?"]), min_size=1))
def test_of_marks_in_any_order_the_same_is_the_highest(marks: list[str]) -> None:
    assert reduce(higher_secrecy, marks) == reduce(higher_secrecy, sorted(marks))
    assert (reduce(higher_secrecy, marks) == "商业秘密") == ("商业秘密" in marks)
