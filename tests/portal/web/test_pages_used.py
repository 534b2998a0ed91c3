"""The pages as people use them: forms that come too late, and what each is shown."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from appraisal.accounts import Role
from portal.web.app import create_app
from tests.portal.web.api.world import World, opened_world
from tests.portal.web.signing import HERE, browser, form_token, make_account, sign_in

OURS = {"Sec-Fetch-Site": "same-origin", "Origin": HERE}
TYPED = "需要补充 <b>反应釜</b>的型号\n和照片"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A house with a case and an agency."""
    with opened_world(tmp_path_factory.mktemp("kept")) as made:
        make_account(made.house, "zhoujing", Role.AGENCY_ADMIN, "SJ")
        make_account(made.house, "liming", Role.OFFICER)
        yield made


@pytest.fixture
def person(world: World) -> TestClient:
    """Somebody of the agency who has opened a page."""
    return sign_in(browser(create_app(world.house)), "zhoujing")


@pytest.fixture
def officer(world: World) -> TestClient:
    """An officer of the bureau."""
    return sign_in(browser(create_app(world.house)), "liming")


def test_what_was_typed_survives_the_end_of_the_session(world: World, person: TestClient) -> None:
    """Signed out, signed in elsewhere, sent again and once more: one step, with every word."""
    sent = world.send().accepted()
    form = {"number": sent.number, "what": TYPED, "csrf_token": form_token(person, "/tokens")}
    person.cookies.clear()
    late = person.post("/commission/request_supplement", data=form, headers=OURS)
    assert late.status_code == 401
    assert "登录已过期" in late.text
    assert f"要求补充材料：{sent.number}" in late.text
    assert "&lt;b&gt;反应釜&lt;/b&gt;的型号\n和照片" in late.text
    assert form["csrf_token"] not in late.text
    sign_in(person, "zhoujing")
    stale = person.post("/commission/request_supplement", data=form, headers=OURS)
    assert stale.status_code == 403
    assert "再次提交" in stale.text
    assert world.steps(sent.number, "request_supplement") == 0
    form["csrf_token"] = stale.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    done = person.post("/commission/request_supplement", data=form, headers=OURS)
    assert done.status_code == 303
    assert world.desk.commission(sent.number).supplements[-1].what == TYPED


def test_a_late_opinion_keeps_its_particulars_and_asks_for_its_file_again(
    world: World, person: TestClient
) -> None:
    """AP-08: also of a form with a document."""
    sent = world.send().accepted()
    form = {"number": sent.number, "methods": TYPED, "materials_listed": ["E0001", "E0002"]}
    document = {"document": ("意见.pdf", b"%PDF-1.7", "application/pdf")}
    person.cookies.clear()
    late = person.post("/commission/opinion", data=form, files=document, headers=OURS)
    assert late.status_code == 401
    assert late.text.count('name="materials_listed"') == 2
    document = {"document": ("意见.pdf", b"%PDF-1.7" + b" " * 40_000, "application/pdf")}
    longer = person.post("/commission/opinion", data=form, files=document, headers=OURS)
    assert longer.status_code == 413
    assert "登录已过期，没有收下任何内容" in longer.text
    assert "文件太大" not in longer.text
    assert 'enctype="multipart/form-data"' in late.text
    assert "重新选择" in late.text


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": HERE + "0"}])
def test_no_other_site_puts_words_into_our_forms(
    person: TestClient, headers: dict[str, str]
) -> None:
    """What no page of ours sent is not shown again, signed in or not."""
    form = {"number": "1", "what": "put in by somebody else"}
    assert form["what"] not in person.post("/commission/decline", data=form, headers=headers).text
    person.cookies.clear()
    answer = person.post("/commission/decline", data=form, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_password_is_never_shown_again(person: TestClient) -> None:
    """The forms of signing in are not kept; nor is what somebody may not do."""
    person.cookies.clear()
    form = {"name": "zhoujing", "password": "a password in the open", "csrf_token": "old"}
    for path in ("/sign-in", f"/welcome/{'A' * 43}"):
        answer = person.post(path, data=form, headers=OURS)
        assert answer.status_code == 403
        assert form["password"] not in answer.text


def test_a_step_of_somebody_else_is_told_before_ones_own_is_taken(
    world: World, person: TestClient
) -> None:
    """Whoever decided on an old page looks again; a form of one's own sent twice is one step."""
    sent = world.send()
    seen = world.desk.commission(sent.number).steps
    form = {"number": sent.number, "step": str(seen), "reason": "设备检修"}
    form["csrf_token"] = form_token(person, "/tokens")
    world.agency_desk().receive(sent.number, sent.digest)
    told = person.post("/commission/decline", data=form)
    assert told.status_code == 409
    assert "他人在该委托中办理了新的步骤" in told.text
    assert "设备检修</textarea>" in told.text
    assert world.steps(sent.number, "decline") == 0
    form["step"] = str(seen + 1)
    for _ in range(2):
        assert person.post("/commission/decline", data=form).status_code == 303
    assert world.steps(sent.number, "decline") == 1


def test_an_officer_sees_at_which_agency_a_commission_is(world: World, officer: TestClient) -> None:
    """Its own name tells the bureau nothing; nor has it to guess what happens next."""
    sent = world.send("OT")
    text = officer.get("/officer/commission", params={"number": sent.number}).text
    assert "另一鉴定中心 · " in text
    assert "核对校验值，签收并决定是否受理" in text
    assert "<form" not in text.partition("<main")[2].partition("</main>")[0]


def test_what_an_agency_still_holds_is_its_next_step_after_the_end(
    world: World, person: TestClient
) -> None:
    """A commission that was declined is not over for the agency until its copies are gone."""
    sent = world.send()
    world.agency_desk().decline(sent.number, "设备检修")
    text = person.get("/commission", params={"number": sent.number}).text
    assert "退还、留存或销毁材料，并记录处置" in text
    assert "委托其他机构" not in text
    assert "北京时间（UTC+8）" in text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/officer/figures?since=2026-05-01&until=2026-04-01", 422),
        ("/officer/figures?since=2026-02-30", 422),
        ("/officer/figures?since=2026-01-01&until=2026-04-01", 200),
        ("/officer/commissions?standing=nothing&agency=nobody&q=%F0", 200),
        ("/officer/commissions?q=%00", 422),
        ("/officer/commissions?after=page1000", 422),
        ("/officer/commission?number=", 404),
        ("/officer/commission?number=%00", 404),
        (f"/officer/commission?number={'长' * 3000}", 404),
    ],
)
def test_an_address_typed_by_hand_is_answered(
    officer: TestClient, address: str, status: int
) -> None:
    """Whatever stands in it, the answer is a page that says what to do."""
    answer = officer.get(address)
    assert answer.status_code == status
    assert "</html>" in answer.text
